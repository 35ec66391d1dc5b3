"""Words: what is to be known of a ranking beside its numbers, and how these are written."""

from __future__ import annotations

import math
from collections.abc import Callable

from ethogram.arena.result import PairRating, Ranking
from ethogram.stats import Interval

#: Below this alpha, conclusions are doubtful (Krippendorff 2004, section 11.4).
LOW_AGREEMENT = 0.667


def pair_words(pair: PairRating) -> str:
    """The verdict on two versions."""
    if pair.decided:
        return "preferred"
    if pair.more_votes is None:
        return "undecided"
    return f"undecided, about {pair.more_votes} more votes"


def facts(found: Ranking) -> list[str]:
    """Whose votes, how far they agree, and which do not count."""
    facts = []
    if found.voters:
        listed = ", ".join(f"{name} {votes}" for name, votes in found.voters.items())
        who = "Votes" if found.kind == "human" else "Votes of judging models"
        skipped = f"; {found.skipped} skipped" if found.skipped else ""
        facts.append(f"{who}: {listed}{skipped}.")
    if len(found.voters) > 1:
        facts.append(_agreement_words(found))
    if found.stale:
        facts.append(
            f"{found.stale} votes do not count: they are on outputs from before a version was "
            "edited."
        )
    if found.identical:
        facts.append(f"{found.identical} pairs have the same text on both sides; nobody sees them.")
    return facts


def _agreement_words(found: Ranking) -> str:
    alpha = found.agreement
    if math.isnan(alpha.interval.estimate):
        return "Agreement is not known: no two voters voted on the same pair with some difference."
    words = f"Agreement (Krippendorff's alpha) {alpha.interval.estimate:.2f}"
    if not math.isnan(alpha.interval.low):
        words += f" [{alpha.interval.low:.2f}, {alpha.interval.high:.2f}]"
    words += f" on {alpha.units} pairs"
    return f"{words}; below {LOW_AGREEMENT} is low." if _is_low(alpha.interval) else f"{words}."


def _is_low(interval: Interval) -> bool:
    return interval.estimate < LOW_AGREEMENT


def points(value: float) -> str:
    """A rating."""
    return "–" if math.isnan(value) else f"{value:.0f}"


def percent(value: float) -> str:
    """A share."""
    return "–" if math.isnan(value) else f"{100 * value:.0f} %"


def interval_words(interval: Interval, words: Callable[[float], str]) -> str:
    """The bounds of an interval, such as `[55, 72]`."""
    if math.isnan(interval.low):
        return "–"
    low, high = (words(each).removesuffix(" %") for each in (interval.low, interval.high))
    return f"[{low}, {high}]"
