"""Reply: a completion on its way through the guards."""

from __future__ import annotations

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
