"""Loop: one engine thread for a model; requests come in by a queue, events go out once a step."""

from __future__ import annotations

import logging
import math
import queue
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING, Any

from ethogram.errors import EthogramError
from ethogram.serve.errors import ApiError, refused

if TYPE_CHECKING:
    from ethogram.engine import Engine
    from ethogram.engine.jobs import Job
    from ethogram.engine.live import Alternatives, LiveBatch
    from ethogram.spec.generation import Generation, Request

_log = logging.getLogger(__name__)
#: Longest `Retry-After` of a refused client, seconds: above it OpenAI's client does not retry.
LONGEST_RETRY = 120
_tickets = count()


@dataclass(frozen=True, slots=True)
class Event:
    """What happened to a row in one step.

    Attributes:
        row: which.
        token_ids: chosen ones.
        logprobs: of each, nats.
        alternatives: beside each, where the row asked for some.
        generation: the whole output, if it ended.
        error: why there is no output.
    """

    row: Row
    token_ids: tuple[int, ...] = ()
    logprobs: tuple[float, ...] = ()
    alternatives: tuple[Alternatives, ...] = ()
    generation: Generation | None = None
    error: ApiError | None = None


@dataclass(eq=False, slots=True)
class Row:
    """One output that a client waits for.

    Attributes:
        request: what to generate.
        on_event: called once for each event, not in the engine's thread.
        job: the prepared request.
        alone: it cannot join the running batch, and runs by itself.
        alternatives: most probable tokens wanted beside each.
        group: rows of equal group came with one HTTP request and take turns with other groups.
        ticket: unique, since equal requests may run at the same time.
    """

    request: Request
    on_event: Callable[[Event], None]
    job: Job
    alone: bool = False
    alternatives: int = 0
    group: int = 0
    ticket: str = ""


class _Left(Exception):  # noqa: N818
    """The client of a row that runs by itself left."""


class EngineLoop:
    """The engine thread of one model.

    Args:
        engine: whose model runs.
        deliver: takes the events of a step to where they are handled, once a step.
        max_rows: outputs in progress at once.
        max_waiting: outputs that wait beyond these; more are refused.
        max_tokens: most tokens of prompt and output together.
    """

    def __init__(
        self,
        engine: Engine,
        deliver: Callable[[Sequence[Event]], None],
        *,
        max_rows: int = 64,
        max_waiting: int = 256,
        max_tokens: int = 2048,
    ) -> None:
        self.engine, self._deliver = engine, deliver
        self.max_rows, self.max_waiting = max_rows, max_waiting
        self.max_tokens = max_tokens
        self.live = self._new_batch()
        self._inbox: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._waiting: OrderedDict[int, deque[Row]] = OrderedDict()
        self._running: dict[str, Row] = {}
        self._alone: deque[Row] = deque()
        self._cancelled: set[str] = set()
        self._count_lock = threading.Lock()
        self._open: set[str] = set()
        self._seconds_per_row = 1.0
        self._is_stopping = False
        self._thread = threading.Thread(target=self._run, name="ethogram-engine", daemon=True)

    def _new_batch(self) -> LiveBatch:
        from ethogram.engine.live import LiveBatch

        return LiveBatch(self.engine, max_rows=self.max_rows, max_tokens=self.max_tokens)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    @property
    def rows(self) -> int:
        """Rows that run or wait."""
        return len(self._open)

    @property
    def running(self) -> int:
        """Rows of the running batch."""
        return len(self._running)

    def submit(self, rows: Sequence[Row], *, continues: bool = False) -> None:
        """Queue the rows of one HTTP request; from any thread.

        Args:
            rows: to queue.
            continues: they are part of a reply in the making, which a server that stops finishes.

        Raises:
            ApiError: the queue is full (429) or the server stops (503); no row was queued.
        """
        with self._count_lock:
            if self._is_stopping and not continues:
                raise ApiError(503, "the server is stopping", retry_after=10)
            self.check_room(self.rows + len(rows))
            self._open |= {row.ticket for row in rows}
        self._inbox.put(lambda: self._take_in(rows))

    def check_room(self, rows: int) -> None:
        """Refuse more rows than run and wait at most.

        Raises:
            ApiError: they are too many (429).
        """
        if rows > self.max_rows + self.max_waiting:
            message = "too many requests wait"
            raise ApiError(429, message, code="queue_full", retry_after=self._wait())

    def _wait(self) -> int:
        """Seconds until a place may be free."""
        waiting = max(1, self.rows - self.max_rows)
        seconds = math.ceil(waiting / self.max_rows * self._seconds_per_row)
        return min(max(1, seconds), LONGEST_RETRY)

    def cancel(self, rows: Sequence[Row]) -> None:
        """Let rows leave before the next step; from any thread. Finished ones are ignored."""
        tickets = [row.ticket for row in rows if row.ticket in self._open]
        self._cancelled |= set(tickets)
        if tickets:
            self._inbox.put(lambda: self._leave(tickets))

    def call(self, work: Callable[[], Any], done: Callable[[Any], None]) -> None:
        """Run something between two steps, in the engine's thread; `done` gets what it returns.

        `done` is called in the engine's thread too, with the exception if there was one.
        """

        def run() -> None:
            try:
                result = work()
            except Exception as error:
                result = error
            done(result)

        self._inbox.put(run)

    def refuse_new(self) -> None:
        """Take no further requests; those that run or wait are finished."""
        with self._count_lock:
            self._is_stopping = True

    def stop(self, timeout: float = 30.0) -> None:
        """End the thread; rows in progress end with an error."""
        self.refuse_new()
        self._inbox.put(None)
        if self._thread.is_alive():
            self._thread.join(timeout)

    def _run(self) -> None:
        while self._handle(block=self._is_idle):
            if self._is_idle:
                continue
            try:
                self._admit()
                self._step()
                if self._alone:
                    self._run_alone(self._alone.popleft())
            except Exception:
                _log.exception("a step of the engine failed")
                self._fail_all(ApiError(500, "the model could not be run"))
                self.live = self._new_batch()
        self._fail_all(ApiError(503, "the server is stopping", retry_after=10))

    @property
    def _is_idle(self) -> bool:
        return not (self._waiting or self._running or self._alone)

    def _handle(self, *, block: bool) -> bool:
        """Do what came in; returns False when the thread shall end."""
        while True:
            try:
                item = self._inbox.get(block=block)
            except queue.Empty:
                return True
            if item is None:
                return False
            item()
            block = False

    def _take_in(self, rows: Sequence[Row]) -> None:
        for row in rows:
            if row.ticket not in self._open:
                continue
            if row.alone:
                self._alone.append(row)
            else:
                self._waiting.setdefault(row.group, deque()).append(row)

    def _leave(self, tickets: Sequence[str]) -> None:
        gone = set(tickets)
        for ticket in tickets:
            if self._running.pop(ticket, None) is not None:
                self.live.cancel(ticket)
        for group, rows in list(self._waiting.items()):
            kept = deque(row for row in rows if row.ticket not in gone)
            if kept:
                self._waiting[group] = kept
            else:
                del self._waiting[group]
        self._alone = deque(row for row in self._alone if row.ticket not in gone)
        self._close(gone)

    def _close(self, tickets: set[str]) -> None:
        with self._count_lock:
            self._open -= tickets
            self._cancelled -= tickets

    def _admit(self) -> None:
        """Let waiting rows join, one of each group in turn, while rows and memory are free."""
        while self._waiting and len(self._running) < self.max_rows:
            group, rows = next(iter(self._waiting.items()))
            if not self.live.has_memory(rows[0].job):
                return  # Shorter ones do not overtake it, or it might never start.
            row = rows.popleft()
            if rows:
                self._waiting.move_to_end(group)
            else:
                del self._waiting[group]
            self._running[row.ticket] = row
            self.live.add(row.job, alternatives=row.alternatives)

    def _step(self) -> None:
        if not self._running:
            return
        events = []
        ended = set()
        for chosen in self.live.step():
            row = self._running[chosen.identity]
            made = chosen.generation
            if made is not None:
                del self._running[row.ticket]
                ended.add(row.ticket)
                self._learn(made.seconds)
                made = replace(made, identity=row.request.identity)
            events.append(Event(row, chosen.token_ids, chosen.logprobs, chosen.alternatives, made))
        self._close(ended)
        if events:
            self._deliver(events)

    def _learn(self, seconds: float) -> None:
        self._seconds_per_row += 0.1 * (seconds - self._seconds_per_row)

    def _run_alone(self, row: Row) -> None:
        """Run a decoding that cannot join, a step of its own between two of the running batch."""

        def between(_: int) -> None:
            self._handle_while_alone()
            if row.ticket in self._cancelled or row.ticket not in self._open:
                raise _Left
            self._admit()
            self._step()

        event = None
        try:
            [made] = self.engine.generate([row.request], on_tokens=between)
            event = Event(row, made.token_ids, made.logprobs, generation=made)
        except _Left:
            pass
        except EthogramError as error:
            event = Event(row, error=refused(error))
        except Exception:
            event = Event(row, error=ApiError(500, "the model could not be run"))
            self._close({row.ticket})
            self._deliver([event])
            raise
        self._close({row.ticket})
        if event is not None:
            self._deliver([event])

    def _handle_while_alone(self) -> None:
        if not self._handle(block=False):
            self._inbox.put(None)
            raise _Left

    def _fail_all(self, error: ApiError) -> None:
        rows = [*self._running.values(), *(row for each in self._waiting.values() for row in each)]
        rows += self._alone
        for ticket in self._running:
            self.live.cancel(ticket)
        self._running.clear()
        self._waiting.clear()
        self._alone.clear()
        self._close({row.ticket for row in rows})
        if rows:
            self._deliver([Event(row, error=error) for row in rows])


def as_row(
    loop: EngineLoop,
    request: Request,
    on_event: Callable[[Event], None],
    *,
    alternatives: int = 0,
    group: int = 0,
    token_ids: tuple[int, ...] | None = None,
) -> Row:
    """A row of a request: prepared for the running batch where its decoding can join it.

    Raises:
        EthogramError: the engine refuses the request.
    """
    ticket = new_ticket()
    own = replace(request, identity=ticket, wrapper=None)
    alone = not joins(request)
    job = loop.live.check(own, token_ids) if alone else loop.live.prepare(own, token_ids)
    return Row(request, on_event, job, alone, alternatives, group, ticket)


def new_ticket() -> str:
    """A name that no other row has."""
    return f"row-{next(_tickets)}"


def joins(request: Request) -> bool:
    """Whether a request can join a running batch: one output, one model."""
    decoding = request.decoding
    plain = decoding.resolved_strategy in ("greedy", "sample") and decoding.candidates == 1
    return plain and decoding.guidance_branch is None
