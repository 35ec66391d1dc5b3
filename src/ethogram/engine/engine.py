"""Generates with one loaded model: requests in, generations out.

`Engine.generate` prepares requests (`jobs`), fits a batch into memory (`allocation`) and steps it
(`batch`) until every output has ended.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from enum import Enum, auto
from functools import cached_property

from ethogram.cores import use_allowed_threads
from ethogram.engine.allocation import BatchNeeds, SlotNeed
from ethogram.engine.batch import Batch
from ethogram.engine.forward.batch_invariance import (
    ANY_SIZE,
    FEW_SIZES,
    BatchSizes,
    invariant_batch_sizes,
)
from ethogram.engine.forward.decoder_only import DecoderOnly
from ethogram.engine.forward.early_layers import LayeredDecoder
from ethogram.engine.forward.encoder_decoder import EncoderDecoder
from ethogram.engine.forward.fused import FusedLlama, fuse
from ethogram.engine.forward.passes import ForwardPass, ServedModel
from ethogram.engine.forward.self_check import check_forward
from ethogram.engine.guidance import BranchModel, GuidanceBranch
from ethogram.engine.guidance_rows import BranchRows, GuidanceRows
from ethogram.engine.jobs import Job, make_jobs, tokenise
from ethogram.engine.memory import (
    SLOTS_SHARE,
    available_bytes,
    is_out_of_memory,
    keep_large_blocks,
)
from ethogram.engine.sampling.trace import ALTERNATIVES
from ethogram.engine.scheduler import BatchConfig
from ethogram.engine.stopping import decode
from ethogram.engine.threads import AdaptiveThreads
from ethogram.engine.work import Work
from ethogram.errors import ModelError
from ethogram.spec.generation import Generation, Request
from ethogram.spec.guidance import EarlyLayers

#: Outputs in progress by default: enough rows for the matrix products to run at full speed.
MAX_ROWS = 192


class Engine:
    """Generates on one loaded model, many requests at a time.

    Args:
        loaded: the model (`ethogram.models.load`).
        max_rows: most outputs in progress; fewer if half of the free memory holds fewer. A search
            counts once per beam or candidate, and one with more of them than this still runs.
        deterministic: decode batch-invariantly: a request produces the same tokens, bit for bit,
            alone, in any batch and in any order. Steps are padded to batch sizes at which the
            model's matrix products were measured to be row-invariant. Without it small batches
            may be faster, and results may differ by rounding.
        merging: let outputs share a row while their histories are equal. It changes no output.
        memory_bytes: most bytes for the KV cache; half of the free memory if that is less or if
            None. Slots for one output are allocated in any case.
        amateurs: weaker models for contrastive decoding, by the name in `contrastive.amateur`; all
            with the model's tokenizer.
        clock: seconds, for `Generation.seconds`.

    Attributes:
        work: what the last call of `generate` computed so far.
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
        use_allowed_threads()
        self.loaded, self.max_rows, self.deterministic = loaded, max_rows, deterministic
        self.merging, self.memory_bytes = merging, memory_bytes
        self.amateurs = dict(amateurs or {})
        self.work = Work()
        self._clock, self._is_checked = clock, False

    @cached_property
    def fused(self) -> FusedLlama | None:
        """The fused form of the model, if it has one."""
        return fuse(self.loaded.model)

    @cached_property
    def batch_sizes(self) -> BatchSizes:
        """Batch sizes of its decode steps."""
        if self.fused and self.fused.is_row_independent:
            return ANY_SIZE
        if self.fused and self.deterministic:
            return invariant_batch_sizes(self.fused.products)
        return self._sizes_of(self.loaded)

    @cached_property
    def _unfused_sizes(self) -> BatchSizes:
        """The same without the fused model, for outputs that read hidden states."""
        return self._sizes_of(self.loaded)

    @cached_property
    def _amateur_sizes(self) -> dict[str, BatchSizes]:
        return {name: self._sizes_of(amateur) for name, amateur in self.amateurs.items()}

    def _sizes_of(self, loaded: ServedModel) -> BatchSizes:
        if self.deterministic:
            return invariant_batch_sizes(loaded.model.modules())
        # Few batch sizes need few CUDA graphs.
        return FEW_SIZES if loaded.model.device.type == "cuda" else ANY_SIZE

    def text(self, token_ids: Sequence[int]) -> str:
        """Text of token ids without special tokens."""
        return decode(self.loaded.tokenizer, token_ids)

    def prompt_tokens(self, request: Request) -> int:
        """Tokens of a request's prompt, special tokens included.

        Raises:
            RequestError: messages meet a model without a chat template, or it refuses them.
        """
        return len(tokenise(request, self.loaded)[1])

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
            requests: in any order. Mixed decodings share the batch; requests of equal identity are
                generated once.
            on_tokens: called after each step with how many new tokens were chosen (a search
                counts at most one a step). If a batch runs out of memory, the tokens of its
                unfinished outputs are reported again; `work` counts them apart.
            trace: record how each token was chosen, in `Generation.trace`. It changes no output.
            alternatives: how many of the most probable tokens a trace records at each position.

        Returns:
            Generations as they finish.

        Raises:
            RequestError: a prompt does not fit the model's context or cannot be tokenised, or the
                model or its amateur cannot run a decoding.
            ModelError: the architecture cannot be batched, or memory is too small for one output.
        """
        if alternatives < 1:
            raise ValueError(f"alternatives is {alternatives}; it must be at least 1")
        distinct = list({request.identity: request for request in requests}.values())
        if trace:  # Each token's own choice is wanted.
            distinct = [replace(request, known_logprobs=()) for request in distinct]
        jobs = make_jobs(distinct, self.loaded, self.model_pass(1), self.amateurs)
        self.check_forward()
        self.work = Work()
        # Only these mappings hold the jobs, and finished ones leave: memory falls during a run.
        waiting: dict[RequiredOutputs, dict[str, Job]] = {kind: {} for kind in RequiredOutputs}
        for job in jobs:
            waiting[_required_outputs(job)][job.request.identity] = job
        return self._run_all(waiting, on_tokens, alternatives if trace else 0)

    def batch_of(self, job: Job) -> Batch:
        """A batch of one job, to be stepped by the caller."""
        self.check_forward()
        self.work = Work()
        needs = self._needs([job])
        return self._batch([job], needs, self._max_outputs([job], needs), 0)

    def check_forward(self) -> None:
        """Compare decode steps of architectures that are not known with transformers, once."""
        if not self._is_checked:
            for loaded in (self.loaded, *self.amateurs.values()):
                check_forward(loaded)
            self._is_checked = True

    def _run_all(
        self,
        waiting: Mapping[RequiredOutputs, dict[str, Job]],
        on_tokens: Callable[[int], None] | None,
        alternatives: int,
    ) -> Iterator[Generation]:
        """Run jobs that read hidden states after the others, by transformers' own forward pass.

        So the others have the same bits with and without them: a fused model shows no states.
        """
        for jobs in waiting.values():
            if jobs:
                yield from self._run(jobs, on_tokens, alternatives)

    def _run(
        self, waiting: dict[str, Job], on_tokens: Callable[[int], None] | None, alternatives: int
    ) -> Iterator[Generation]:
        """Run waiting jobs, by identity; after running out of memory, half as many at a time."""
        needs = self._needs(list(waiting.values()))
        most = self._max_outputs(list(waiting.values()), needs)
        while waiting:
            batch = None
            try:
                batch = self._batch(list(waiting.values()), needs, most, alternatives)
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
                if most <= least:
                    raise ModelError(
                        "out of memory: not enough free memory for a single sequence",
                        hint="choose a smaller model, a shorter prompt, or dtype bfloat16",
                    ) from error
                most = max(most // 2, least)

    def model_pass(self, slots: int) -> ForwardPass:
        """The forward pass of the model where only logits are needed."""
        if self.loaded.is_encoder_decoder:
            return EncoderDecoder(self.loaded, slots)
        return DecoderOnly(self.loaded, slots, self.fused)

    def _job_pass(self, required: RequiredOutputs, slots: int) -> ForwardPass:
        """The forward pass of the jobs' own rows."""
        if required is RequiredOutputs.LAYERS:
            return LayeredDecoder(self.loaded, slots, self._unfused_sizes)
        if required is RequiredOutputs.LAST_STATES and not self.loaded.is_encoder_decoder:
            return DecoderOnly(self.loaded, slots)
        return self.model_pass(slots)

    def _branch_pass(self, model: BranchModel, slots: int) -> ForwardPass:
        """The forward pass of guidance branches on one model."""
        if model.amateur is None:
            return self.model_pass(slots)
        return DecoderOnly(self.amateurs[model.amateur], slots)

    def _needs(self, jobs: Sequence[Job]) -> BatchNeeds:
        """Slots that the jobs need, of their own and for their guidance branches."""
        required = _required_outputs(jobs[0])
        own = self._job_pass(required, 1)
        largest = max(
            own.slot_bytes(
                len(job.decoder_prompt) + job.rules.limit, own.source_capacity(job.prompt_ids)
            )
            for job in jobs
        )
        sizes = self.batch_sizes if required is RequiredOutputs.LOGITS else self._unfused_sizes
        branches: dict[BranchModel, SlotNeed] = {}
        for model, members in _branches_by_model(jobs).items():
            branch_pass = self._branch_pass(model, 1)
            branches[model] = SlotNeed(
                self.batch_sizes if model.amateur is None else self._amateur_sizes[model.amateur],
                max(
                    branch_pass.slot_bytes(len(branch.prompt_ids) + job.rules.limit, 0)
                    for branch, job in members
                ),
                sum(job.slots for _, job in members),
            )
        return BatchNeeds(SlotNeed(sizes, largest, sum(job.slots for job in jobs)), branches)

    @property
    def memory_budget(self) -> int:
        """Bytes that the KV cache may take now."""
        budget = int(SLOTS_SHARE * available_bytes(self.loaded.model.device))
        return budget if self.memory_bytes is None else min(budget, self.memory_bytes)

    def _max_outputs(self, jobs: Sequence[Job], needs: BatchNeeds) -> int:
        """How many outputs may be in progress: `max_rows`, what memory holds, or all jobs."""
        least = max(job.slots for job in jobs)
        budget = self.work.memory_budget = self.memory_budget
        return max(needs.most_outputs(budget, min(self.max_rows, needs.own.outputs)), least)

    def _batch(
        self, jobs: Sequence[Job], needs: BatchNeeds, max_outputs: int, alternatives: int
    ) -> Batch:
        forward = self._job_pass(_required_outputs(jobs[0]), needs.own.slots(max_outputs))
        branches = {
            model: BranchRows(
                self._branch_pass(model, need.slots(max_outputs)),
                need.sizes,
                self.merging,
                self.work,
            )
            for model, need in needs.branches.items()
        }
        layers = forward if isinstance(forward, LayeredDecoder) else None
        allocated = needs.allocated_bytes(max_outputs)
        self.work.slots_bytes = max(self.work.slots_bytes, allocated)
        return Batch(
            forward,
            jobs,
            BatchConfig(
                max_outputs,
                needs.own.sizes,
                static=self.loaded.is_encoder_decoder,
                merging=self.merging,
                alternatives=alternatives,
            ),
            tokenizer=self.loaded.tokenizer,
            clock=self._clock,
            work=self.work,
            guidance=GuidanceRows(branches, layers),
            threads=self.threads_for(need.sizes for need in (needs.own, *needs.branches.values())),
        )

    def threads_for(self, sizes: Iterable[BatchSizes]) -> AdaptiveThreads | None:
        """Chosen step by step only where no bit depends on the number of threads.

        Args:
            sizes: the allowed batch sizes of all models of the batch.
        """
        if self.fused is None or any(size is not ANY_SIZE for size in sizes):
            return None
        return self.fused.threads


class RequiredOutputs(Enum):
    """What a job needs of the model's forward pass; jobs with the same need run together."""

    LOGITS = auto()
    #: The last hidden states, for contrastive search.
    LAST_STATES = auto()
    #: The hidden states of early layers, for DoLa.
    LAYERS = auto()


def _required_outputs(job: Job) -> RequiredOutputs:
    if job.guidance is not None and isinstance(job.guidance.view, EarlyLayers):
        return RequiredOutputs.LAYERS
    is_contrastive = job.request.decoding.resolved_strategy == "contrastive"
    return RequiredOutputs.LAST_STATES if is_contrastive else RequiredOutputs.LOGITS


def _branches_by_model(
    jobs: Sequence[Job],
) -> dict[BranchModel, list[tuple[GuidanceBranch, Job]]]:
    """Guidance branches with rows of their own and their jobs, by the model that they run on."""
    found: dict[BranchModel, list[tuple[GuidanceBranch, Job]]] = {}
    for job in jobs:
        if job.guidance is not None and job.guidance.model is not None:
            found.setdefault(job.guidance.model, []).append((job.guidance, job))
    return found
