"""The running batch: which request holds which slots, and one step of all of them. Makes no text.

Decoder-only models: a finished output's slots go to the next request at once. Encoder-decoder
models run in waves, since T5 has one relative position for the whole batch; a wave holds
prompts of one source capacity, so that a row's attention is the same in any company.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from ethogram.engine.beam import BeamSearch
from ethogram.engine.choosing import choose
from ethogram.engine.forward import DecoderOnly, Prefilled
from ethogram.engine.output import Output
from ethogram.engine.prompts import Job
from ethogram.spec.generation import Generation


class Batch:
    """Runs jobs to their ends.

    Args:
        forward: the model.
        jobs: what to run.
        tokenizer: the model's.
        waves: all rows start together.
        usable: slots that outputs may hold; the others are only fed.
        pad_rows: feed all slots at every step, used or not, so that the number of rows never
            changes a result.
        clock: seconds.
    """

    def __init__(
        self,
        forward: DecoderOnly,
        jobs: Sequence[Job],
        *,
        tokenizer: Any,
        waves: bool,
        usable: int,
        pad_rows: bool,
        clock: Callable[[], float],
    ) -> None:
        self.forward, self.waves, self.pad_rows, self.clock = forward, waves, pad_rows, clock
        self.tokenizer = tokenizer
        self.queue = deque(self._ordered(jobs))
        self.active: list[Output | BeamSearch] = []
        self.free = list(range(usable))
        self.new_tokens = 0
        self._prefilled: tuple[tuple[int, ...], Prefilled] | None = None
        # Of each row admitted in this step: its first logits, each [1, vocab].
        self._first: list[tuple[Tensor, Tensor]] = []
        forward.start(0)

    def _ordered(self, jobs: Sequence[Job]) -> list[Job]:
        """Jobs of one prompt side by side, so that only one prefilled prompt is kept at a time."""
        place: dict[tuple[int, ...], int] = {}
        for job in jobs:
            place.setdefault(job.prompt_ids, len(place))
        return sorted(
            jobs,
            key=lambda job: (self.forward.source_capacity(job.prompt_ids), place[job.prompt_ids]),
        )

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to run."""
        return not self.queue and not self.active

    @torch.inference_mode()
    def step(self) -> list[Generation]:
        """Admit what fits and choose its first tokens, or move all rows by one token.

        Returns:
            The generations that finished.
        """
        fresh = self._admit()
        if fresh:
            logits, log_probs = (torch.cat(part) for part in zip(*self._first, strict=True))
            self._first.clear()
            choose(fresh, logits, log_probs)
            self.active += fresh
            self.new_tokens = len(fresh)
        else:
            self._decode()
            self.new_tokens = len(self.active)
        for output in fresh or self.active:
            if isinstance(output, BeamSearch) and output.finish_reason is None:
                # The last position is not filled yet: its tokens are fed by the next step.
                self.forward.reorder(output.rows, output.parents, output.length - 1)
        return self._finish()

    def _admit(self) -> list[Output | BeamSearch]:
        fresh: list[Output | BeamSearch] = []
        if self.waves and self.active:
            return fresh
        if self.waves and self.queue:
            self.forward.start(self.forward.source_capacity(self.queue[0].prompt_ids))
            capacity = self.forward.source_capacity(self.queue[0].prompt_ids)
        while self.queue and self.queue[0].slots <= len(self.free):
            if self.waves and self.forward.source_capacity(self.queue[0].prompt_ids) != capacity:
                break
            fresh.append(self._start(self.queue.popleft()))
        return fresh

    def _start(self, job: Job) -> Output | BeamSearch:
        started = self.clock()
        prompt = self._prefill(job.prompt_ids)
        slots = [heapq.heappop(self.free) for _ in range(job.slots)]
        for slot in slots:
            self.forward.fill(slot, prompt)
            self._first.append((prompt.logits, prompt.log_probs))
        if job.request.decoding.resolved_strategy == "beam":
            return BeamSearch(job, slots, started, self.tokenizer)
        return Output(job, slots[0], started, self.tokenizer)

    def _prefill(self, prompt_ids: tuple[int, ...]) -> Prefilled:
        if self._prefilled is None or self._prefilled[0] != prompt_ids:
            self._prefilled = (prompt_ids, self.forward.prefill(prompt_ids))
        return self._prefilled[1]

    def _decode(self) -> None:
        used = 1 + max(row for output in self.active for row in output.rows)
        fed = self.forward.rows if self.pad_rows else used
        tokens, positions = [0] * fed, [0] * fed
        rows: list[int] = []
        for output in self.active:
            for row, token in zip(output.rows, output.last_tokens, strict=True):
                tokens[row], positions[row] = token, output.length - 1
            rows += output.rows
        logits = self.forward.decode(tokens, positions)
        if rows != list(range(fed)):
            logits = logits[torch.tensor(rows, device=logits.device)]
        choose(self.active, logits, logits.log_softmax(-1))

    def _finish(self) -> list[Generation]:
        now = self.clock()
        done = [output for output in self.active if output.finish_reason is not None]
        self.active = [output for output in self.active if output.finish_reason is None]
        for output in done:
            for row in output.rows:
                heapq.heappush(self.free, row)
        return [output.generation(now) for output in done]
