"""What every search has in common: an output that holds several slots. Runs no model.

A search is told the scores of all its slots after each step, and says which token each slot feeds
next and which slot each continues.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from torch import Tensor

from ethogram.engine.jobs import Job
from ethogram.engine.sampling.trace import Raw
from ethogram.spec.generation import FinishReason, Generation


class Search(ABC):
    """An output that is sought over several slots.

    Args:
        job: what is written.
        started: clock reading at admission, seconds.
        tokenizer: to watch for stop strings and to make the text.

    Attributes:
        rows: the slots that it is given.
        parents: for each slot, the index into `rows` of the one that it continues.
        chosen: tokens that `push` told of so far.
        finish_reason: why it ended, or None.
    """

    #: Whether it asks for the model's last hidden states.
    needs_states = False

    def __init__(self, job: Job, started: float, tokenizer: Any) -> None:
        self.job, self.started, self.tokenizer = job, started, tokenizer
        self.rows: list[int] = []
        self.parents = list(range(job.slots))
        self.chosen = 0
        self.finish_reason: FinishReason | None = None

    @property
    @abstractmethod
    def length(self) -> int:
        """Positions filled in its slots, once the last tokens have been fed."""

    @property
    def agreed(self) -> int:
        """Positions from the start in which all its slots hold the same."""
        return 0

    @property
    @abstractmethod
    def last_tokens(self) -> list[int]:
        """The token that each of its slots feeds next."""

    def take_states(self, states: Tensor) -> None:
        """Told before `push`, where `needs_states`.

        Args:
            states: [positions, width] of the prompt at first, then [slots, width] of the tokens
                just fed.
        """
        raise NotImplementedError

    @abstractmethod
    def push(self, logits: Tensor, log_probs: Tensor, raw: Raw | None = None) -> int:
        """Go on by one step.

        Args:
            logits: [slots, vocab] fp32, after each slot's history.
            log_probs: their log-softmax.
            raw: the same rows, where the choice is watched.

        Returns:
            How many tokens were chosen: 0 or 1.
        """

    @abstractmethod
    def generation(self, now: float) -> Generation:
        """What was found."""
