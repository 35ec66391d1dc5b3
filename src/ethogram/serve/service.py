"""Service: what the endpoints share: models, limits, and the rows of a request while it runs."""

from __future__ import annotations

import asyncio
import secrets
import threading
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

from ethogram.engine.text_stream import TextStream
from ethogram.errors import EthogramError, RequestError
from ethogram.serve.catalogue import Catalogue, Served
from ethogram.serve.choices import Choice
from ethogram.serve.errors import ApiError, refused, wrong
from ethogram.serve.loop import EngineLoop, Event, Row, as_row, joins
from ethogram.serve.metrics import Metrics
from ethogram.serve.wrapped import Left, Replies
from ethogram.spec.scoring import ENCODER

if TYPE_CHECKING:
    from ethogram.engine import Engine
    from ethogram.models import ModelReference
    from ethogram.models.encoder import SentenceEncoder
    from ethogram.spec.generation import Generation, Request

_groups = count(1)


@dataclass(frozen=True)
class Limits:
    """What a server bears.

    Attributes:
        max_rows: outputs of one model in progress at once.
        max_waiting: outputs that wait beyond these.
        max_tokens: most tokens of prompt and output of a request.
        max_body: bytes of a request.
        timeout: seconds that a request may take.
        grace: seconds that running requests have when the server stops.
    """

    max_rows: int = 64
    max_waiting: int = 256
    max_tokens: int = 2048
    max_body: int = 4_000_000
    timeout: float = 600.0
    grace: float = 30.0


class Service:
    """The served versions, their models and what runs.

    Args:
        catalogue: of the versions.
        engines: of their models.
        limits: what it bears.
        encoder: name of the encoder for embeddings.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        engines: Mapping[ModelReference, Engine],
        limits: Limits | None = None,
        *,
        encoder: str = ENCODER,
    ) -> None:
        self.catalogue, self.limits, self.encoder = catalogue, limits or Limits(), encoder
        self.metrics = Metrics()
        self.created = int(time.time())
        self.is_stopping = False
        self.replies = 0  # wrapped ones in the making
        self._events: asyncio.AbstractEventLoop | None = None
        self._encoder: SentenceEncoder | None = None
        self._encoding = threading.Lock()
        limit = self.limits
        self.loops = {
            reference: EngineLoop(
                engine,
                self._deliver,
                max_rows=limit.max_rows,
                max_waiting=limit.max_waiting,
                max_tokens=min(limit.max_tokens, engine.loaded.context_length),
            )
            for reference, engine in engines.items()
        }
        for reference, loop in self.loops.items():
            self.metrics.watch(_shown(reference), loop)
        # A wrapped request waits in a thread while its attempts run in the batch.
        self.threads = ThreadPoolExecutor(limit.max_rows, "ethogram-reply")

    def start(self) -> None:
        """Start the engines; called in the event loop."""
        self._events = asyncio.get_running_loop()
        for loop in self.loops.values():
            loop.start()

    def refuse_new(self) -> None:
        """Take no further requests."""
        self.is_stopping = True
        for loop in self.loops.values():
            loop.refuse_new()

    def stop(self) -> None:
        """End the engines; what still runs ends with an error."""
        self.refuse_new()
        for loop in self.loops.values():
            loop.stop()
        self.threads.shutdown(wait=False, cancel_futures=True)

    def _deliver(self, events: Sequence[Event]) -> None:
        """In an engine's thread: hand a step's events over, all by one call."""
        assert self._events is not None
        try:
            self._events.call_soon_threadsafe(_dispatch, events)
        except RuntimeError:  # The event loop is closed: nobody is left to tell.
            _dispatch([event for event in events if event.error is not None])

    def loop_of(self, served: Served) -> EngineLoop:
        """The engine that serves a version."""
        return self.loops[served.reference]

    async def in_engine(self, served: Served, work: Any) -> Any:
        """Run something in the engine's thread, between two steps."""
        events = asyncio.get_running_loop()
        future: asyncio.Future[Any] = events.create_future()

        def done(result: Any) -> None:
            events.call_soon_threadsafe(_resolve, future, result)

        self.loop_of(served).call(work, done)
        return await future

    @asynccontextmanager
    async def running(
        self,
        served: Served,
        requests: Sequence[Request],
        *,
        alternatives: int = 0,
        token_ids: Mapping[str, tuple[int, ...]] | None = None,
    ) -> AsyncIterator[Running]:
        """Queue requests and follow them; they are cancelled when the block is left.

        Args:
            served: their version.
            requests: one for each output.
            alternatives: most probable tokens wanted beside each.
            token_ids: prompts that are token ids, by identity of their request.

        Raises:
            ApiError: a request is refused, or the queue is full.
        """
        loop = self.loop_of(served)
        running = Running(self, loop, time.monotonic() + self.limits.timeout)
        if alternatives and not all(joins(each) and each.wrapper is None for each in requests):
            raise wrong("top_logprobs", "top_logprobs cannot be given for this version's decoding")
        if len(requests) > loop.max_rows + loop.max_waiting:
            raise wrong("n", f"{len(requests)} outputs are more than the server takes at once")
        try:
            await asyncio.to_thread(running.prepare, requests, alternatives, token_ids or {})
        except EthogramError as error:
            raise refused(error) from None
        try:
            running.start(self.threads)
            yield running
        finally:
            running.cancel()

    def encode(self, texts: list[str]) -> tuple[Any, int]:
        """Vectors [texts, dimensions] of texts, and how many tokens they have; in a thread.

        Raises:
            ModelError: the encoder is not on this machine.
        """
        from ethogram.models.encoder import load_encoder

        with self._encoding:
            if self._encoder is None:
                self._encoder = load_encoder(self.encoder)
            tokens = sum(len(self._encoder.token_spans(text)) for text in texts)
            return self._encoder.encode(texts), tokens

    async def store(self, served: Served, generations: Sequence[Generation]) -> None:
        """Store generations in the study."""
        study = served.study
        if study is None:
            raise wrong("store", "nothing can be stored: no study is served")
        add = partial(study.store.add, generations, model=served.version.model)
        try:
            await asyncio.to_thread(add)
        except EthogramError:
            raise ApiError(500, "the reply could not be stored") from None


class Running:
    """The rows of one request.

    Args:
        service: which it is part of.
        loop: the engine.
        deadline: of `time.monotonic`.
    """

    def __init__(self, service: Service, loop: EngineLoop, deadline: float) -> None:
        self._service, self._loop, self._deadline = service, loop, deadline
        self._events: asyncio.Queue[Event] = asyncio.Queue()
        self._plain: list[Row] = []
        self._wrapped: list[Row] = []
        self._replies: list[Replies] = []
        self._index: dict[str, int] = {}
        self._rows: list[Row] = []
        self._counted = 0

    def choices(self, *, keeps_end: bool = False) -> list[Choice]:
        """One for each request, to take in its events."""
        tokenizer = self._loop.engine.loaded.tokenizer
        rules = [row.job.rules for row in self._rows]
        return [
            Choice(TextStream(tokenizer, each.stop_strings, each.ending_ids), keeps_end)
            for each in rules
        ]

    @property
    def prompts(self) -> list[tuple[int, ...]]:
        """Token ids of the prompt of each request."""
        return [row.job.prompt_ids for row in self._rows]

    def prepare(
        self,
        requests: Sequence[Request],
        alternatives: int,
        token_ids: Mapping[str, tuple[int, ...]],
    ) -> None:
        """Tokenise and check all; nothing runs yet. In a thread of its own."""
        group = next(_groups)
        for index, request in enumerate(requests):
            ids = token_ids.get(request.identity)
            row = as_row(
                self._loop,
                request,
                self._events.put_nowait,
                alternatives=alternatives,
                group=group,
                token_ids=ids,
            )
            if ids is not None and row.alone:
                raise RequestError("token ids are read by greedy decoding and sampling only")
            (self._plain if request.wrapper is None else self._wrapped).append(row)
            self._rows.append(row)
            self._index[row.ticket] = index

    def start(self, threads: ThreadPoolExecutor) -> None:
        """Queue the rows.

        Raises:
            ApiError: the queue is full, or the server stops.
        """
        if self._service.is_stopping:
            raise ApiError(503, "the server is stopping", retry_after=10)
        if self._wrapped:
            self._loop.check_room(self._service.replies + len(self._wrapped))
        if self._plain:
            self._loop.submit(self._plain)
        self._service.replies += len(self._wrapped)
        self._counted = len(self._wrapped)
        events = asyncio.get_running_loop()
        for row in self._wrapped:
            replies = Replies(self._loop, row.group)
            self._replies.append(replies)
            threads.submit(_reply, replies, row, events)

    def cancel(self) -> None:
        """Let all rows leave that are not finished."""
        self._loop.cancel(self._plain)
        self._service.replies -= self._counted
        self._counted = 0
        for replies in self._replies:
            replies.leave()

    async def events(self) -> AsyncIterator[tuple[int, Event]]:
        """Events until all rows have ended, each with the index of its request.

        Raises:
            ApiError: a row failed, or the time is over.
        """
        left = len(self._plain) + len(self._wrapped)
        seconds = self._deadline - time.monotonic()
        if seconds <= 0:
            raise self._late()
        # One timer for the request: one for each token of each row would cost as much as sending.
        late = asyncio.get_running_loop().call_later(seconds, self._end_late)
        try:
            while left:
                event = await self._events.get()
                if event.error is not None:
                    raise event.error
                left -= event.generation is not None
                yield self._index[event.row.ticket], event
        finally:
            late.cancel()

    def _end_late(self) -> None:
        self._events.put_nowait(Event(self._rows[0], error=self._late()))

    def _late(self) -> ApiError:
        seconds = self._service.limits.timeout
        return ApiError(
            408,
            f"the request took longer than {seconds:g} seconds",
            code="timeout",
            headers={"x-should-retry": "false"},
        )


def _reply(replies: Replies, row: Row, events: asyncio.AbstractEventLoop) -> None:
    """In a thread: make a wrapped reply and hand it over as one event."""
    try:
        made = replies.make(row.request)
        event = Event(row, generation=made)
    except Left:
        return
    except ApiError as error:
        event = Event(row, error=error)
    except EthogramError as error:
        event = Event(row, error=refused(error))
    except Exception:
        event = Event(row, error=ApiError(500, "the reply could not be made"))
    if not events.is_closed():
        events.call_soon_threadsafe(row.on_event, event)


def _dispatch(events: Sequence[Event]) -> None:
    for event in events:
        event.row.on_event(event)


def _resolve(future: asyncio.Future[Any], result: Any) -> None:
    if future.cancelled():
        return
    if isinstance(result, Exception):
        future.set_exception(result)
    else:
        future.set_result(result)


def _shown(reference: ModelReference) -> str:
    """A model's name without the folder that it is in."""
    return reference.model.rstrip("/").rpartition("/")[2]


def new_id(kind: str) -> str:
    """An id of a reply."""
    return f"{kind}-{secrets.token_hex(12)}"
