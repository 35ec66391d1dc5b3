"""Turns requests into generations on a loaded model. Knows admission; leaves the rest to its room.

The map: `prompts` makes requests ready, `forward` runs the model over the slots of `cache` (through
its twin in `fused` where it has one), `slots` says who holds them, `choosing` picks tokens by
`steps`, `noise` and `beam`, `stopping` says when an output ends, `batch` moves all rows by one
token, and `invariance` how many rows that may be.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property

from ethogram.engine.batch import Batch, Work
from ethogram.engine.forward import DecoderOnly, EncoderDecoder, ServedModel
from ethogram.engine.fused import FusedLlama, take_up
from ethogram.engine.invariance import RowClass, row_class
from ethogram.engine.memory import (
    SLOTS_SHARE,
    available_bytes,
    is_out_of_memory,
    keep_large_blocks,
)
from ethogram.engine.prompts import Job, make_jobs
from ethogram.errors import ModelError
from ethogram.spec.generation import Generation, Request

#: Outputs in progress by default: enough rows for the matrix products to run at full speed.
MAX_ROWS = 192
#: Rows fed at most when nothing has to be the same in any company.
_ANY_ROWS = RowClass(None, 1024)


class Engine:
    """Generates on one loaded model, many requests at a time.

    Args:
        loaded: the model (`ethogram.models.load`).
        max_rows: most outputs in progress, fewer where half of the free memory holds fewer; a
            beam search counts once per beam, and one with more beams than this gets its rows all
            the same.
        deterministic: make each generation the same to the bit alone, in any batch and in any
            order, by feeding only numbers of rows under which the model's matrix products were
            found to give a row equal bits. Without it small batches may be faster, and results
            may differ by rounding.
        merging: let outputs share a row while their histories are equal. It changes no output.
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
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        if max_rows < 1:
            raise ValueError(f"max_rows is {max_rows}; it must be at least 1")
        keep_large_blocks()
        self.loaded, self.max_rows, self.deterministic = loaded, max_rows, deterministic
        self.merging = merging
        self.work = Work()
        self._clock = clock

    @cached_property
    def twin(self) -> FusedLlama | None:
        """The model's fused twin, if it has one."""
        return take_up(self.loaded.model)

    @cached_property
    def rows(self) -> RowClass:
        """How many rows its decode steps may feed."""
        if not self.deterministic or (self.twin and self.twin.is_row_independent):
            return _ANY_ROWS
        return row_class(self.twin.products if self.twin else self.loaded.model.modules())

    def generate(
        self,
        requests: Sequence[Request],
        *,
        on_tokens: Callable[[int], None] | None = None,
    ) -> Iterator[Generation]:
        """Generate; all requests are checked before the first one runs.

        Args:
            requests: in any order; mixed decodings share the batch, and of equal identities one
                is generated.
            on_tokens: told after each step how many new tokens were chosen (a beam search
                counts one a step).

        Returns:
            Generations as they finish.

        Raises:
            RequestError: a prompt does not fit the model's context, or cannot be made.
            ModelError: the architecture cannot be batched, or memory does not hold one output.
        """
        distinct = list({request.identity: request for request in requests}.values())
        jobs = make_jobs(distinct, self.loaded, self._forward(1))
        self.work = Work()
        return self._run(jobs, on_tokens)

    def _run(
        self, jobs: Sequence[Job], on_tokens: Callable[[int], None] | None
    ) -> Iterator[Generation]:
        """Run all jobs; where memory falls short, the unfinished ones again and half as many."""
        waiting = {job.request.identity: job for job in jobs}
        usable = self._usable(jobs)
        while waiting:
            try:
                batch = self._batch(list(waiting.values()), usable)
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
                if usable <= least:
                    raise ModelError(
                        "the memory does not hold one output beside the model",
                        mend="choose a smaller model, a shorter prompt, or dtype bfloat16",
                    ) from error
                usable = max(usable // 2, least)

    def _forward(self, slots: int) -> DecoderOnly:
        if self.loaded.is_encoder_decoder:
            return EncoderDecoder(self.loaded, slots)
        return DecoderOnly(self.loaded, slots, self.twin)

    def _usable(self, jobs: Sequence[Job]) -> int:
        """How many outputs may be in progress: as asked, as memory allows, as there are."""
        least = max((job.slots for job in jobs), default=1)
        forward = self._forward(1)
        largest = max(
            (
                forward.slot_bytes(
                    len(job.decoder_prompt) + job.rules.limit,
                    forward.source_capacity(job.prompt_ids),
                )
                for job in jobs
            ),
            default=1,
        )
        room = int(SLOTS_SHARE * available_bytes(forward.device)) // largest
        return min(max(min(self.max_rows, room), least), sum(job.slots for job in jobs))

    def _batch(self, jobs: Sequence[Job], usable: int) -> Batch:
        whole, rest = divmod(usable, self.rows.most)
        slots = whole * self.rows.most + (self.rows.padded(rest) if rest else 0)
        return Batch(
            self._forward(slots),
            jobs,
            tokenizer=self.loaded.tokenizer,
            waves=self.loaded.is_encoder_decoder,
            usable=usable,
            rows=self.rows,
            merging=self.merging,
            clock=self._clock,
            work=self.work,
        )
