"""Events: what happens on the server, numbered and kept, so that a tab that reconnects misses none.

Every tab has one stream. An event's id is `EPOCH-NUMBER`; the epoch changes when the server starts
again. A client that names an id which is no longer known receives `reset` and loads its state again
through the ordinary routes, which always answer with all of it.
"""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections import deque
from collections.abc import AsyncIterator
from typing import Literal

from ethogram.ui.models import Answer

#: Events that are kept: a stream of 10 000 tokens on four lanes fits several times, in about 30 MB.
KEPT = 100_000
#: Seconds between comments that keep an idle connection open.
HEARTBEAT = 15.0
#: Events sent in one piece at most.
_BATCH = 500


class Event(Answer):
    """Base of all events. A view adds its own with a `type` of its own: `Literal["vote"]`."""

    type: str


class StudyChanged(Event):
    """Files of the study, or what is stored, changed."""

    type: Literal["study"] = "study"


class Reset(Event):
    """Events were missed: load the state again."""

    type: Literal["reset"] = "reset"


class Events:
    """The events of one server, published by any thread.

    Args:
        kept: how many are kept for tabs that reconnect.
    """

    def __init__(self, kept: int = KEPT) -> None:
        self.epoch = secrets.token_hex(4)
        self._events: deque[tuple[int, str]] = deque(maxlen=kept)
        self._last = 0
        self._lock = threading.Lock()
        self._waiting: set[_Waiter] = set()
        self._closed = False

    def publish(self, event: Event) -> None:
        """Send an event to every tab."""
        data = event.model_dump_json()
        with self._lock:
            self._last += 1
            self._events.append((self._last, data))
            waiting = list(self._waiting)
        for each in waiting:
            each.wake()

    def close(self) -> None:
        """End all streams."""
        self._closed = True
        with self._lock:
            waiting = list(self._waiting)
        for each in waiting:
            each.wake()

    @property
    def position(self) -> str:
        """The id of the last event."""
        return f"{self.epoch}-{self._last}"

    async def stream(self, last_id: str | None = None) -> AsyncIterator[str]:
        """Events after an id, then new ones as they come, in the format of server-sent events.

        Args:
            last_id: of the last event that the tab has; None for new ones only.
        """
        waiter = _Waiter(asyncio.get_running_loop())
        with self._lock:
            self._waiting.add(waiter)
            number = self._number_of(last_id)
            first = number if number is not None else self._last
        try:
            yield f"retry: 1000\nid: {self.epoch}-{first}\n"
            yield f"data: {Reset().model_dump_json()}\n\n" if number is None else ": resumed\n\n"
            number = first
            while not self._closed:
                waiter.clear()
                batch = self._after(number)
                if batch:
                    number = batch[-1][0]
                    yield "".join(f"id: {self.epoch}-{n}\ndata: {data}\n\n" for n, data in batch)
                elif not await waiter.wait(HEARTBEAT):
                    yield ": still here\n\n"
        finally:
            with self._lock:
                self._waiting.discard(waiter)

    def _number_of(self, last_id: str | None) -> int | None:
        """The number in an id; None if events after it are not all kept."""
        if last_id is None:
            return self._last
        epoch, _, number = last_id.partition("-")
        if epoch != self.epoch or not (number.isascii() and number.isdigit()):
            return None
        found = int(number)
        oldest = self._events[0][0] if self._events else self._last + 1
        return found if oldest - 1 <= found <= self._last else None

    def _after(self, number: int) -> list[tuple[int, str]]:
        with self._lock:
            if not self._events or self._events[-1][0] <= number:
                return []
            skip = max(0, number + 1 - self._events[0][0])
            return [self._events[i] for i in range(skip, min(len(self._events), skip + _BATCH))]


class _Waiter:
    """Wakes a stream from any thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop, self._event = loop, asyncio.Event()

    def wake(self) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._event.set)

    def clear(self) -> None:
        self._event.clear()

    async def wait(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self._event.wait(), seconds)
        except TimeoutError:
            return False
        return True
