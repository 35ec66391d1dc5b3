"""Selection: how one output was chosen among several candidates, by score or by answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Selection:
    """How a generation was chosen among the candidates of its request.

    Attributes:
        chosen: which candidate it is, from 0; candidate 0 is what plain sampling gives.
        scores: of each candidate: log-probability under the model's own distribution, nats, per
            token, or of the whole output with `best_of_by: total`.
        answers: of each candidate under self-consistency, None where none was found; empty
            under best-of.
        tokens: how many new tokens each candidate has.
    """

    chosen: int
    scores: tuple[float, ...]
    answers: tuple[str | None, ...]
    tokens: tuple[int, ...]

    @property
    def score(self) -> float:
        """The score of the chosen candidate."""
        return self.scores[self.chosen]

    @property
    def votes(self) -> Mapping[str, int]:
        """How many candidates gave each answer, in the order of first occurrence."""
        return Counter(answer for answer in self.answers if answer is not None)

    def to_json(self) -> dict[str, Any]:
        """Plain data, which `from_json` reads back."""
        return {
            "chosen": self.chosen,
            "scores": list(self.scores),
            "answers": list(self.answers),
            "tokens": list(self.tokens),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Selection:
        """Read what `to_json` wrote."""
        scores, answers, tokens = (tuple(data[name]) for name in ("scores", "answers", "tokens"))
        return cls(int(data["chosen"]), scores, answers, tokens)
