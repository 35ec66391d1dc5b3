"""Pairwise judgement: two versions by a judge that compared their outputs, with intervals."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np

from ethogram.metrics import Metric, Output
from ethogram.metrics.base import ratio
from ethogram.stats import LengthControlled, PairedTest, length_controlled, paired
from ethogram.stats.interval import Interval
from ethogram.study.difference import LEVEL, SEED
from ethogram.study.judging.prompts import JudgePrompt, Winner

#: Which outputs of a prompt are compared: `equal`, matched samples (the same sample index), or
#: `shifted`, unmatched samples (each with the other version's next index).
Pairing = Literal["equal", "shifted"]
#: Above this share of replies that could not be read, the result is marked.
MOST_UNPARSED = 0.05


@dataclass(frozen=True, slots=True)
class Cost:
    """What the verdicts of a report took.

    Attributes:
        verdicts: replies that the report rests on.
        asked: those of them that were asked for now; the others were stored.
        prompt_tokens: of all of them, as the endpoint counted.
        completion_tokens: likewise.
    """

    verdicts: int
    asked: int
    prompt_tokens: int
    completion_tokens: int

    def to_json(self) -> dict[str, int]:
        """Plain data."""
        return {
            "verdicts": self.verdicts,
            "asked": self.asked,
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
        }


@dataclass(frozen=True, slots=True)
class JudgedPair:
    """Two outputs of one prompt and what the judge said of them in both orders.

    Attributes:
        before: output of the first version.
        after: output of the second.
        forward: the winner by position with `before` shown first; None if the reply could not be
            read.
        backward: the same with `after` shown first.
        replies: the judge's own words in both orders, untrusted; empty where the outputs are the
            same text, which nobody was asked about.
    """

    before: Output
    after: Output
    forward: Winner | None
    backward: Winner | None
    replies: tuple[str, ...]

    @property
    def identical(self) -> bool:
        """Whether both outputs are the same text: a tie, without asking."""
        return not self.replies

    @property
    def parsed(self) -> bool:
        """Whether both replies could be read."""
        return self.forward is not None and self.backward is not None

    @property
    def consistent(self) -> bool:
        """Whether both orders gave the same verdict."""
        swapped: dict[Winner, Winner] = {"first": "second", "second": "first", "tie": "tie"}
        return self.parsed and swapped[self.backward or "tie"] == self.forward

    @property
    def outcome(self) -> Literal["before", "after", "tie"]:
        """The winner if both orders agree on one, otherwise a tie (Zheng et al. 2023)."""
        if self.identical or not self.consistent or self.forward == "tie":
            return "tie"
        return "before" if self.forward == "first" else "after"

    @property
    def score(self) -> float:
        """1 if the second version wins, 0 if it loses, 0.5 for a tie."""
        return {"before": 0.0, "tie": 0.5, "after": 1.0}[self.outcome]


@dataclass(frozen=True)
class Agreement:
    """How a metric goes with a judge's verdicts.

    Attributes:
        metric: what was measured.
        winner_higher: of the pairs with a winner, the share in which the winner scores higher,
            equal scores as half; near 0.5 the two have nothing to do with each other. For a metric
            of which less is better, low means that they agree.
        pairs: with a winner, and to both outputs of which the metric applies.
    """

    metric: Metric
    winner_higher: Interval
    pairs: int

    def to_json(self) -> dict[str, Any]:
        """Plain data; what cannot be known is null."""
        return {
            "metric": self.metric.name,
            "winner_higher": known(self.winner_higher.estimate),
            "low": known(self.winner_higher.low),
            "high": known(self.winner_higher.high),
            "pairs": self.pairs,
        }


@dataclass(frozen=True)
class PairwiseJudgement:
    """Two versions by a judge that saw their outputs in pairs.

    Attributes:
        before: name of the first version.
        after: of the second.
        judge: the judging model.
        prompt: the wording.
        pairs: what was judged, in suite order.
        pairing: which outputs met.
        coupled: whether the outputs of a pair share their noise; the win rate is then that of
            coupled pairs and no win rate in the ordinary sense.
        cost: what it took.
        agreements: how metrics go with its verdicts, where they were asked for.
    """

    before: str
    after: str
    judge: str
    prompt: JudgePrompt
    pairs: Sequence[JudgedPair]
    pairing: Pairing
    coupled: bool
    cost: Cost
    agreements: Sequence[Agreement] = ()

    def __repr__(self) -> str:
        rate = self.win_rate
        return (
            f"PairwiseJudgement {self.before} → {self.after} by {self.judge}: win rate "
            f"{rate.estimate:.1%} [{rate.low:.1%}, {rate.high:.1%}], {self.verdict}"
        )

    @cached_property
    def test(self) -> PairedTest:
        """The share won by each version, paired over prompts; `after` is the win rate."""
        rows: dict[str, list[float]] = {}
        for pair in self.pairs:
            rows.setdefault(pair.before.prompt_id, []).append(pair.score)
        won = np.full((len(rows), max(map(len, rows.values())), 2), np.nan)
        for row, scores in enumerate(rows.values()):
            won[row, : len(scores)] = np.stack([scores, np.ones(len(scores))], axis=-1)
        lost = won.copy()
        lost[..., 0] = 1 - won[..., 0]
        return paired(lost, won, ratio, width=1.0, seed=SEED)

    @cached_property
    def length(self) -> LengthControlled:
        """The win rate at equal length, lengths counted in characters."""
        return length_controlled(
            np.array([pair.score for pair in self.pairs]),
            np.array([len(pair.after.text) - len(pair.before.text) for pair in self.pairs]),
            prompts=[pair.before.prompt_id for pair in self.pairs],
            seed=SEED,
        )

    @property
    def win_rate(self) -> Interval:
        """Share of pairs that the second version wins, ties as half, each prompt alike."""
        # Wins minus losses is twice the win rate's distance from a half.
        low, high = (0.5 + bound / 2 for bound in (self.test.low, self.test.high))
        return Interval(self.test.after, max(0.0, low), min(1.0, high))

    def count(self, outcome: str) -> int:
        """Pairs that `before` or `after` wins, or that are a `tie`."""
        return sum(pair.outcome == outcome for pair in self.pairs)

    @property
    def identical(self) -> int:
        """Pairs of the same text."""
        return sum(pair.identical for pair in self.pairs)

    @property
    def inconsistent(self) -> int:
        """Pairs whose two orders gave different verdicts."""
        return sum(pair.parsed and not pair.consistent for pair in self.pairs)

    @property
    def unparsed(self) -> int:
        """Replies that could not be read."""
        return sum(
            (pair.forward is None) + (pair.backward is None)
            for pair in self.pairs
            if not pair.identical
        )

    @property
    def unparsed_share(self) -> float:
        """Of all replies."""
        replies = sum(len(pair.replies) for pair in self.pairs)
        return self.unparsed / replies if replies else math.nan

    @property
    def consistency(self) -> float:
        """Of pairs with two readable replies, those with the same verdict in both orders."""
        parsed = [pair for pair in self.pairs if pair.parsed and not pair.identical]
        return sum(pair.consistent for pair in parsed) / len(parsed) if parsed else math.nan

    @property
    def first_position_rate(self) -> float:
        """Of verdicts that name a winner, those for the output shown first; 0.5 without bias."""
        named = [
            winner
            for pair in self.pairs
            if not pair.identical
            for winner in (pair.forward, pair.backward)
            if winner in ("first", "second")
        ]
        return named.count("first") / len(named) if named else math.nan

    @property
    def warning(self) -> str:
        """Why the win rate is unreliable; empty if it is not."""
        if self.unparsed_share > MOST_UNPARSED:
            return f"{self.unparsed_share:.0%} of replies could not be read"
        return self.test.warning

    @property
    def verdict(self) -> str:
        """Which version wins more often, as far as these prompts can tell."""
        low, high = self.win_rate.low, self.win_rate.high
        if math.isnan(low) or low <= 0.5 <= high:
            return "no clear preference"
        words = f"{self.after if low > 0.5 else self.before} is preferred"
        return words if not self.warning and self.test.p <= LEVEL else f"perhaps {words}"

    def to_json(self) -> dict[str, Any]:
        """Plain data; what cannot be known is null. A coupled win rate has its own name."""
        kind = "_coupled" if self.coupled else ""
        length = self.length
        return {
            "kind": "pairwise",
            "before": self.before,
            "after": self.after,
            **request_fields(self.judge, self.prompt),
            "prompts": self.test.prompts,
            "pairs": len(self.pairs),
            "pairing": self.pairing,
            "coupled": self.coupled,
            "wins": self.count("after"),
            "losses": self.count("before"),
            "ties": self.count("tie"),
            "identical": self.identical,
            "inconsistent": self.inconsistent,
            f"win_rate{kind}": _interval(self.win_rate),
            "p": known(self.test.p),
            "unreliable": self.warning or None,
            f"length_controlled_win_rate{kind}": {
                **_interval(Interval(length.win_rate, length.low, length.high)),
                "length_coefficient": length.length_coefficient,
                "unreliable": length.warning or None,
            },
            "position_consistency": known(self.consistency),
            "first_position_rate": known(self.first_position_rate),
            "unparsed": self.unparsed,
            "unparsed_share": known(self.unparsed_share),
            "verdict": self.verdict,
            "metrics": [each.to_json() for each in self.agreements],
            "cost": self.cost.to_json(),
            "judged": [
                {
                    "prompt_id": pair.before.prompt_id,
                    "sample_before": pair.before.sample_index,
                    "sample_after": pair.after.sample_index,
                    "before_first": pair.forward,
                    "after_first": pair.backward,
                    "outcome": pair.outcome,
                    "identical": pair.identical,
                    "replies": list(pair.replies),
                }
                for pair in self.pairs
            ],
        }

    def _repr_html_(self) -> str:
        rate = self.win_rate
        kind = "coupled win rate" if self.coupled else "win rate"
        return (
            f"<p>{html.escape(self.after)} against {html.escape(self.before)}, judged by "
            f"{html.escape(self.judge)}: {kind} {rate.estimate:.1%} "
            f"[{rate.low:.1%}, {rate.high:.1%}], position consistency {self.consistency:.0%}</p>"
        )


def request_fields(judge: str, prompt: JudgePrompt) -> dict[str, Any]:
    """The judge and its prompt, for JSON."""
    return {"judge": judge, "prompt": prompt.id, "prompt_digest": prompt.digest}


def _interval(found: Interval) -> dict[str, float | None]:
    return {
        "estimate": known(found.estimate),
        "low": known(found.low),
        "high": known(found.high),
    }


def known(value: float) -> float | None:
    """A number for JSON, which has no NaN."""
    return value if math.isfinite(value) else None
