"""Wrapped backend: generates by another backend, and makes a guarded reply of each completion.

Completions that need another pass (a loop to break, a retry) join the next round, so that every
round is one batch.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import add
from typing import TYPE_CHECKING

from ethogram.errors import RequestError
from ethogram.spec.decoding import Decoding
from ethogram.spec.generation import Generation, Request
from ethogram.spec.guarded import Action, Guarded
from ethogram.spec.identity import digest, noise_key
from ethogram.spec.wrapper import Wrapper
from ethogram.wrap.attempt import Attempt, Decode
from ethogram.wrap.reply import agreement
from ethogram.wrap.turns import next_turn_stops

if TYPE_CHECKING:
    from ethogram.backends import Backend
    from ethogram.engine import Work


@dataclass(slots=True)
class _Wrapped:
    """A wrapped request with its candidates."""

    request: Request
    wrapper: Wrapper
    candidates: list[Attempt]
    retry: Attempt | None = None

    @property
    def pending(self) -> list[Attempt]:
        attempts = [*self.candidates, *([self.retry] if self.retry else [])]
        return [attempt for attempt in attempts if attempt.reply is None]

    @property
    def best(self) -> Attempt:
        return min(self.candidates, key=lambda attempt: attempt.rank)

    def needs_retry(self) -> bool:
        """Whether every candidate is finished and the best has a fault that a retry answers."""
        if self.pending or self.retry is not None or self.wrapper.retry is None:
            return False
        return bool(set(self.best.faults) & set(self.wrapper.retry.when))


class WrappedBackend:
    """A backend that serves requests with a wrapper, by one that serves plain requests.

    Args:
        inner: generates completions.
        decode: text of token ids, for the confidence of a reply that was cut.
    """

    def __init__(self, inner: Backend, decode: Decode | None = None) -> None:
        self._inner, self._decode = inner, decode
        self._rounds: list[Work] = []

    @property
    def work(self) -> Work:
        """What the last call of `generate` computed so far."""
        return reduce(add, self._rounds, self._inner.work)

    def generate(
        self,
        requests: Sequence[Request],
        *,
        on_tokens: Callable[[int], None] | None = None,
        trace: bool = False,
    ) -> Iterator[Generation]:
        """Generate plain and wrapped requests; see `Backend.generate`."""
        distinct = {request.identity: request for request in requests}.values()
        plain = [request for request in distinct if request.wrapper is None]
        wrapped = [_start(request) for request in distinct if request.wrapper is not None]
        self._rounds = []

        def run(batch: Sequence[Request]) -> Iterator[Generation]:
            return self._inner.generate(batch, on_tokens=on_tokens, trace=trace)

        pending = _pending(wrapped)
        try:
            # At once, since it refuses requests before the first one runs.
            first = run([*plain, *(attempt.request for attempt in pending.values())])
        except RequestError as error:
            error.request = _wrapped_identity(error.request, wrapped)
            raise
        return self._all_rounds(wrapped, first, run)

    def _all_rounds(
        self,
        wrapped: list[_Wrapped],
        made: Iterator[Generation],
        run: Callable[[Sequence[Request]], Iterator[Generation]],
    ) -> Iterator[Generation]:
        done: list[Work] = []
        while True:
            pending = _pending(wrapped)
            for generation in made:
                if generation.identity in pending:
                    pending[generation.identity].take(generation)
                else:
                    yield generation
            done.append(self._inner.work)
            going = []
            for each in wrapped:
                if each.needs_retry():
                    each.retry = _second_try(each)
                if each.pending:
                    going.append(each)
                else:
                    yield self._finished(each)
            if not going:
                return
            wrapped = going
            self._rounds = list(done)  # `inner.work` is that of the running round.
            made = run([attempt.request for attempt in _pending(wrapped).values()])

    def _finished(self, wrapped: _Wrapped) -> Generation:
        chosen = wrapped.best
        actions: list[Action] = []
        if len(wrapped.candidates) > 1:
            place = wrapped.candidates.index(chosen)
            actions.append(Action("candidates", f"chose {place + 1} of {len(wrapped.candidates)}"))
        retry = wrapped.retry
        if retry is not None:
            better = retry.rank[0] < chosen.rank[0]
            actions.append(Action("retry", "took a second try" if better else "kept the first try"))
            chosen = retry if better else chosen
        reply, raw = chosen.reply, chosen.raw
        assert reply is not None
        assert raw is not None
        tried = [*wrapped.candidates, *([retry] if retry else [])]
        guarded = Guarded(
            raw_text=raw.text,
            raw_finish_reason=raw.finish_reason,
            actions=(*reply.actions, *actions),
            confidence=self._confidence(reply.generation, reply.text, wrapped.wrapper),
            agreement=agreement(
                reply, [each.reply for each in wrapped.candidates if each.reply is not None]
            )
            if wrapped.wrapper.confidence
            else None,
            tokens=sum(attempt.tokens for attempt in tried),
        )
        return replace(
            reply.generation,
            identity=wrapped.request.identity,
            text=reply.text,
            finish_reason=reply.finish_reason,
            guarded=guarded,
        )

    def _confidence(self, generation: Generation, text: str, wrapper: Wrapper) -> float | None:
        """Geometric mean probability of the tokens that make the reply's text."""
        if not wrapper.confidence or not generation.logprobs:
            return None
        count = len(generation.logprobs)
        if self._decode is not None and len(text) < len(generation.text):
            low, high = 1, count
            while low < high:  # The fewest tokens whose text reaches the end of the reply.
                middle = (low + high) // 2
                if len(self._decode(generation.token_ids[:middle])) < len(text):
                    low = middle + 1
                else:
                    high = middle
            count = low
        return math.exp(sum(generation.logprobs[:count]) / count)


def _pending(wrapped: Sequence[_Wrapped]) -> dict[str, Attempt]:
    """Attempts that wait for a completion, by the identity of their request."""
    return {attempt.request.identity: attempt for each in wrapped for attempt in each.pending}


def _wrapped_identity(identity: str | None, wrapped: Sequence[_Wrapped]) -> str | None:
    """The identity of the wrapped request that a plain one belongs to."""
    owners = {
        attempt.request.identity: each.request.identity
        for each in wrapped
        for attempt in each.pending
    }
    return owners.get(identity or "", identity)


def _start(request: Request) -> _Wrapped:
    wrapper = request.wrapper
    assert wrapper is not None
    decoding = request.decoding
    if wrapper.stop_at_next_turn:
        stops = next_turn_stops(request.prompt)
        decoding = decoding.model_copy(update={"stop": tuple({*decoding.stop, *stops})})
    many = wrapper.candidates if decoding.is_stochastic else 1
    candidates = [Attempt(wrapper, _plain(request, decoding, "candidate", i)) for i in range(many)]
    return _Wrapped(request, wrapper, candidates)


def _second_try(wrapped: _Wrapped) -> Attempt:
    """The retry of a request: other settings, and the next random numbers."""
    first, retry = wrapped.candidates[0].request, wrapped.wrapper.retry
    assert retry is not None
    start = _start(wrapped.request).candidates[0].request
    decoding = Decoding.model_validate({**start.decoding.model_dump(), **retry.decoding})
    request = replace(wrapped.request, noise_key=first.noise_key)
    return Attempt(wrapped.wrapper, _plain(request, decoding, "retry", 1))


def _plain(request: Request, decoding: Decoding, kind: str, index: int) -> Request:
    """A request without the wrapper; the first candidate has the random numbers of the request."""
    key, wrapper = request.noise_key, request.wrapper
    if decoding.is_stochastic and (index or key is None):
        key = (
            noise_key(request.identity, kind, index) if key is None else noise_key(key, kind, index)
        )
    return replace(
        request,
        identity=digest([request.identity, kind, index]),
        decoding=decoding,
        noise_key=key if decoding.is_stochastic else None,
        stop_at_loop=None if wrapper is None or decoding.ends_by_form else wrapper.loop_breaker,
        wrapper=None,
    )
