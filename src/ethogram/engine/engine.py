"""Turns requests into generations on a loaded model. Knows admission; leaves the rest to its room.

The map: `prompts` makes requests ready, `forward` runs the model over the slots of `cache` (through
its fused in `fused` where it has one), `slots` says who holds them, `choosing` picks tokens by
`steps` and `noise` or asks a `search` (`beam`, `beam_groups`, `contrastive_search`), `trace` notes
how, `best_of` chooses among outputs, `lookup` guesses tokens, `stopping` says when an output ends,
`batch` moves all rows by one token, `invariance` how many rows that may be, and `allocation` what
slots they take. Where an output's
scores come from two views of its history, `second` says which, `companions` and `layers` have them
at hand, and `contrast` makes one of two.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum, auto
from functools import cached_property

from ethogram.engine.allocation import SlotNeed, allocated_bytes, most_outputs
from ethogram.engine.batch import Batch, Work
from ethogram.engine.forward.batch_invariance import FEW_COUNTS, RowClass, row_class
from ethogram.engine.forward.early_layers import LayeredDecoder
from ethogram.engine.forward.fused import FusedLlama, fuse
from ethogram.engine.forward.passes import DecoderOnly, EncoderDecoder, ServedModel
from ethogram.engine.forward.self_check import check_forward
from ethogram.engine.guidance import GuidanceBranch
from ethogram.engine.guidance_rows import AuxiliaryRows, GuidanceRows
from ethogram.engine.jobs import Job, make_jobs
from ethogram.engine.memory import (
    SLOTS_SHARE,
    available_bytes,
    is_out_of_memory,
    keep_large_blocks,
)
from ethogram.engine.sampling.trace import ALTERNATIVES
from ethogram.errors import ModelError
from ethogram.spec.generation import Generation, Request
from ethogram.spec.views import Layers

#: Outputs in progress by default: enough rows for the matrix products to run at full speed.
MAX_ROWS = 192
#: Rows fed at most when nothing has to be the same in any company.
_ANY_ROWS = RowClass(None, 1024)


class Engine:
    """Generates on one loaded model, many requests at a time.

    Args:
        loaded: the model (`ethogram.models.load`).
        max_rows: most outputs in progress, fewer where half of the free memory holds fewer; a
            search counts once per beam or candidate, and one with more of them than this gets its
            rows all the same.
        deterministic: make each generation the same to the bit alone, in any batch and in any
            order, by feeding only numbers of rows under which the model's matrix products were
            found to give a row equal bits. Without it small batches may be faster, and results
            may differ by rounding.
        merging: let outputs share a row while their histories are equal. It changes no output.
        memory_bytes: most bytes that the slots of outputs in progress may take, or half of the
            free memory where that is less; slots for one output are taken all the same. None
            leaves it at half.
        amateurs: weaker models for contrastive decoding, by the name that `Decoding.amateur` gives
            them; all have the model's tokenizer.
        clock: seconds, for `Generation.seconds`.

    Attributes:
        work: what the last call of `generate` computed so far, and what came of it.
    """

    def __init__(
        self,
        loaded: ServedModel,
        *,
        max_rows: int = MAX_ROWS,
        deterministic: bool = True,
        merging: bool = True,
        memory_bytes: int | None = None,
        amateurs: Mapping[str, ServedModel] | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        if max_rows < 1:
            raise ValueError(f"max_rows is {max_rows}; it must be at least 1")
        if memory_bytes is not None and memory_bytes < 1:
            raise ValueError(f"memory_bytes is {memory_bytes}; it must be at least 1")
        keep_large_blocks()
        self.loaded, self.max_rows, self.deterministic = loaded, max_rows, deterministic
        self.merging, self.memory_bytes = merging, memory_bytes
        self.amateurs = dict(amateurs or {})
        self.work = Work()
        self._clock, self._is_checked = clock, False

    @cached_property
    def fused(self) -> FusedLlama | None:
        """The model's fused fused, if it has one."""
        return fuse(self.loaded.model)

    @cached_property
    def rows(self) -> RowClass:
        """How many rows its decode steps may feed."""
        if self.fused and self.fused.is_row_independent:
            return _ANY_ROWS
        if self.fused and self.deterministic:
            return row_class(self.fused.products)
        return self._row_class(self.loaded)

    @cached_property
    def _plain_rows(self) -> RowClass:
        """The same without the fused, for outputs that look at hidden states."""
        return self._row_class(self.loaded)

    def _row_class(self, loaded: ServedModel) -> RowClass:
        if self.deterministic:
            return row_class(loaded.model.modules())
        # Few numbers of rows are few recordings: see `graphs`.
        return FEW_COUNTS if loaded.model.device.type == "cuda" else _ANY_ROWS

    @cached_property
    def _amateur_rows(self) -> dict[str, RowClass]:
        return {name: self._row_class(amateur) for name, amateur in self.amateurs.items()}

    def generate(
        self,
        requests: Sequence[Request],
        *,
        on_tokens: Callable[[int], None] | None = None,
        trace: bool = False,
        alternatives: int = ALTERNATIVES,
    ) -> Iterator[Generation]:
        """Generate; all requests are checked before the first one runs.

        Args:
            requests: in any order; mixed decodings share the batch, and of equal identities one
                is generated.
            on_tokens: told after each step how many new tokens were chosen (a search
                counts at most one a step). Where the memory does not hold a batch, tokens of
                its unfinished outputs were told and are told again; `work` counts them apart.
            trace: note how each token was chosen, in `Generation.trace`. It changes no output.
            alternatives: how many of the most probable tokens a trace names at each place.

        Returns:
            Generations as they finish.

        Raises:
            RequestError: a prompt does not fit the model's context, or cannot be made, or a
                decoding asks for what the model or its amateur does not have.
            ModelError: the architecture cannot be batched, or memory does not hold one output.
        """
        if alternatives < 1:
            raise ValueError(f"alternatives is {alternatives}; it must be at least 1")
        distinct = list({request.identity: request for request in requests}.values())
        jobs = make_jobs(distinct, self.loaded, self._forward(1), self.amateurs)
        self._check_forward()
        self.work = Work()
        # Held by these mappings alone, which a finished job leaves: memory falls as a run goes.
        apart: dict[_Sight, dict[str, Job]] = {sight: {} for sight in _Sight}
        for job in jobs:
            apart[_sight(job)][job.request.identity] = job
        return self._run_apart(apart, on_tokens, alternatives if trace else 0)

    def _check_forward(self) -> None:
        """Compare decode steps of architectures that are not known with transformers, once."""
        if not self._is_checked:
            for loaded in (self.loaded, *self.amateurs.values()):
                check_forward(loaded)
            self._is_checked = True

    def _run_apart(
        self,
        apart: Mapping[_Sight, dict[str, Job]],
        on_tokens: Callable[[int], None] | None,
        alternatives: int,
    ) -> Iterator[Generation]:
        """Run those that look at hidden states after the others, by transformers' own forward.

        So that the others have the same bits with and without them: a fused shows no states.
        """
        for waiting in apart.values():
            if waiting:
                yield from self._run(waiting, on_tokens, alternatives)

    def _run(
        self, waiting: dict[str, Job], on_tokens: Callable[[int], None] | None, alternatives: int
    ) -> Iterator[Generation]:
        """Run the jobs that wait, by identity; where memory falls short, half as many at a time."""
        needs = self._needs(list(waiting.values()))
        usable = self._usable(list(waiting.values()), needs)
        while waiting:
            batch = None
            try:
                batch = self._batch(list(waiting.values()), needs, usable, alternatives)
                while not batch.is_done:
                    finished = batch.step()
                    if on_tokens is not None:
                        on_tokens(batch.new_tokens)
                    for generation in finished:
                        del waiting[generation.identity]
                        yield generation
            except Exception as error:
                least = max(job.slots for job in waiting.values())
                if not is_out_of_memory(error):
                    raise
                if batch is not None:
                    batch.discard()
                if usable <= least:
                    raise ModelError(
                        "the memory does not hold one output beside the model",
                        hint="choose a smaller model, a shorter prompt, or dtype bfloat16",
                    ) from error
                usable = max(usable // 2, least)

    def _forward(self, slots: int) -> DecoderOnly:
        if self.loaded.is_encoder_decoder:
            return EncoderDecoder(self.loaded, slots)
        return DecoderOnly(self.loaded, slots, self.fused)

    def _own(self, sight: _Sight, slots: int) -> DecoderOnly:
        """What runs the jobs' own rows."""
        if sight is _Sight.LAYERS:
            return LayeredDecoder(self.loaded, slots, self._plain_rows)
        if sight is _Sight.STATES and not self.loaded.is_encoder_decoder:
            return DecoderOnly(self.loaded, slots)
        return self._forward(slots)

    def _second(self, model: str, slots: int) -> DecoderOnly:
        """What runs the rows of second views on one model (`Second.model`)."""
        return DecoderOnly(self.amateurs[model], slots) if model else self._forward(slots)

    def _needs(self, jobs: Sequence[Job]) -> dict[str | None, SlotNeed]:
        """What the jobs need of slots: of their own, by None, and of each model of second views."""
        sight = _sight(jobs[0])
        own = self._own(sight, 1)
        largest = max(
            own.slot_bytes(
                len(job.decoder_prompt) + job.rules.limit, own.source_capacity(job.prompt_ids)
            )
            for job in jobs
        )
        rows = self.rows if sight is _Sight.LOGITS else self._plain_rows
        needs: dict[str | None, SlotNeed] = {
            None: SlotNeed(rows, largest, sum(job.slots for job in jobs))
        }
        for model, lookers in _second_views(jobs).items():
            beside = self._second(model, 1)
            rows = self._amateur_rows[model] if model else self.rows
            largest = max(
                beside.slot_bytes(len(second.prompt_ids) + job.rules.limit, 0)
                for second, job in lookers
            )
            needs[model] = SlotNeed(rows, largest, sum(job.slots for _, job in lookers))
        return needs

    def _usable(self, jobs: Sequence[Job], needs: Mapping[str | None, SlotNeed]) -> int:
        """How many outputs may be in progress: as asked, as memory allows, as there are."""
        least = max(job.slots for job in jobs)
        budget = int(SLOTS_SHARE * available_bytes(self.loaded.model.device))
        if self.memory_bytes is not None:
            budget = min(budget, self.memory_bytes)
        self.work.memory_budget = budget
        room = most_outputs(needs.values(), budget, min(self.max_rows, needs[None].outputs))
        return max(room, least)

    def _batch(
        self,
        jobs: Sequence[Job],
        needs: Mapping[str | None, SlotNeed],
        usable: int,
        alternatives: int,
    ) -> Batch:
        forward = self._own(_sight(jobs[0]), needs[None].slots(usable))
        # The rows of second views: no more than can be in progress at once.
        views = {
            model: AuxiliaryRows(
                self._second(model, need.slots(usable)), need.rows, self.merging, self.work
            )
            for model, need in needs.items()
            if model is not None
        }
        layers = forward if isinstance(forward, LayeredDecoder) else None
        allocated = allocated_bytes(needs.values(), usable)
        self.work.slots_bytes = max(self.work.slots_bytes, allocated)
        return Batch(
            forward,
            jobs,
            tokenizer=self.loaded.tokenizer,
            waves=self.loaded.is_encoder_decoder,
            usable=usable,
            rows=needs[None].rows,
            merging=self.merging,
            clock=self._clock,
            work=self.work,
            companions=GuidanceRows(views, layers),
            alternatives=alternatives,
        )


class _Sight(Enum):
    """What an output sees of its own model: jobs of one sight run together."""

    LOGITS = auto()
    #: The last hidden states, for contrastive search.
    STATES = auto()
    #: Early layers, for DoLa: see `layers`.
    LAYERS = auto()


def _sight(job: Job) -> _Sight:
    if job.second is not None and isinstance(job.second.view, Layers):
        return _Sight.LAYERS
    is_contrastive = job.request.decoding.resolved_strategy == "contrastive"
    return _Sight.STATES if is_contrastive else _Sight.LOGITS


def _second_views(jobs: Sequence[Job]) -> dict[str, list[tuple[GuidanceBranch, Job]]]:
    """Second views with rows of their own, and whose they are, by their model."""
    found: dict[str, list[tuple[GuidanceBranch, Job]]] = {}
    for job in jobs:
        if job.second is not None and job.second.model is not None:
            found.setdefault(job.second.model, []).append((job.second, job))
    return found
