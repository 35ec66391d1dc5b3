"""Generating: what the three endpoints that make text do alike, up to the form of their replies."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

from starlette.requests import Request as HttpRequest

from ethogram.serve.bodies import Sampled
from ethogram.serve.catalogue import Served
from ethogram.serve.choices import Choice, Entry, TokenTexts
from ethogram.serve.errors import wrong
from ethogram.serve.guard import LOGGED
from ethogram.serve.service import Running, Service

if TYPE_CHECKING:
    from ethogram.spec.generation import Generation, Message, Request

#: Identities in a header: more would make it too long for some clients.
_MOST_IDENTITIES = 32
#: A choice's index, its new text and entries, and whether it has ended.
Step = tuple[int, str, list[Entry], bool]


class Generating:
    """The outputs of one HTTP request.

    Args:
        request: its counts of tokens go into the line that is logged for it.
        served: the version.
        body: what was asked.
        requests: one for each output.
        dropped: messages of the conversation that the version's history budget left out.
    """

    def __init__(
        self,
        request: HttpRequest,
        served: Served,
        body: Sampled,
        requests: Sequence[Request],
        dropped: int = 0,
    ) -> None:
        self.service: Service = request.app.state.service
        self.served, self.body, self.requests, self.dropped = served, body, requests, dropped
        self._log: dict[str, Any] = request.scope.setdefault(LOGGED, {})
        self._tokens = [0] * len(requests)
        self.started = time.perf_counter()
        self.choices: list[Choice] = []
        self.running: Running | None = None
        self.texts = TokenTexts(self.service.loop_of(served).engine.loaded.tokenizer)

    @classmethod
    async def of_conversation(
        cls, request: HttpRequest, body: Sampled, messages: Sequence[Message]
    ) -> Generating:
        """The outputs that reply to a conversation.

        Raises:
            ApiError: there is no such version, or a parameter is wrong.
            RequestError: the conversation cannot be read, or does not fit.
        """
        service: Service = request.app.state.service
        served = service.catalogue.get(body.model)
        decoding, prompt_id = body.decoding(served.version.decoding), body.metadata.get("prompt_id")
        loop = service.loop_of(served)
        kept, dropped = await asyncio.to_thread(
            served.fit,
            messages,
            decoding,
            count=loop.engine.prompt_tokens,
            most_tokens=loop.max_tokens,
            prompt_id=prompt_id,
        )
        requests = served.chat(kept, decoding, count=body.n, seed=body.seed, prompt_id=prompt_id)
        return cls(request, served, body, requests, dropped)

    @property
    def headers(self) -> dict[str, str]:
        """Of the response: identities of the generations, and how many messages were dropped."""
        found = [request.identity for request in self.requests[:_MOST_IDENTITIES]]
        dropped = {"x-ethogram-dropped-messages": str(self.dropped)} if self.dropped else {}
        return {"x-ethogram-generation": ",".join(found), **dropped}

    async def start(
        self,
        rows: AsyncExitStack,
        *,
        alternatives: int = 0,
        token_ids: Mapping[str, tuple[int, ...]] | None = None,
        keeps_end: bool = False,
    ) -> None:
        """Check and queue the requests.

        Raises:
            ApiError: a request is refused, or the queue is full.
        """
        if self.body.store and self.served.study is None:
            raise wrong("store", "nothing can be stored: no study is served")
        self.running = await rows.enter_async_context(
            self.service.running(
                self.served, self.requests, alternatives=alternatives, token_ids=token_ids
            )
        )
        self.choices = self.running.choices(keeps_end=keeps_end)
        prompts = self.running.prompts[:: self.body.n]
        self._log |= {"model": self.served.name, "prompt_tokens": sum(map(len, prompts))}
        # With the rows and not in `steps`, which is left open when a client leaves between events.
        rows.callback(self._note)

    async def steps(self) -> AsyncIterator[Step]:
        """What each choice gains, until all have ended.

        Raises:
            ApiError: an output failed, or the time is over.
        """
        assert self.running is not None
        metrics = self.service.metrics
        last: dict[int, float] = {}
        async for index, event in self.running.events():
            now = time.perf_counter()
            if not last:
                metrics.first_token.observe(now - self.started)
                self._log["first_token_seconds"] = round(now - self.started, 4)
            if index in last:
                metrics.between_tokens.observe(now - last[index])
            last[index] = now
            text, entries = self.choices[index].push(event)
            self._tokens[index] += len(event.token_ids)
            yield index, text, entries, event.generation is not None
        metrics.seconds.observe(time.perf_counter() - self.started)
        if self.body.store:
            await self.service.store(self.served, self.generations)

    def _note(self) -> None:
        """Count the tokens, those of an output whose client left too."""
        counts = [
            written if choice.generation is None else choice.tokens
            for written, choice in zip(self._tokens, self.choices, strict=True)
        ]
        self._log["output_tokens"] = sum(counts)
        self.service.metrics.prompt_tokens.inc(self._log["prompt_tokens"])
        self.service.metrics.output_tokens.inc(sum(counts))

    async def finish(self) -> None:
        """Wait until all choices have ended."""
        async for _ in self.steps():
            pass

    @property
    def generations(self) -> list[Generation]:
        """The finished outputs."""
        return [choice.generation for choice in self.choices if choice.generation is not None]

    @property
    def prompt_tokens(self) -> int:
        """Tokens of the prompts; one of several outputs counts once."""
        return sum(len(made.prompt_token_ids) for made in self.generations[:: self.body.n])
