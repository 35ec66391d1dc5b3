"""Reply: a completion on its way through the guards."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ethogram.spec.generation import FinishReason, Generation
from ethogram.spec.guarded import Action


@dataclass(frozen=True, slots=True)
class Reply:
    """A completion on its way through the guards.

    Attributes:
        text: the reply so far.
        generation: the completion it comes from.
        actions: what the guards did so far.
        finish_reason: how the reply ended.
    """

    text: str
    generation: Generation
    actions: tuple[Action, ...] = ()
    finish_reason: FinishReason = "unknown"

    @classmethod
    def of(cls, generation: Generation) -> Reply:
        """The reply that is the whole completion."""
        return cls(generation.text, generation, (), generation.finish_reason)

    def cut(self, at: int, guard: str, what: str) -> Reply:
        """The reply cut before a character, white space at its end left out."""
        text = self.text[:at].rstrip()
        action = Action(guard, what, len(text))
        return replace(self, text=text, actions=(*self.actions, action), finish_reason="stop")

    def noted(self, *actions: Action) -> Reply:
        """The reply with further actions, its text unchanged."""
        return replace(self, actions=(*self.actions, *actions))


def agreement(reply: Reply, candidates: Sequence[Reply]) -> float | None:
    """Share of the candidates that give the answer of a reply, from 0 to 1.

    Under self-consistency answers are what the decoding reads as such; otherwise two texts agree
    if they are equal without case, repeated spaces and punctuation at their ends.

    Args:
        reply: that was chosen.
        candidates: all of its request.

    Returns:
        The share, or None where there is only one candidate.
    """
    selection = reply.generation.selection
    if selection is not None and selection.answers:
        answers: Sequence[str | None] = selection.answers
        mine = selection.answers[selection.chosen]
    else:
        answers = [_plain(each.text) for each in candidates]
        mine = _plain(reply.text)
    return sum(each == mine for each in answers) / len(answers) if len(answers) > 1 else None


def _plain(text: str) -> str:
    words = unicodedata.normalize("NFKC", text).casefold().split()
    return " ".join(words).strip(" .,;:!?\"'()[]{}*_`")
