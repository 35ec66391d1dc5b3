"""The running batch: one step of all rows, admission and endings. Makes no text.

Decoder-only models: the slots that fall free go to the next requests at once. Encoder-decoder
models run in waves, since T5 has one relative position for the whole batch; a wave holds prompts
of one source capacity, so that a row's attention is the same in any company.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Any

import torch
from torch import Tensor

from ethogram.engine.forward.batch_invariance import RowClass
from ethogram.engine.forward.decode_step import feed
from ethogram.engine.forward.kv_cache import Pairs
from ethogram.engine.forward.passes import DecoderOnly, Prefilled
from ethogram.engine.guidance_rows import GuidanceRows
from ethogram.engine.jobs import Job
from ethogram.engine.prompt_lookup import Lookup
from ethogram.engine.sampler import Sampler
from ethogram.engine.search.base import Search
from ethogram.engine.search.beam import BeamSearch
from ethogram.engine.search.best_of import candidates
from ethogram.engine.search.contrastive import ContrastiveSearch
from ethogram.engine.sequence import SequenceState
from ethogram.engine.slots import Group, SharedGroup, Slots
from ethogram.spec.generation import Generation


@dataclass
class Work:
    """What was computed, and what came of it; delivered and computed tokens are never mixed.

    Attributes:
        delivered: tokens chosen for outputs; a search counts one a step.
        discarded: tokens chosen beside these for outputs that were begun again, since the memory
            did not hold a batch.
        computed: rows that decode steps computed for them: fewer, where histories were merged.
        beams: of these rows, those of the further beams of a beam search.
        padding: rows fed beside them to keep the number of rows in its class.
        steps: decode steps.
        prefills: prompts run.
        prompt_tokens: tokens of these prompts.
        prompt_tokens_computed: those of them that were computed; the others begin the prompt
            before as well, and were taken over.
        forks: times a history was copied because its outputs parted.
        companions: rows computed for second views (guidance, amateurs), a prompt counting as one.
        accepted: of the computed rows, those of guessed tokens that were chosen indeed.
        rejected: rows computed beside them for guesses that were not.
        memory_budget: bytes that the slots of outputs in progress were allowed.
        slots_bytes: most bytes that they take, of that, with the slots that padding needs.
    """

    delivered: int = 0
    discarded: int = 0
    computed: int = 0
    beams: int = 0
    padding: int = 0
    steps: int = 0
    prefills: int = 0
    prompt_tokens: int = 0
    prompt_tokens_computed: int = 0
    forks: int = 0
    companions: int = 0
    accepted: int = 0
    rejected: int = 0
    memory_budget: int = 0
    slots_bytes: int = 0

    @property
    def merged_share(self) -> float:
        """Share of the chosen tokens that no row of their own was computed for."""
        rows, chosen = self.computed - self.beams + self.prefills, self.delivered + self.discarded
        return 1 - rows / chosen if chosen else 0.0


class Batch:
    """Runs jobs to their ends.

    Args:
        forward: the model.
        jobs: what to run.
        tokenizer: the model's.
        waves: all rows start together.
        usable: most outputs in progress; a search counts once per slot.
        rows: how many rows a decode step may feed.
        merging: let equal histories share a row.
        clock: seconds.
        work: counts go here.
        companions: what outputs with a second view look at.
        alternatives: most probable tokens noted beside each one chosen; 0 traces nothing.
    """

    def __init__(
        self,
        forward: DecoderOnly,
        jobs: Sequence[Job],
        *,
        tokenizer: Any,
        waves: bool,
        usable: int,
        rows: RowClass,
        merging: bool,
        clock: Callable[[], float],
        work: Work,
        companions: GuidanceRows | None = None,
        alternatives: int = 0,
    ) -> None:
        self.forward, self.waves, self.rows, self.clock = forward, waves, rows, clock
        self.tokenizer, self.usable, self.work = tokenizer, usable, work
        self.queue = deque(self._ordered(jobs))
        self.slots = Slots(forward.copy, merging)
        self.companions = companions or GuidanceRows()
        self.sampler = Sampler(self.companions, alternatives)
        self.new_tokens = 0
        self._unfinished = 0  # tokens delivered for outputs that run
        self._prefilled: tuple[tuple[int, ...], Prefilled] | None = None
        self._in_progress = 0
        self._lookup: Lookup | None = None
        kinds = {_search_kind(job) for job in jobs}
        forward.keeps_states = any(kind is not None and kind.needs_states for kind in kinds)
        forward.start(0)

    def _ordered(self, jobs: Sequence[Job]) -> list[Job]:
        """Jobs of one prompt side by side, and those of one luck within them.

        So only one prefilled prompt is kept at a time, prompts that begin alike follow each other,
        and outputs that will share a row for long are admitted together.
        """
        luck: dict[int | None, int] = {}
        for job in jobs:
            luck.setdefault(job.request.noise_key, len(luck))
        return sorted(
            jobs,
            key=lambda job: (
                self.forward.source_capacity(job.prompt_ids),
                job.prompt_ids,
                luck[job.request.noise_key],
            ),
        )

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to run."""
        return not self.queue and not len(self.slots)

    @torch.inference_mode()
    def step(self) -> list[Generation]:
        """Admit what fits and choose its first tokens, or move all rows by one token.

        Returns:
            The generations that finished.
        """
        admitted = self._admit()
        if admitted:
            groups, rows, logits = admitted
            self.companions.admit(groups)
        else:
            groups = list(self.slots.groups())
            guesses = self._guess(groups)
            if guesses:
                return self._verify(groups[0], guesses)
            rows = [_rows(group) for group in groups]
            logits = self._decode(groups)
            self.companions.advance(groups)
        self.new_tokens = self.sampler.choose(groups, rows, logits)
        self._deliver()
        return self._settle(groups)

    def _admit(self) -> tuple[list[Group], list[Sequence[int]], Tensor] | None:
        """Start as many jobs as fit.

        Returns:
            Their groups, the rows of each, and the logits of their first tokens [prompts, vocab];
            None if nothing starts.
        """
        if not self.queue or (self.waves and len(self.slots)):
            return None
        capacity = self.forward.source_capacity(self.queue[0].prompt_ids)
        if self.waves:
            self.forward.start(capacity)
        groups: list[Group] = []
        rows: list[Sequence[int]] = []
        first: list[Tensor] = []
        while self._next_fits(capacity):
            prompt_ids = self.queue[0].prompt_ids
            started = self.clock()
            prompt = self._prefill(prompt_ids)
            outputs: list[SequenceState] = []
            while self._next_fits(capacity) and self.queue[0].prompt_ids == prompt_ids:
                job = self.queue.popleft()
                self._in_progress += job.slots
                kind = _search_kind(job)
                if kind is None:
                    outputs += candidates(job, started, self.tokenizer)
                    continue
                search = kind(job, started, self.tokenizer)
                if prompt.states is not None and search.needs_states:
                    search.take_states(prompt.states)
                self.slots.give(search)
                groups.append(search)
                rows.append([len(first)] * job.slots)
                self._fill(search.rows, prompt)
            for shared in self.slots.share(outputs) if outputs else ():
                groups.append(shared)
                rows.append([len(first)])
                self._fill([shared.slot], prompt)
            first.append(prompt.logits)
        return (groups, rows, torch.cat(first)) if groups else None

    def _next_fits(self, capacity: int) -> bool:
        if not self.queue:
            return False
        job = self.queue[0]
        same_wave = not self.waves or self.forward.source_capacity(job.prompt_ids) == capacity
        return same_wave and self._in_progress + job.slots <= self.usable

    def _fill(self, slots: Sequence[int], prompt: Prefilled) -> None:
        for slot in slots:
            self.forward.fill(slot, prompt)

    def _prefill(self, prompt_ids: tuple[int, ...]) -> Prefilled:
        """Read a prompt, from where it parts from the one before."""
        if self._prefilled is None or self._prefilled[0] != prompt_ids:
            begun, length = self._beginning(prompt_ids)
            prompt = self.forward.prefill(prompt_ids, begun)
            if self._prefilled and self.forward.keeps_states:
                prompt = _with_earlier_states(prompt, self._prefilled[1], length)
            self._prefilled = (prompt_ids, prompt)
            self.work.prefills += 1
            self.work.prompt_tokens += len(prompt_ids)
            self.work.prompt_tokens_computed += len(prompt_ids) - length
        return self._prefilled[1]

    def _beginning(self, prompt_ids: tuple[int, ...]) -> tuple[Pairs, int]:
        """Keys and values of the whole blocks that a prompt shares with the one before."""
        block = self.forward.block_of(len(prompt_ids))
        if self._prefilled is None or not block:
            return (), 0
        before, prompt = self._prefilled
        if self.forward.block_of(len(before)) != block:  # Another forward pass read it.
            return (), 0
        same = zip(before, prompt_ids[:-1], strict=False)  # The last token makes the logits.
        common = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], same))
        length = common // block * block
        if not length:
            return (), 0
        return tuple(
            (keys[:, :, :length], values[:, :, :length]) for keys, values in prompt.pairs
        ), length

    def _decode(self, groups: Sequence[Group]) -> Tensor:
        """Feed the last token of every slot; returns [slots, vocab] logits in their order."""
        used = len(self.slots)
        tokens, positions = [0] * used, [0] * used
        for group in groups:
            if isinstance(group, SharedGroup):
                tokens[group.slot], positions[group.slot] = group.last_token, group.length - 1
                continue
            for row, token in zip(group.rows, group.last_tokens, strict=True):
                tokens[row], positions[row] = token, group.length - 1
        fed = feed(self.forward, self.rows, tokens, positions)
        self.work.padding += fed.padding
        self.work.steps += 1
        self.work.computed += used
        self.work.beams += used - len(groups)
        if fed.states is not None:
            _tell_states(groups, fed.states)
        return fed.logits

    def _guess(self, groups: Sequence[Group]) -> list[int]:
        """What a single output may write next, where its decoding asks for guesses.

        With more rows there is no idle machine to check guesses on, and T5 has one relative
        position for all rows of a step.
        """
        group = groups[0]
        if self.waves or len(groups) > 1 or isinstance(group, Search) or len(group.outputs) > 1:
            return []
        (output,) = group.outputs
        if output.job.second or not output.job.request.decoding.prompt_lookup_num_tokens:
            return []
        if self._lookup is None or self._lookup.output is not output:
            self._lookup = Lookup(output)
        return self._lookup.guess(self.rows.most - 1)

    def _verify(self, group: Group, guesses: Sequence[int]) -> list[Generation]:
        """Feed a single output's last token and guesses, and choose as long as they come true."""
        assert isinstance(group, SharedGroup)
        fed = [group.last_token, *guesses]
        places = [group.length - 1 + place for place in range(len(fed))]
        padding = self.rows.padded(len(fed)) - len(fed)
        logits = self.forward.decode(
            # The last row again and again writes the same again and again.
            [*fed, *fed[-1:] * padding],
            [*places, *places[-1:] * padding],
            first=group.slot,
            is_chain=True,
        )
        self.new_tokens = 0
        for row in range(len(fed)):
            self.new_tokens += self.sampler.choose([group], [[row]], logits)
            is_over = group.outputs[0].finish_reason is not None
            if is_over or fed[row + 1 : row + 2] != [group.last_token]:
                break
        accepted = self.new_tokens - 1
        self.work.steps += 1
        self.work.computed += 1 + accepted
        self.work.accepted += accepted
        self.work.rejected += len(guesses) - accepted
        self.work.padding += padding
        self._deliver()
        return self._settle([group])

    def _deliver(self) -> None:
        self.work.delivered += self.new_tokens
        self._unfinished += self.new_tokens

    def discard(self) -> None:
        """Take the tokens of outputs that have not finished back from those delivered."""
        self.work.delivered -= self._unfinished
        self.work.discarded += self._unfinished
        self._unfinished = 0

    def _settle(self, groups: Sequence[Group]) -> list[Generation]:
        """Part histories that differ now, let searches go on, and end what ended."""
        now = self.clock()
        done: list[Generation] = []
        finished = 0
        for group in groups:
            if isinstance(group, Search):
                if group.finish_reason is None:
                    length = group.length - 1
                    self.forward.reorder(group.rows, group.parents, length, group.agreed)
                else:
                    done.append(group.generation(now))
                    finished += group.chosen
                    self._in_progress -= len(group.rows)
                    self.slots.release(group)
                continue
            ended = [output for output in group.outputs if output.finish_reason is not None]
            made = [one for output in ended if (one := output.generation(now)) is not None]
            finished += sum(map(_chosen, made))
            done += made
            self._in_progress -= len(ended)
            self.work.forks += self.slots.part(group)
        self.companions.settle()
        self._unfinished -= finished
        return done


def _chosen(generation: Generation) -> int:
    """Tokens chosen for a finished output, those of all its candidates."""
    selection = generation.selection
    return sum(selection.tokens) if selection else len(generation.token_ids)


def _with_earlier_states(prompt: Prefilled, before: Prefilled, length: int) -> Prefilled:
    """A prompt with the states of the positions that it took over: it ran the others alone."""
    assert prompt.states is not None
    assert before.states is not None
    return replace(prompt, states=torch.cat([before.states[:length], prompt.states]))


def _search_kind(job: Job) -> type[Search] | None:
    """The search that a job's decoding asks for, or None where it is greedy or sampled."""
    decoding = job.request.decoding
    if decoding.resolved_strategy == "contrastive":
        return ContrastiveSearch
    return BeamSearch if decoding.resolved_strategy == "beam" else None


def _tell_states(groups: Sequence[Group], states: Tensor) -> None:
    """Give the searches that want them the last hidden states [slots, width] of their slots."""
    for group in groups:
        if isinstance(group, Search) and group.needs_states:
            group.take_states(states[torch.tensor(group.rows, device=states.device)])


def _rows(group: Group) -> Sequence[int]:
    return [group.slot] if isinstance(group, SharedGroup) else group.rows
