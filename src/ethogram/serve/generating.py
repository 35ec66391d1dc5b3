"""Generating: what the three endpoints that make text do alike, up to the form of their replies."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from ethogram.serve.bodies import Sampled
from ethogram.serve.catalogue import Served
from ethogram.serve.choices import Choice, Entry, TokenTexts
from ethogram.serve.errors import wrong
from ethogram.serve.service import Running, Service

if TYPE_CHECKING:
    from ethogram.spec.generation import Generation, Request

#: A choice's index, its new text and entries, and whether it has ended.
Step = tuple[int, str, list[Entry], bool]


class Generating:
    """The outputs of one HTTP request.

    Args:
        service: shared.
        served: the version.
        body: what was asked.
        requests: one for each output.
        prompts: how many outputs each prompt has.
    """

    def __init__(
        self, service: Service, served: Served, body: Sampled, requests: Sequence[Request]
    ) -> None:
        self.service, self.served, self.body, self.requests = service, served, body, requests
        self.started = time.perf_counter()
        self.choices: list[Choice] = []
        self.running: Running | None = None
        self.texts = TokenTexts(service.loop_of(served).engine.loaded.tokenizer)

    @property
    def identities(self) -> list[str]:
        """Of the generations."""
        return [request.identity for request in self.requests]

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

    async def steps(self) -> AsyncIterator[Step]:
        """What each choice gains, until all have ended.

        Raises:
            ApiError: an output failed, or the time is over.
        """
        assert self.running is not None
        metrics, first = self.service.metrics, True
        async for index, event in self.running.events():
            if first:
                metrics.first_token.observe(time.perf_counter() - self.started)
                first = False
            text, entries = self.choices[index].push(event)
            yield index, text, entries, event.generation is not None
        metrics.seconds.observe(time.perf_counter() - self.started)
        metrics.prompt_tokens.inc(self.prompt_tokens)
        metrics.output_tokens.inc(sum(choice.tokens for choice in self.choices))
        if self.body.store:
            await self.service.store(self.served, self.generations)

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
