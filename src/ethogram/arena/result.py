"""Result: ratings of versions, pairs of them, and the ranking that they make."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ethogram.stats import Alpha, Interval
from ethogram.store.votes import VoterKind

#: Significance level of the p-values, which are adjusted for the number of pairs.
LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class Rating:
    """A version in the ranking.

    Attributes:
        version: its name.
        rating: against the mean of its group, which is 1000; 400 points are odds of ten to one.
            NaN without a vote.
        equal_length: the same if outputs were equally long; NaN without a vote.
        group: versions of one group are connected by votes; groups are not comparable. None
            without a vote.
        wins: votes won.
        losses: votes lost.
        ties: votes that were ties, both good.
        both_bad: votes that found both outputs bad; ties for the rating.
        note: what is to be known of the rating; empty if nothing.
    """

    version: str
    rating: Interval
    equal_length: Interval
    group: int | None
    wins: int
    losses: int
    ties: int
    both_bad: int
    note: str

    @property
    def votes(self) -> int:
        """All that count."""
        return self.wins + self.losses + self.ties + self.both_bad


@dataclass(frozen=True, slots=True)
class PairRating:
    """Two versions, the one with the higher rating first.

    Attributes:
        first: name of the one with the higher rating.
        second: name of the other.
        votes: between the two.
        win_rate: how often the first wins of decided votes, by all ratings together.
        equal_length: the same if outputs were equally long.
        difference: of the ratings, in points.
        p: that they are equally good, adjusted for the number of pairs (Holm).
        more_votes: about how many more votes would decide; None where it is decided, or where no
            number can be named.
    """

    first: str
    second: str
    votes: int
    win_rate: Interval
    equal_length: Interval
    difference: Interval
    p: float
    more_votes: int | None

    @property
    def decided(self) -> bool:
        """Whether the first is better, as far as votes can tell."""
        return self.p <= LEVEL


@dataclass(frozen=True)
class Ranking:
    """Versions by the votes on their outputs.

    Attributes:
        ratings: groups one after the other, the largest first; in each the best first.
        pairs: of versions that votes connect, in the order of the ratings.
        kind: whose votes: people's or judging models'.
        voters: name to votes, skipped ones included.
        agreement: of the voters, on pairs that two of them voted on.
        skipped: pairs that voters skipped.
        stale: votes on outputs that a version no longer has.
        identical: pairs of outputs with the same text, which are not shown.
        verdict: which version is preferred, in a sentence or two.
    """

    ratings: Sequence[Rating]
    pairs: Sequence[PairRating]
    kind: VoterKind
    voters: Mapping[str, int]
    agreement: Alpha
    skipped: int
    stale: int
    identical: int
    verdict: str

    @property
    def votes(self) -> int:
        """All that count, skipped ones left out."""
        return sum(each.votes for each in self.ratings) // 2

    def __repr__(self) -> str:
        return f"Ranking({self.verdict})"

    def to_json(self) -> dict[str, Any]:
        """Plain data; what cannot be known is null."""
        return {
            "verdict": self.verdict,
            "kind": self.kind,
            "votes": self.votes,
            "skipped": self.skipped,
            "stale": self.stale,
            "identical": self.identical,
            "voters": dict(self.voters),
            "agreement": {
                "alpha": _interval(self.agreement.interval),
                "pairs": self.agreement.units,
                "votes": self.agreement.ratings,
            },
            "ratings": [
                {
                    "version": each.version,
                    "rating": _interval(each.rating),
                    "equal_length": _interval(each.equal_length),
                    "group": each.group,
                    "votes": each.votes,
                    "wins": each.wins,
                    "losses": each.losses,
                    "ties": each.ties,
                    "both_bad": each.both_bad,
                    "note": each.note,
                }
                for each in self.ratings
            ],
            "pairs": [
                {
                    "first": each.first,
                    "second": each.second,
                    "votes": each.votes,
                    "win_rate": _interval(each.win_rate),
                    "win_rate_at_equal_length": _interval(each.equal_length),
                    "difference": _interval(each.difference),
                    "p": _known(each.p),
                    "decided": each.decided,
                    "more_votes": each.more_votes,
                }
                for each in self.pairs
            ],
        }


def _interval(interval: Interval) -> dict[str, float | None]:
    return {
        "estimate": _known(interval.estimate),
        "low": _known(interval.low),
        "high": _known(interval.high),
    }


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
