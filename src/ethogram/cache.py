"""The cache folder, and how a folder in it is built once."""

from __future__ import annotations

import glob
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock
from platformdirs import user_cache_path

from ethogram.errors import WriteError


def cache_folder() -> Path:
    """The cache folder: $ETHOGRAM_CACHE, else the user's own."""
    named = os.environ.get("ETHOGRAM_CACHE")
    return Path(named).expanduser() if named else user_cache_path("ethogram")


def build_once(name: str, build: Callable[[Path], None]) -> Path:
    """A folder of the cache, built on first use.

    It appears whole or not at all, and a second process that wants it meanwhile waits.

    Args:
        name: the folder's name in the cache.
        build: fills an empty folder.

    Raises:
        WriteError: the cache cannot be written.
    """
    target = cache_folder() / name
    if target.is_dir():
        return target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(target.with_name(f"{target.name}.lock")):
            if not target.is_dir():
                _build(target, build)
    except OSError as error:
        raise WriteError(
            target.parent,
            error,
            hint="free disk space there, or set another cache folder in ETHOGRAM_CACHE",
        ) from error
    return target


def _build(target: Path, build: Callable[[Path], None]) -> None:
    for left in target.parent.glob(f"{glob.escape(target.name)}.????????"):
        if left.is_dir():  # Of a process that was killed: the lock keeps all others out.
            shutil.rmtree(left, ignore_errors=True)
    unfinished = Path(tempfile.mkdtemp(prefix=f"{target.name}.", dir=target.parent))
    try:
        build(unfinished)
        unfinished.chmod(0o755)  # mkdtemp makes folders for their owner alone
        unfinished.rename(target)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
