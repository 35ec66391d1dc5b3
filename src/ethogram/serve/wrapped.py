"""Wrapped replies over the running batch: candidates, loop breaker and retry in turn."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from ethogram.serve.loop import EngineLoop, Event, as_row

if TYPE_CHECKING:
    from ethogram.engine import Work
    from ethogram.spec.generation import Generation, Request


class Left(Exception):  # noqa: N818
    """The client left."""


class LiveBackend:
    """A backend over a running batch; called in a thread that may wait.

    Args:
        loop: of the engine.
        group: of the HTTP request.
        left: set when the client is gone.
    """

    def __init__(self, loop: EngineLoop, group: int, left: threading.Event) -> None:
        self._loop, self._group, self._left = loop, group, left
        self._events: queue.SimpleQueue[Event | None] = queue.SimpleQueue()

    @property
    def work(self) -> Work:
        """What the batch computed for all clients."""
        return self._loop.live.work

    def wake(self) -> None:
        """Let a waiting `generate` see that the client left."""
        self._events.put(None)

    def generate(
        self,
        requests: Sequence[Request],
        *,
        on_tokens: Callable[[int], None] | None = None,
        trace: bool = False,
    ) -> Iterator[Generation]:
        """Generate by the running batch; see `Backend.generate`. Neither counts nor traces.

        Raises:
            ApiError: the queue is full, or the model failed.
            Left: the client is gone.
        """
        rows = [
            as_row(self._loop, request, self._events.put, group=self._group) for request in requests
        ]
        if self._left.is_set():
            raise Left
        self._loop.submit(rows, continues=True)
        try:
            for _ in rows:
                yield self._next()
        finally:
            self._loop.cancel(rows)

    def _next(self) -> Generation:
        while True:
            event = self._events.get()
            if event is None or self._left.is_set():
                raise Left
            if event.error is not None:
                raise event.error
            if event.generation is not None:
                return event.generation


class Replies:
    """Makes the wrapped replies of one HTTP request.

    Args:
        loop: of the engine.
        group: of the HTTP request.
    """

    def __init__(self, loop: EngineLoop, group: int) -> None:
        from ethogram.wrap import WrappedBackend

        self._left = threading.Event()
        self._inner = LiveBackend(loop, group, self._left)
        self._backend = WrappedBackend(self._inner, loop.engine.text)

    def make(self, request: Request) -> Generation:
        """The reply to a request; waits for it.

        Raises:
            ApiError: the queue is full, or the model failed.
            Left: the client is gone.
        """
        [made] = self._backend.generate([request])
        return made

    def leave(self) -> None:
        """The client is gone, or the reply is made."""
        self._left.set()
        self._inner.wake()
