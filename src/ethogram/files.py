"""Writes a file whole or not at all. Knows paths; knows nothing of what the files hold."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from ethogram.errors import WriteError


def write_whole(path: Path, pieces: Iterable[str]) -> None:
    """Write text to a file, made with its folders; readers see the old file or the new one.

    Args:
        path: the file.
        pieces: text, written one piece after another, line ends as they are.

    Raises:
        WriteError: full disk, read-only folder, …; what stood there before is untouched.
    """
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.writelines(pieces)
        os.chmod(temporary, path.stat().st_mode if path.exists() else 0o644)
        os.replace(temporary, path)
    except BaseException as error:
        if temporary is not None:
            with suppress(OSError):
                os.unlink(temporary)
        if isinstance(error, OSError):
            raise WriteError(path, error) from None
        raise
