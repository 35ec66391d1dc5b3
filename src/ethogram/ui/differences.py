"""Differences as the page shows them: numbers, and words as in terminal and log."""

from __future__ import annotations

import math

from ethogram.study.difference import Difference
from ethogram.study.headline import doubt, from_to, is_same
from ethogram.study.numbers import difference_in, interval_in, p_value, value_in
from ethogram.study.wording import name_words
from ethogram.ui.models import Answer


class DifferenceWords(Answer):
    """A difference in words, as the terminal formats it."""

    name: str
    before: str
    after: str
    from_to: str
    difference: str
    interval: str
    p: str


class DifferenceInfo(Answer):
    """One metric of two versions with its paired test.

    Attributes:
        metric: its name.
        title: for people.
        direction: higher, lower or none, whichever is better.
        verdict: such as `better` or `perhaps worse`.
        clear: whether the verdict is certain enough to be coloured.
        same: whether no prompt differs.
        estimate: after minus before.
        low: of the 95 % interval.
        high: of it.
        prompts: on which the metric applies.
        doubt: why the interval is unreliable; empty if it is not.
        standard: low, estimate and high in standard deviations between prompts; None where prompts
            do not vary.
        words: the numbers in words.
    """

    metric: str
    title: str
    direction: str
    verdict: str
    clear: bool
    same: bool
    estimate: float | None
    low: float | None
    high: float | None
    prompts: int
    doubt: str
    standard: tuple[float, float, float] | None
    words: DifferenceWords


def difference_info(item: Difference) -> DifferenceInfo:
    """A difference as the page shows it."""
    unit = item.metric.unit
    return DifferenceInfo(
        metric=item.metric.name,
        title=item.metric.title,
        direction=item.metric.direction,
        verdict=item.verdict,
        clear=item.is_clear,
        same=is_same(item),
        estimate=_finite(item.estimate),
        low=_finite(item.low),
        high=_finite(item.high),
        prompts=item.test.prompts,
        doubt=doubt(item),
        standard=_standard(item),
        words=DifferenceWords(
            name=name_words(item.metric),
            before=value_in(unit, item.before),
            after=value_in(unit, item.after),
            from_to=from_to(item),
            difference=difference_in(unit, item.estimate),
            interval=interval_in(unit, item.low, item.high),
            p=p_value(item.p_adjusted),
        ),
    )


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _standard(item: Difference) -> tuple[float, float, float] | None:
    spread = item.test.error * math.sqrt(item.test.prompts)
    numbers = (item.low, item.estimate, item.high)
    if not spread > 0 or not all(map(math.isfinite, (spread, *numbers))):
        return None
    low, middle, high = (value / spread for value in numbers)
    return low, middle, high
