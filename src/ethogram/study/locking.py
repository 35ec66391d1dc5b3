"""The run lock: one run of a study at a time, on one machine or on all that share its store."""

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
    return _file_lock(study.folder / ".ethogram", on_wait)


@contextmanager
def _file_lock(folder: Path, on_wait: Callable[[], None] | None) -> Iterator[None]:
    """Hold the lock in a folder.

    Raises:
        WriteError: the lock file cannot be made.
    """
    from filelock import FileLock, Timeout

    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / "run.lock")
        try:
            lock.acquire(timeout=0.1)
        except Timeout:
            if on_wait:
                on_wait()
            lock.acquire()
    except OSError as error:
        raise WriteError(folder, error) from None
    try:
        yield
    finally:
        lock.release()
