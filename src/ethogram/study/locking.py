"""Locks: one run of a study at a time, and one process for each training."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ethogram.errors import WriteError
from ethogram.stages import stage

if TYPE_CHECKING:
    from ethogram.study.workspace import Study


def one_run_at_a_time(
    study: Study, on_wait: Callable[[], None] | None
) -> AbstractContextManager[None]:
    """Hold the study's run lock: a file's, or that of the server with its store.

    Both are freed when the process dies.
    """
    if study.is_shared:
        from ethogram.store import run_lock

        def wait(holder: str) -> None:
            if on_wait:
                on_wait()
            stage(f"Waiting for the run of {holder}" if holder else "Waiting for another run")

        return run_lock(study.store.database, study.name, wait)
    return file_lock(study.folder / ".ethogram/run.lock", on_wait)


@contextmanager
def file_lock(file: Path, on_wait: Callable[[], None] | None) -> Iterator[None]:
    """Hold the lock of a file, which is freed when the process dies.

    Args:
        file: stays when the lock is freed.
        on_wait: called once if another process holds it; what it raises ends the wait.

    Raises:
        WriteError: the file cannot be made.
    """
    from filelock import FileLock, Timeout

    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(file)
        try:
            lock.acquire(timeout=0.1)
        except Timeout:
            if on_wait:
                on_wait()
            lock.acquire()
    except OSError as error:
        raise WriteError(file.parent, error) from None
    try:
        yield
    finally:
        lock.release()
