"""Optional parts: which module belongs to which extra, and the error that names it when missing."""

from __future__ import annotations

import importlib
from types import ModuleType

from ethogram.errors import MissingExtraError


def require(module: str, *, extra: str, needed_for: str) -> ModuleType:
    """Import `module`, or raise an error that names the extra to install.

    Raises:
        MissingExtraError: the module is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        missing_root = (error.name or "").split(".")[0]
        if missing_root != module.split(".")[0]:
            raise
        raise MissingExtraError(extra, needed_for) from error
