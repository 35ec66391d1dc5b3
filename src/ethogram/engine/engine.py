"""Turns requests into generations on a loaded model. Knows admission; leaves the rest to its room.

The map: `prompts` makes requests ready, `forward` runs the model over the slots of `cache`,
`choosing` picks tokens by `steps`, `noise` and `beam`, `stopping` says when an output ends, and
`batch` moves all rows by one token.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

from ethogram.engine.batch import Batch
from ethogram.engine.forward import DecoderOnly, EncoderDecoder, ServedModel
from ethogram.engine.memory import keep_large_blocks
from ethogram.engine.prompts import Job, make_jobs
from ethogram.spec.generation import Generation, Request

#: Rows of every decode step in deterministic mode. With at least 64 rows torch's CPU matrix
#: products were measured to give each row the same bits whatever the other rows hold; with fewer
#: they choose another blocking.
CONSTANT_ROWS = 64


class Engine:
    """Generates on one loaded model, many requests at a time.

    Args:
        loaded: the model (`ethogram.models.load`).
        max_rows: most outputs in progress; a beam search counts once per beam, and one with more
            beams than this gets its rows all the same.
        deterministic: make each generation the same to the bit alone, in any batch and in any
            order, by always feeding a constant number of rows. Without it small batches are
            faster, and results may differ by rounding.
        clock: seconds, for `Generation.seconds`.
    """

    def __init__(
        self,
        loaded: ServedModel,
        *,
        max_rows: int = CONSTANT_ROWS,
        deterministic: bool = True,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        if max_rows < 1:
            raise ValueError(f"max_rows is {max_rows}; it must be at least 1")
        keep_large_blocks()
        self.loaded, self.max_rows, self.deterministic = loaded, max_rows, deterministic
        self._clock = clock

    def generate(
        self,
        requests: Sequence[Request],
        *,
        on_tokens: Callable[[int], None] | None = None,
    ) -> Iterator[Generation]:
        """Generate; all requests are checked before the first one runs.

        Args:
            requests: in any order; mixed decodings share the batch.
            on_tokens: told after each step how many new tokens were chosen (a beam search
                counts one a step).

        Returns:
            Generations as they finish.

        Raises:
            RequestError: a prompt does not fit the model's context, or cannot be made.
            ModelError: the architecture cannot be batched.
        """
        make = EncoderDecoder if self.loaded.is_encoder_decoder else DecoderOnly
        probe = make(self.loaded, 1)
        jobs = make_jobs(requests, self.loaded, probe)
        usable = max([self.max_rows, *(job.slots for job in jobs)])
        rows = max(usable, CONSTANT_ROWS) if self.deterministic else usable
        return self._run(make(self.loaded, rows), jobs, usable, on_tokens)

    def _run(
        self,
        forward: DecoderOnly,
        jobs: Sequence[Job],
        usable: int,
        on_tokens: Callable[[int], None] | None,
    ) -> Iterator[Generation]:
        batch = Batch(
            forward,
            jobs,
            tokenizer=self.loaded.tokenizer,
            waves=self.loaded.is_encoder_decoder,
            usable=usable,
            pad_rows=self.deterministic,
            clock=self._clock,
        )
        while not batch.is_done:
            finished = batch.step()
            if on_tokens is not None:
                on_tokens(batch.new_tokens)
            yield from finished
