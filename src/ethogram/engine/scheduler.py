"""Schedules a batch: which jobs start, and what its next step runs.

Decoder-only models are batched continuously: slots that fall free go to the next jobs at once.
Encoder-decoder models run in static batches, since T5 has one relative position for the whole
batch; a static batch holds prompts of one source capacity, so that a row's attention does not
depend on the others.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ethogram.engine.forward.batch_invariance import BatchSizes
from ethogram.engine.jobs import Job
from ethogram.engine.prompt_lookup import PromptLookup
from ethogram.engine.slots import Group

#: Given tokens that one step runs at most: enough for matrix products at full speed.
MOST_GIVEN = 64


@dataclass(frozen=True, slots=True)
class BatchConfig:
    """How a batch runs.

    Attributes:
        max_outputs: most outputs in progress; a search counts once per slot.
        sizes: batch sizes of a decode step.
        static: all rows start together, and the next ones when all have ended.
        merging: let equal histories share a row.
        alternatives: most probable tokens recorded beside each one chosen; 0 traces nothing.
        prefill_tokens: most prompt tokens of a step while outputs are in progress; 0 is no limit.
    """

    max_outputs: int
    sizes: BatchSizes
    static: bool = False
    merging: bool = True
    alternatives: int = 0
    prefill_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Prefill:
    """Run the prompts of new jobs.

    Attributes:
        jobs: those of each prompt.
    """

    jobs: list[list[Job]]


@dataclass(frozen=True, slots=True)
class Decode:
    """Run the last token of every slot.

    Attributes:
        groups: all groups in progress.
    """

    groups: list[Group]


@dataclass(frozen=True, slots=True)
class Verify:
    """Run the last token and the draft tokens of the only output.

    Attributes:
        group: the group of the output.
        drafts: tokens that may follow; at least one.
    """

    group: Group
    drafts: list[int]


class Scheduler:
    """The queue of a batch.

    Args:
        jobs: what to run.
        source_capacity: positions that a prompt takes in cross attention.
        config: how the batch runs.
    """

    def __init__(
        self,
        jobs: Sequence[Job],
        source_capacity: Callable[[Sequence[int]], int],
        config: BatchConfig,
    ) -> None:
        self._source_capacity, self._config = source_capacity, config
        self._queue = deque(self._ordered(jobs))
        self._in_progress = 0
        self._prefilled = False
        self._lookup: PromptLookup | None = None

    def _ordered(self, jobs: Sequence[Job]) -> list[Job]:
        """Sort by prompt, then by noise key.

        So one prefilled prompt is kept at a time, prompts with a common prefix follow each other,
        and outputs that will share a row for long are admitted together.
        """
        key_order: dict[int | None, int] = {}
        for job in jobs:
            key_order.setdefault(job.request.noise_key, len(key_order))
        return sorted(
            jobs,
            key=lambda job: (
                self._source_capacity(job.prompt_ids),
                job.read_ids,
                key_order[job.request.noise_key],
            ),
        )

    def add(self, job: Job) -> None:
        """Queue a job behind those that wait."""
        self._queue.append(job)

    def remove(self, identity: str) -> bool:
        """Take a waiting job out of the queue; returns whether it was there."""
        waiting = [job for job in self._queue if job.request.identity != identity]
        found = len(waiting) < len(self._queue)
        self._queue = deque(waiting)
        return found

    @property
    def is_empty(self) -> bool:
        """Whether no job waits."""
        return not self._queue

    def schedule(self, running: Iterable[Group]) -> Prefill | Decode | Verify:
        """What the next step runs: new prompts first, then draft tokens, else one token each.

        Args:
            running: the groups in progress.
        """
        groups = list(running)
        if not (self._config.static and groups) and not self._must_decode(groups):
            admitted = self._admit(self._config.prefill_tokens if groups else 0)
            self._prefilled = bool(admitted)
            if admitted:
                return Prefill(admitted)
        self._prefilled = False
        drafts = self._draft(groups)
        return Verify(groups[0], drafts) if drafts else Decode(groups)

    def free(self, slots: int) -> None:
        """Outputs ended, and so many fewer are in progress."""
        self._in_progress -= slots

    def _must_decode(self, groups: Sequence[Group]) -> bool:
        """Whether outputs in progress get a step of their own between two prefills."""
        return bool(self._config.prefill_tokens and groups and self._prefilled)

    def _admit(self, most_tokens: int) -> list[list[Job]]:
        """Take as many jobs from the queue as fit, by prompt.

        Args:
            most_tokens: prompt tokens after which no further prompt is taken; 0 is no limit.
        """
        admitted: list[list[Job]] = []
        if not self._queue:
            return admitted
        capacity = self._source_capacity(self._queue[0].prompt_ids)
        tokens = 0
        while self._next_fits(capacity):
            job = self._queue[0]
            is_new = not admitted or admitted[-1][0].read_ids != job.read_ids
            tokens += len(job.read_ids) if is_new else 0
            if most_tokens and admitted and tokens > most_tokens:
                break
            self._queue.popleft()
            self._in_progress += job.slots
            if is_new:
                admitted.append([job])
            else:
                admitted[-1].append(job)
        return admitted

    def _next_fits(self, capacity: int) -> bool:
        if not self._queue:
            return False
        job = self._queue[0]
        static = self._config.static
        same_batch = not static or self._source_capacity(job.prompt_ids) == capacity
        return same_batch and self._in_progress + job.slots <= self._config.max_outputs

    def _draft(self, groups: Sequence[Group]) -> list[int]:
        """Draft tokens of a single output: those given, or where its decoding asks for lookup.

        With more rows the machine has no idle time to verify drafts in, and T5 has one relative
        position for all rows of a step.
        """
        if self._config.static or len(groups) != 1 or len(groups[0].outputs) != 1:
            return []
        (output,) = groups[0].outputs
        if output.job.guidance:
            return []
        given = output.job.forced.given[output.written : output.job.rules.limit - 1]
        if given:
            return list(given[: min(MOST_GIVEN, self._config.sizes.largest) - 1])
        if not output.job.request.decoding.prompt_lookup_num_tokens:
            return []
        if self._lookup is None or self._lookup.output is not output:
            self._lookup = PromptLookup(output)
        return self._lookup.propose(self._config.sizes.largest - 1)
