"""Files written whole or not at all, and text read from plain or gzipped files."""

from __future__ import annotations

import errno
import gzip
import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from ethogram.errors import WriteError


def open_text(path: Path, *, newline: str | None = None) -> TextIO:
    """A text file in UTF-8 to read, unpacked if its name ends in .gz.

    Args:
        path: the file.
        newline: as for `open`; "" leaves line ends to a reader of CSV.

    Raises:
        OSError: it cannot be opened.
    """
    opened = gzip.open if path.suffix == ".gz" else open
    file: TextIO = opened(path, "rt", encoding="utf-8", newline=newline)
    return file


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A new file beside `path` to write to; it replaces `path` once all is written.

    Missing folders are made. If anything fails, the old file stays.

    Raises:
        WriteError: full disk, read-only folder, ….
    """
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        os.close(handle)
        temporary = Path(name)
        temporary.chmod(path.stat().st_mode if path.exists() else 0o644)
        yield temporary
        temporary.replace(path)
    except OSError as error:
        raise WriteError(path, error) from None
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A new folder beside `path` to fill; it gets the name `path` once all is written.

    Missing folders above it are made. If anything fails, nothing of it is left.

    Raises:
        WriteError: full disk, read-only folder, or a folder of this name that is not empty.
    """
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
        yield temporary
        temporary.chmod(0o755)  # mkdtemp makes folders for their owner alone.
        temporary.rename(path)
    except OSError as error:
        raise WriteError(path, error) from None
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def system_errors(path: Path) -> Iterator[None]:
    """Turn what the system refuses while a library writes below `path` into one error.

    Libraries in Rust and C++ (safetensors, tokenizers, torch) report a full disk as an error of
    their own.

    Raises:
        WriteError: full disk, read-only folder, ….
    """
    try:
        yield
    except OSError as error:
        raise WriteError(path, error) from None
    except Exception as error:
        refused = _refused(str(error))
        if refused is None:
            raise
        raise WriteError(path, refused) from None


def _refused(text: str) -> OSError | None:
    """The system's error that a library's message tells of."""
    rust = re.search(r"\(os error (\d+)\)", text)
    if rust:
        number = int(rust[1])
    elif "PytorchStreamWriter" in text or "iostream error" in text:
        number = errno.ENOSPC  # It names no cause, and this is the usual one.
    else:
        return None
    return OSError(number, os.strerror(number))


def write_whole(path: Path, pieces: Iterable[str]) -> None:
    """Write text to a file; readers see the old file or the new one.

    Args:
        path: the file.
        pieces: text, written one piece after another, line ends as they are.

    Raises:
        WriteError: it cannot be written; the old file is untouched.
    """
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        file.writelines(pieces)


def digest_of_code(folder: Path) -> str:
    """Digest of all Python files of a folder: what its code made is good for this code only."""
    hashed = hashlib.sha256()
    for file in sorted(folder.rglob("*.py")):
        hashed.update(file.read_bytes())
    return hashed.hexdigest()
