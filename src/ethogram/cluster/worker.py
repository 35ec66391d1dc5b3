"""Worker: the body of a Ray actor. It runs tasks in a thread, and results are fetched meanwhile.

Results are fetched by ordinary calls and not streamed by Ray, whose client (`ray://`) cannot.
"""

from __future__ import annotations

import os
import pickle
import queue
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from ethogram.cores import VARIABLE
from ethogram.errors import BackendError, EthogramError

#: Results of at most this many bytes or so go in one answer, counted in results.
MOST_RESULTS = 512


class Runner(Protocol):
    """What a worker runs; made on the worker's machine."""

    def about(self) -> str:
        """What computes there, in a few words; comes with every result."""

    def run(self, kind: str, tasks: Sequence[Any]) -> Iterator[tuple[str, Any]]:
        """Run tasks; yields the key and the result of each, in any order.

        Args:
            kind: what to do with them.
            tasks: plain data.
        """

    def report(self) -> Any:
        """How far the tasks are, for the progress; plain data."""


@dataclass(slots=True)
class Answer:
    """What a worker has to say.

    Attributes:
        results: key and result of finished tasks.
        report: the runner's.
        is_done: all tasks are finished.
        error: what ended them early.
    """

    results: list[tuple[str, Any]] = field(default_factory=list)
    report: Any = None
    is_done: bool = False
    error: BaseException | None = None


class Worker:
    """The body of an actor.

    Args:
        make: makes the runner, here.
        threads: that it computes with.
    """

    def __init__(self, make: Callable[[], Runner], threads: int) -> None:
        os.environ[VARIABLE] = str(threads)
        self._make = make
        self._runner: Runner | None = None
        self._results: queue.SimpleQueue[tuple[str, Any] | BaseException | None]
        self._results = queue.SimpleQueue()

    def prepare(self) -> str | EthogramError:
        """Make the runner; returns what it is about, or the error to show to the user."""
        try:
            self._runner = self._make()
            return self._runner.about()
        except Exception as error:
            return portable(error)

    def start(self, kind: str, tasks: Sequence[Any]) -> Answer:
        """Begin with tasks; the ones before are finished."""
        threading.Thread(target=self._work, args=(kind, tasks), daemon=True).start()
        return Answer()

    def _work(self, kind: str, tasks: Sequence[Any]) -> None:
        assert self._runner is not None
        try:
            for result in self._runner.run(kind, tasks):
                self._results.put(result)
            self._results.put(None)
        except BaseException as error:
            self._results.put(portable(error))

    def take(self, seconds: float) -> Answer:
        """What was finished since the last call; waits so long for the first result."""
        answer, until = Answer(), time.monotonic() + seconds
        while len(answer.results) < MOST_RESULTS and not answer.is_done:
            left = max(0.0, until - time.monotonic()) if not answer.results else 0.0
            try:
                found = self._results.get(timeout=left) if left else self._results.get_nowait()
            except queue.Empty:
                break
            if isinstance(found, BaseException):
                answer.error, answer.is_done = found, True
            elif found is None:
                answer.is_done = True
            else:
                answer.results.append(found)
        assert self._runner is not None
        answer.report = self._runner.report()
        return answer


def portable(error: BaseException) -> EthogramError:
    """An error that can be pickled; one that is no user's error names the machine."""
    if isinstance(error, EthogramError):
        try:
            pickle.loads(pickle.dumps(error))
            return error
        except Exception:
            return BackendError(error.what, where=error.where, hint=error.hint)
    words = " ".join(f"{type(error).__name__}: {error}".split())[:300]
    return BackendError(f"a worker failed ({words})", where=f"machine {socket.gethostname()}")
