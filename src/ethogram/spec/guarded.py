"""Guarded: what the wrapper of a version did to one completion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Action:
    """What one guard did to a reply, or found in it.

    Attributes:
        guard: the wrapper's setting that acted.
        what: in a few words.
        start: offset of the first character that it is about, in the raw completion.
    """

    guard: str
    what: str
    start: int | None = None


@dataclass(frozen=True, slots=True)
class Guarded:
    """The wrapper's part of a generation.

    Attributes:
        raw_text: the completion before any guard cut it.
        raw_finish_reason: how that ended.
        actions: what the guards did, in order.
        confidence: geometric mean probability of the reply's tokens, from 0 to 1; None unless the
            wrapper reports it.
        agreement: share of the candidates that give the reply's answer, from 0 to 1; None unless
            the wrapper reports it and there are several.
        tokens: new tokens generated in all, attempts that were thrown away included.
    """

    raw_text: str
    raw_finish_reason: str
    actions: tuple[Action, ...] = ()
    confidence: float | None = None
    tokens: int = 0
    agreement: float | None = None

    @property
    def flags(self) -> tuple[str, ...]:
        """Names of the guards that acted, each once, in order."""
        return tuple(dict.fromkeys(action.guard for action in self.actions))

    def to_json(self) -> dict[str, Any]:
        """Plain data, which `from_json` reads back."""
        return {
            "raw_text": self.raw_text,
            "raw_finish_reason": self.raw_finish_reason,
            "actions": [[each.guard, each.what, each.start] for each in self.actions],
            "confidence": self.confidence,
            "tokens": self.tokens,
            **({} if self.agreement is None else {"agreement": self.agreement}),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Guarded:
        """Read what `to_json` wrote.

        Raises:
            KeyError, TypeError, ValueError: it is something else.
        """
        confidence, agreement = data["confidence"], data.get("agreement")
        return cls(
            str(data["raw_text"]),
            str(data["raw_finish_reason"]),
            tuple(
                Action(str(guard), str(what), None if start is None else int(start))
                for guard, what, start in data["actions"]
            ),
            None if confidence is None else float(confidence),
            int(data["tokens"]),
            None if agreement is None else float(agreement),
        )
