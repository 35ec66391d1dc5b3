"""Engine: requests to generations on a transformers model.

The engine is loaded on first use, since it needs torch, and counting work does not.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ethogram.engine.work import Work

if TYPE_CHECKING:
    from ethogram.engine.engine import MAX_ROWS, Engine

__all__ = ["MAX_ROWS", "Engine", "Work"]


def __getattr__(name: str) -> Any:
    """Load the engine when it is first asked for (PEP 562)."""
    if name not in __all__:
        raise AttributeError(f"module 'ethogram.engine' has no attribute {name!r}")
    return getattr(import_module("ethogram.engine.engine"), name)
