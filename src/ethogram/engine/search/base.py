"""The base of every search: one output that holds several slots.

After each step a search is given the scores of all its slots, and provides the token that each slot
runs next and the slot that each continues.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from torch import Tensor

from ethogram.engine.forced import only
from ethogram.engine.jobs import Job
from ethogram.engine.sampling.trace import Distribution
from ethogram.engine.slots import Collect, Ended, Group, Slots
from ethogram.spec.generation import FinishReason, Generation


class Search(Group):
    """An output that is searched over several slots.

    Args:
        job: the prepared request.
        started: clock reading at admission, seconds.
        tokenizer: to find stop strings and to make the text.

    Attributes:
        parents: for each slot, the index into `rows` of the one that it continues.
        chosen: tokens chosen so far.
        finish_reason: why it ended, or None.
    """

    def __init__(self, job: Job, started: float, tokenizer: Any) -> None:
        self.job, self.started, self.tokenizer = job, started, tokenizer
        self.outputs = []
        self.parents = list(range(job.slots))
        self.chosen = 0
        self.finish_reason: FinishReason | None = None
        self._rows: list[int] = []

    @property
    def rows(self) -> list[int]:
        """Its slots, once it has some."""
        return self._rows

    @property
    def shared_length(self) -> int:
        """Positions from the start that are equal in all its slots."""
        return 0

    def start(self, slots: Slots) -> None:
        """Take its slots."""
        self._rows = slots.assign(self, self.job.slots)

    def move(self, source: int, target: int) -> None:
        """Take slot `target` instead of slot `source`."""
        self._rows[self._rows.index(source)] = target

    def search(self, logits: Tensor, collect: Collect) -> int:
        """Advance by one step; returns how many tokens were chosen, 0 or 1.

        Args:
            logits: [slots, vocab] of its slots in any floating type.
            collect: what a trace needs of them, where one is wanted.
        """
        written = self.length - len(self.job.decoder_prompt)
        scores = only(logits.float(), self.job.forced.at(written))
        log_probs = scores.log_softmax(-1)
        new = self.push(scores, log_probs, collect(scores, log_probs))
        self.chosen += new
        return new

    def end(self, now: float) -> Ended:
        """The output, if it ended."""
        if self.finish_reason is None:
            return Ended([], 0, 0)
        return Ended([self.generation(now)], len(self._rows), self.chosen)

    def settle(self, slots: Slots) -> int:
        """Let every slot continue its parent, or free them all."""
        if self.finish_reason is not None:
            slots.release(self)
        else:
            assert slots.reorder is not None
            slots.reorder(self._rows, self.parents, self.length - 1, self.shared_length)
        return 0

    @abstractmethod
    def push(
        self, logits: Tensor, log_probs: Tensor, distribution: Distribution | None = None
    ) -> int:
        """Advance by one step.

        Args:
            logits: [slots, vocab] fp32, after each slot's history.
            log_probs: their log-softmax.
            distribution: the same rows, where a trace is wanted.

        Returns:
            How many tokens were chosen: 0 or 1.
        """

    @abstractmethod
    def generation(self, now: float) -> Generation:
        """The output that was found, at clock reading `now`, seconds."""
