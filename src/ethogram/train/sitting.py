"""Sitting: which process trains now, and how the last one ended; a lock that a killed one frees.

A training may take several sittings. Each holds a lock in the folder of its checkpoints, beside a
small file that says who holds it. A reader that finds the file without the lock knows that the
process was killed.
"""

from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from filelock import FileLock, Timeout

from ethogram.errors import EthogramError, SpecError, WriteError
from ethogram.files import write_whole

State = Literal["running", "stopped", "failed", "killed"]
_LOCK, _FILE = "sitting.lock", "sitting.json"
#: Seconds to wait for the lock: a reader holds it for a moment.
_PATIENCE = 2.0


@dataclass(frozen=True, slots=True)
class Sitting:
    """The process that trains, or that trained last.

    Attributes:
        state: running; stopped by a person; failed with an error; killed, so that nothing was said.
        pid: of the process.
        host: name of its machine.
        started_at: in UTC, ISO 8601.
        words: why it failed; otherwise empty.
    """

    state: State
    pid: int
    host: str
    started_at: str
    words: str = ""

    @property
    def is_here(self) -> bool:
        """Whether the process is on this machine."""
        return self.host == socket.gethostname()


@contextmanager
def sitting(work: Path) -> Iterator[None]:
    """Train in a block: holds the lock, and records how the block ends.

    Args:
        work: folder of the training's checkpoints; where it is gone at the end, nothing is written.

    Raises:
        SpecError: another process trains the same.
        WriteError: the files cannot be written.
    """
    try:
        work.mkdir(parents=True, exist_ok=True)
        lock = FileLock(work / _LOCK)
        lock.acquire(timeout=_PATIENCE)
    except Timeout:
        raise _running(work) from None
    except OSError as error:
        raise WriteError(work, error) from None
    try:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        mine = Sitting("running", os.getpid(), socket.gethostname(), now)
        _write(work, mine)
        try:
            yield
        except EthogramError as error:
            _end(work, replace(mine, state="failed", words=str(error)))
            raise
        except Exception as error:
            words = f"unexpected {type(error).__name__}: {error}"
            _end(work, replace(mine, state="failed", words=words))
            raise
        except BaseException:  # Ctrl-C, SIGTERM.
            _end(work, replace(mine, state="stopped"))
            raise
    finally:
        lock.release()


def refuse_running(work: Path) -> None:
    """Refuse a training that another process trains now.

    Raises:
        SpecError: one does.
    """
    last = last_sitting(work)
    if last is not None and last.state == "running":
        raise _running(work)


def last_sitting(work: Path) -> Sitting | None:
    """The sitting that trains now, or that trained last; None if there is no record of one."""
    try:
        found = Sitting(**json.loads((work / _FILE).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    if found.state != "running":
        return found
    return found if _is_held(work / _LOCK) else replace(found, state="killed")


def folder_of(study: Path, key: str) -> Path | None:
    """The folder of a training's checkpoints, by the key of the training; None if it is gone."""
    found = (study / ".ethogram" / "training").glob(f"*-{key[:12]}")
    return next(iter(sorted(found)), None)


def stop_sitting(work: Path) -> None:
    """Ask the process that trains to end; the checkpoint that it wrote last is kept.

    Raises:
        SpecError: none trains here.
    """
    last = last_sitting(work)
    if last is None or last.state != "running":
        raise SpecError("no process trains this now", where=work.name)
    if not last.is_here:
        raise SpecError(
            f"process {last.pid} of machine {last.host} trains this", hint="stop it there"
        )
    with suppress(ProcessLookupError):
        os.kill(last.pid, signal.SIGTERM)


def _is_held(path: Path) -> bool:
    if not path.exists():
        return False
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    except OSError:
        return False
    lock.release()
    return False


def _write(work: Path, found: Sitting) -> None:
    write_whole(work / _FILE, [json.dumps(asdict(found))])


def _end(work: Path, found: Sitting) -> None:
    """Record how a sitting ended; what ended it is more important than a full disk."""
    if work.is_dir():
        with suppress(WriteError):
            _write(work, found)


def _running(work: Path) -> SpecError:
    last = last_sitting(work)
    who = f" by process {last.pid} of {last.host}" if last is not None else ""
    return SpecError(
        f"this training is running now{who}",
        where=work.name,
        hint="wait for it, or stop it first",
    )
