"""The running batch: schedule, forward, sample, postprocess, until all outputs have ended."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ethogram.engine.forward.decode_step import decode_step
from ethogram.engine.forward.passes import ForwardPass, Prefilled
from ethogram.engine.guidance_rows import GuidanceRows
from ethogram.engine.jobs import Job
from ethogram.engine.prefix_cache import PrefixCache
from ethogram.engine.sampler import Sampler
from ethogram.engine.scheduler import BatchConfig, Decode, Prefill, Scheduler, Verify
from ethogram.engine.search.base import Search
from ethogram.engine.search.beam import BeamSearch
from ethogram.engine.search.best_of import candidates
from ethogram.engine.search.contrastive import ContrastiveSearch
from ethogram.engine.sequence import SequenceState
from ethogram.engine.slots import Group, Slots
from ethogram.engine.threads import AdaptiveThreads
from ethogram.engine.work import Work
from ethogram.spec.generation import Generation


@dataclass(frozen=True, slots=True)
class ModelOutput:
    """The result of a forward pass.

    Attributes:
        groups: the groups that take part in the step.
        rows: for each slot of each group, its row of the logits.
        logits: [rows, vocab].
        drafts: draft tokens of the only group; row i + 1 of the logits is for after draft i.
    """

    groups: list[Group]
    rows: list[list[int]]
    logits: Tensor
    drafts: Sequence[int] = ()


@dataclass(slots=True)
class _Prefilling:
    """A prompt that is run in parts, with decode steps between them.

    Attributes:
        jobs: its jobs; what is cancelled is taken out.
        parts: runs the next part.
        started: clock reading, seconds.
        waits: whether the outputs in progress come next.
    """

    jobs: list[Job]
    parts: Generator[int, None, Prefilled]
    started: float
    waits: bool = True


class Batch:
    """Runs jobs to their ends.

    Args:
        forward: the model.
        jobs: what to run.
        config: how.
        tokenizer: the model's.
        clock: seconds.
        work: counts go here.
        guidance: the guidance branches of the outputs.
        threads: chooses the number of threads of each step; None for torch's number.

    Attributes:
        new_tokens: tokens that the last step chose.
    """

    def __init__(
        self,
        forward: ForwardPass,
        jobs: Sequence[Job],
        config: BatchConfig,
        *,
        tokenizer: Any,
        clock: Callable[[], float],
        work: Work,
        guidance: GuidanceRows | None = None,
        threads: AdaptiveThreads | None = None,
    ) -> None:
        self._threads = threads
        self.forward, self.config, self.work = forward, config, work
        self.tokenizer, self.clock = tokenizer, clock
        self.scheduler = Scheduler(jobs, forward.source_capacity, config)
        self.prefix_cache = PrefixCache(forward, work)
        self.slots = Slots(forward.copy, config.merging, forward.reorder, forward.release)
        self._prefilling: _Prefilling | None = None
        self.guidance = guidance or GuidanceRows()
        self.sampler = Sampler(self.guidance, config.alternatives)
        self.new_tokens = 0
        self._unfinished_tokens = 0  # output tokens of outputs in progress
        searches = {_search_class(job) for job in jobs}
        forward.keeps_states = any(found is not None and found.needs_states for found in searches)
        forward.start(0)

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to run."""
        return self.scheduler.is_empty and not len(self.slots) and self._prefilling is None

    @torch.inference_mode()
    def step(self) -> list[Generation]:
        """Start new outputs with their first tokens, or advance all outputs by one token or more.

        Returns:
            The generations that finished.
        """
        scheduled = self._next()
        with self._chosen_threads(scheduled):
            output = self._forward(scheduled)
            self.new_tokens = self._sample(output)
        return self._postprocess(output)

    def _next(self) -> Prefill | Decode | Verify:
        """What this step runs: outputs in progress take turns with prompts that run in parts."""
        prefilling, groups = self._prefilling, list(self.slots.groups())
        if prefilling is None:
            return self.scheduler.schedule(groups)
        if groups and prefilling.waits:
            prefilling.waits = False
            return Decode(groups)
        return Prefill([prefilling.jobs])

    def _chosen_threads(self, scheduled: Prefill | Decode | Verify) -> AbstractContextManager[None]:
        if self._threads is None or not isinstance(scheduled, Decode):
            return nullcontext()
        return self._threads.step(len(self.slots))

    def _forward(self, scheduled: Prefill | Decode | Verify) -> ModelOutput:
        match scheduled:
            case Prefill(jobs):
                return self._prefill(jobs)
            case Verify(group, drafts):
                return self._verify(group, drafts)
            case Decode(groups):
                return self._decode(groups)

    def _prefill(self, jobs_by_prompt: list[list[Job]]) -> ModelOutput:
        """Run new prompts, or a part of them, and copy each into the slots of its outputs."""
        if self.config.static:
            capacity = self.forward.source_capacity(jobs_by_prompt[0][0].prompt_ids)
            self.forward.start(capacity)
        # Several prompts are admitted together only if all of them are short.
        is_long = bool(len(self.slots)) and len(jobs_by_prompt) == 1
        most = self.config.prefill_tokens if is_long else 0
        groups: list[Group] = []
        rows: list[list[int]] = []
        logits: list[Tensor] = []
        for jobs in jobs_by_prompt:
            running = self._prefilling or self._prefilling_of(jobs)
            prompt = _run_parts(running, most)
            self._prefilling = running if prompt is None else None
            if prompt is None:
                return ModelOutput([], [], torch.empty(0))
            for group in self._start(jobs, prompt, running.started):
                for slot in group.rows:
                    self.forward.fill(slot, prompt)
                groups.append(group)
                rows.append([len(logits)] * len(group.rows))
            logits.append(prompt.logits)
        self.guidance.admit(groups)
        return ModelOutput(groups, rows, torch.cat(logits))

    def _prefilling_of(self, jobs: list[Job]) -> _Prefilling:
        started = self.clock()
        return _Prefilling(jobs, self.prefix_cache.prefill_in_parts(jobs[0].read_ids), started)

    def _start(self, jobs: Sequence[Job], prompt: Prefilled, started: float) -> list[Group]:
        """Assign slots to the outputs of one prompt: its searches, then all others."""
        groups: list[Group] = []
        outputs: list[SequenceState] = []
        for job in jobs:
            search_class = _search_class(job)
            if search_class is None:
                outputs += candidates(job, started, self.tokenizer)
                continue
            search = search_class(job, started, self.tokenizer)
            if prompt.states is not None and search.needs_states:
                search.take_states(prompt.states)
            search.start(self.slots)
            groups.append(search)
        return [*groups, *(self.slots.share(outputs) if outputs else ())]

    def _decode(self, groups: list[Group]) -> ModelOutput:
        """Run the last token of every slot; row i of the logits is that of slot i."""
        used = len(self.slots)
        tokens, positions = [0] * used, [0] * used
        for group in groups:
            for slot, token in zip(group.rows, group.last_tokens, strict=True):
                tokens[slot], positions[slot] = token, group.length - 1
        logits, padding, states = decode_step(self.forward, self.config.sizes, tokens, positions)
        self.work.padding += padding
        self.work.steps += 1
        self.work.computed_tokens += used
        self.work.extra_beams += used - len(groups)
        if states is not None:
            for group in groups:
                if group.needs_states:
                    group.take_states(states[torch.tensor(group.rows, device=states.device)])
        self.guidance.advance(groups)
        return ModelOutput(groups, [list(group.rows) for group in groups], logits)

    def _verify(self, group: Group, drafts: Sequence[int]) -> ModelOutput:
        """Run a single output's last token and draft tokens in one step."""
        tokens = [*group.last_tokens, *drafts]
        positions = [group.length - 1 + index for index in range(len(tokens))]
        padding = self.config.sizes.padded(len(tokens)) - len(tokens)
        logits = self.forward.decode(
            # Repeating the last row writes the same values to the same place.
            [*tokens, *tokens[-1:] * padding],
            [*positions, *positions[-1:] * padding],
            first=group.rows[0],
            same_slot=True,
        )
        self.work.padding += padding
        self.work.steps += 1
        return ModelOutput([group], [[0]], logits, drafts)

    def _sample(self, output: ModelOutput) -> int:
        """Choose the next tokens; returns how many."""
        if not output.groups:  # A part of a prompt was run.
            return 0
        if output.drafts:
            return self._accept(output)
        return self.sampler.sample_tokens(output.groups, output.rows, output.logits)

    def _accept(self, output: ModelOutput) -> int:
        """Choose tokens for as long as they are those of the draft, and one more."""
        (group,) = output.groups
        new = 0
        for row, draft in enumerate([*output.drafts, None]):
            new += self.sampler.sample_tokens([group], [[row]], output.logits)
            if group.outputs[0].finish_reason is not None or group.last_tokens != [draft]:
                break
        accepted = new - 1
        self.work.computed_tokens += new
        self.work.accepted_drafts += accepted
        self.work.rejected_drafts += len(output.drafts) - accepted
        return new

    def _postprocess(self, output: ModelOutput) -> list[Generation]:
        """Collect what ended, fork histories that diverged, and let searches continue."""
        self.work.output_tokens += self.new_tokens
        self._unfinished_tokens += self.new_tokens
        now = self.clock()
        finished: list[Generation] = []
        for group in output.groups:
            ended = group.end(now)
            finished += ended.generations
            self.scheduler.free(ended.slots)
            self._unfinished_tokens -= ended.tokens
            self.work.forks += group.settle(self.slots)
        self.guidance.settle()
        return finished

    @torch.inference_mode()
    def cancel(self, identity: str) -> None:
        """Drop an output that waits or runs by itself or in a shared row; its slot is free."""
        if self.scheduler.remove(identity) or self._cancel_prefilling(identity):
            return
        for group in list(self.slots.groups()):
            left = [each for each in group.outputs if each.job.request.identity != identity]
            dropped = [each for each in group.outputs if each not in left]
            if dropped:
                self.scheduler.free(len(dropped))
                self._unfinished_tokens -= sum(output.chosen for output in dropped)
                if not left:
                    self.slots.release(group)
                group.outputs[:] = left

    def _cancel_prefilling(self, identity: str) -> bool:
        """Drop an output whose prompt is being run; returns whether there was one."""
        running = self._prefilling
        for job in running.jobs if running else ():
            if running and job.request.identity == identity:
                running.jobs.remove(job)
                self.scheduler.free(job.slots)
                self._prefilling = running if running.jobs else None
                return True
        return False

    def discard(self) -> None:
        """Count the tokens of outputs in progress as discarded: they will be restarted."""
        self.work.output_tokens -= self._unfinished_tokens
        self.work.discarded_tokens += self._unfinished_tokens
        self._unfinished_tokens = 0


def _run_parts(running: _Prefilling, most: int) -> Prefilled | None:
    """Run parts of a prompt until their tokens reach `most`, 0 for all; None if some are left."""
    tokens = 0
    while not most or tokens < most:
        try:
            tokens += next(running.parts)
        except StopIteration as end:
            prompt: Prefilled = end.value
            return prompt
    running.waits = True
    return None


def _search_class(job: Job) -> type[Search] | None:
    """The search that a job's decoding names, or None where it is greedy or sampled."""
    decoding = job.request.decoding
    if decoding.resolved_strategy == "contrastive":
        return ContrastiveSearch
    return BeamSearch if decoding.resolved_strategy == "beam" else None
