"""Live batch: requests join and leave while it runs; each step says which tokens were chosen.

`Engine.generate` knows all its requests beforehand; a server does not. A live batch runs the same
decode steps, so a request has the same bits here as there, whatever runs beside it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ethogram.engine.batch import Batch
from ethogram.engine.engine import Engine
from ethogram.engine.jobs import Job, make_jobs
from ethogram.engine.sampling.trace import TraceRow
from ethogram.engine.scheduler import BatchConfig
from ethogram.engine.sequence import SequenceState
from ethogram.engine.work import Work
from ethogram.errors import PromptTooLongError, RequestError
from ethogram.spec.generation import Generation, Request

#: Prompt tokens that a step may prefill while other rows wait for it: beyond it, the time between
#: their tokens would grow with every client that arrives.
PREFILL_TOKENS = 512
#: Alternatives recorded beside each token while a request asks for some.
ALTERNATIVES = 20

#: Ids and log-probabilities of the most probable tokens at one position, most probable first.
Alternatives = tuple[tuple[int, float], ...]


@dataclass(frozen=True, slots=True)
class Chosen:
    """The tokens of one request that a step chose.

    Attributes:
        identity: of the request.
        token_ids: new ones, in order.
        logprobs: of each, nats, as in `Generation.logprobs`.
        alternatives: beside each, as many as the request asked for; empty if it asked for none.
        generation: the whole output, if it ended.
    """

    identity: str
    token_ids: tuple[int, ...]
    logprobs: tuple[float, ...]
    alternatives: tuple[Alternatives, ...] = ()
    generation: Generation | None = None


class LiveBatch:
    """A running batch that requests join and leave between steps. Not thread-safe.

    Args:
        engine: whose model runs.
        max_rows: most outputs in progress; further requests wait in the order of their arrival.
        max_tokens: most tokens of prompt and output of a request. On Linux a row's part of the KV
            cache takes the memory of what is written there; elsewhere, and on other devices than
            the CPU, it is as long as the longest request so far.
        memory_bytes: most bytes of the KV cache; half of the free memory if None.
        clock: seconds.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        max_rows: int = 64,
        max_tokens: int = 2048,
        memory_bytes: int | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.engine, self.max_rows, self.max_tokens = engine, max_rows, max_tokens
        self.work = Work()
        self._jobs: dict[str, Job] = {}
        self._seen: dict[str, int] = {}
        self._wanted: dict[str, int] = {}
        self.memory_bytes = memory_bytes or engine.memory_budget
        self._reserved = 0  # bytes that the requests in progress take at most
        forward = engine.model_pass(engine.batch_sizes.slots(max_rows))
        forward.reserved = max_tokens
        self._batch = Batch(
            forward,
            [],
            BatchConfig(max_rows, engine.batch_sizes, prefill_tokens=PREFILL_TOKENS),
            tokenizer=engine.loaded.tokenizer,
            clock=clock,
            work=self.work,
            threads=engine.threads_for([engine.batch_sizes]),
        )
        engine.check_forward()

    def __len__(self) -> int:
        """Requests that run or wait."""
        return len(self._jobs)

    @property
    def running(self) -> int:
        """Rows in progress."""
        return len(self._batch.slots)

    def prepare(self, request: Request, token_ids: tuple[int, ...] | None = None) -> Job:
        """Tokenise and check a request, which may be done in another thread.

        Args:
            request: to prepare.
            token_ids: the prompt, where it comes as token ids.

        Raises:
            PromptTooLongError: prompt and output are too long.
            RequestError: it cannot be tokenised, or its decoding follows several
                continuations or a second model, which a live batch does not.
        """
        decoding = request.decoding
        if decoding.resolved_strategy not in ("greedy", "sample") or decoding.candidates > 1:
            raise RequestError(
                f"{decoding.resolved_strategy} with several candidates cannot join a running batch",
                where="decoding",
            )
        if decoding.guidance_branch is not None:
            raise RequestError("guidance cannot join a running batch", where="decoding")
        if self.engine.loaded.is_encoder_decoder:
            raise RequestError(
                "an encoder-decoder model cannot join a running batch", where="model"
            )
        return self.check(request, token_ids)

    def check(self, request: Request, token_ids: tuple[int, ...] | None = None) -> Job:
        """Tokenise and check a request that need not join, as `prepare` does."""
        given = {} if token_ids is None else {request.identity: token_ids}
        forward = self._batch.forward
        [job] = make_jobs(
            [request], self.engine.loaded, forward, self.engine.amateurs, token_ids=given
        )
        needed = len(job.prompt_ids) + job.rules.limit
        if needed > self.max_tokens:
            raise PromptTooLongError(
                f"the prompt has {len(job.prompt_ids)} tokens and asks for {job.rules.limit} more; "
                f"the limit is {self.max_tokens} in all",
                where=f"prompt {request.prompt_id}",
                hint="shorten the prompt or ask for fewer tokens",
            )
        return job

    def _bytes(self, job: Job) -> int:
        """What a request takes of the KV cache at its full length."""
        return self._batch.forward.slot_bytes(len(job.prompt_ids) + job.rules.limit, 0)

    def has_memory(self, job: Job) -> bool:
        """Whether the KV cache holds a request beside those in progress; one alone always fits."""
        return not self._jobs or self._reserved + self._bytes(job) <= self.memory_bytes

    def add(self, job: Job, *, alternatives: int = 0) -> None:
        """Let a prepared request join; it starts as soon as a row is free.

        Args:
            job: the request.
            alternatives: how many of the most probable tokens to tell beside each, at most 20.
        """
        if alternatives:  # Each token's own choice is wanted.
            job = replace(job, known=())
        identity = job.request.identity
        if identity in self._jobs:
            raise ValueError(f"request {identity} is running already")
        self._jobs[identity], self._seen[identity] = job, 0
        self._reserved += self._bytes(job)
        if alternatives:
            self._wanted[identity] = min(alternatives, ALTERNATIVES)
        self._batch.scheduler.add(job)

    def cancel(self, identity: str) -> None:
        """Let a request leave; its row is free for the next step. Unknown ones are ignored."""
        if identity in self._jobs:
            self._forget(identity)
            self._batch.cancel(identity)

    def _forget(self, identity: str) -> None:
        self._reserved -= self._bytes(self._jobs.pop(identity))
        del self._seen[identity]
        self._wanted.pop(identity, None)

    def step(self) -> list[Chosen]:
        """Start waiting requests, or advance all running ones by a token.

        Returns:
            What was chosen for each request that advanced.
        """
        if self._batch.is_done:
            return []
        self._batch.sampler.record(ALTERNATIVES if self._wanted else 0)
        finished = {each.identity: each for each in self._batch.step()}
        chosen = [self._ended(generation) for generation in finished.values()]
        for output in self._outputs():
            identity = output.job.request.identity
            if output.written > self._seen[identity]:
                rows = output.trace_rows[self._seen[identity] :] if identity in self._wanted else ()
                chosen.append(self._chosen(identity, output.token_ids, output.logprobs, rows))
            if identity not in self._wanted:
                output.trace_rows.clear()
        for identity in finished:
            self._forget(identity)
        return chosen

    def _ended(self, generation: Generation) -> Chosen:
        identity, trace = generation.identity, generation.trace
        seen, wanted = self._seen[identity], self._wanted.get(identity, 0)
        chosen = self._chosen(identity, generation.token_ids, generation.logprobs, ())
        generation = replace(generation, trace=None)
        if trace is None or not wanted:
            return replace(chosen, generation=generation)
        alternatives = tuple(
            _pairs(ids[:wanted], logprobs[:wanted])
            for ids, logprobs in zip(
                trace.alternatives[seen:].tolist(),
                trace.alternative_logprobs[seen:].tolist(),
                strict=True,
            )
        )
        return replace(chosen, alternatives=alternatives, generation=generation)

    def _outputs(self) -> list[SequenceState]:
        return [output for group in self._batch.slots.groups() for output in group.outputs]

    def _chosen(
        self,
        identity: str,
        token_ids: tuple[int, ...] | list[int],
        logprobs: tuple[float, ...] | list[float],
        rows: Sequence[TraceRow],
    ) -> Chosen:
        seen, wanted = self._seen[identity], self._wanted.get(identity, 0)
        self._seen[identity] = len(token_ids)
        alternatives = tuple(
            _pairs(
                step.alternatives[row][:wanted].tolist(),
                step.alternative_logprobs[row][:wanted].tolist(),
            )
            for step, row in rows
        )
        return Chosen(identity, tuple(token_ids[seen:]), tuple(logprobs[seen:]), alternatives)


def _pairs(ids: Sequence[int], logprobs: Sequence[float]) -> Alternatives:
    return tuple(zip(ids, logprobs, strict=True))
