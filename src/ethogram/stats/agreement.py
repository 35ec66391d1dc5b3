"""Agreement: Krippendorff's alpha of several raters, with an interval over what they rated."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ethogram.stats.interval import Interval
from ethogram.stats.student import t_quantile

Array = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True, slots=True)
class Alpha:
    """Krippendorff's alpha: 1 is full agreement, 0 that of chance.

    Attributes:
        interval: of alpha; all NaN if no unit has two ratings or all ratings are the same, bounds
            NaN with one unit.
        units: rated by two raters or more.
        ratings: of these units.
    """

    interval: Interval
    units: int
    ratings: int


def krippendorff_alpha(
    ratings: Iterable[tuple[Hashable, float]], *, confidence: float = 0.95
) -> Alpha:
    """Alpha for interval data (Krippendorff 2011, "Computing Krippendorff's alpha-reliability").

    1 - observed / expected disagreement, where two ratings disagree by their squared difference;
    units rated once do not count. The interval is Student's, by the delta method over units.

    Args:
        ratings: the unit and the value of each rating; a rater rates a unit at most once.
        confidence: coverage aimed at.
    """
    by_unit: dict[Hashable, list[float]] = {}
    for unit, value in ratings:
        by_unit.setdefault(unit, []).append(value)
    # Sorted, so that the order of the ratings changes nothing.
    rated = sorted(sorted(values) for values in by_unit.values() if len(values) > 1)
    if not rated:
        return Alpha(Interval(math.nan, math.nan, math.nan), 0, 0)
    units = len(rated)
    parts = np.array([_parts(np.array(values)) for values in rated])  # [units, 4]
    observed, count, total, squares = parts.mean(axis=0)
    # Mean squared difference of any two ratings, times the ratings of a unit.
    expected = 2 * (squares * count - total**2) / (count - 1 / units)
    low = high = estimate = math.nan
    if expected > 0:
        estimate = float(1 - observed / expected)
        slope = np.array([0.0, 2 * squares - expected, -4 * total, 2 * count])
        slope = slope / (count - 1 / units) * observed / expected**2
        slope[0] = -1 / expected
        influence = (parts - parts.mean(axis=0)) @ slope  # [units]
        if units > 1:
            error = math.sqrt(float((influence**2).sum()) / (units - 1) / units)
            margin = t_quantile(0.5 + confidence / 2, units - 1) * error
            low, high = max(-1.0, estimate - margin), min(1.0, estimate + margin)
    return Alpha(Interval(estimate, low, high), units, sum(map(len, rated)))


def _parts(values: Array) -> tuple[float, float, float, float]:
    """Of a unit: its disagreement (weighted by its ratings), ratings, their sum and squares."""
    count = len(values)
    spread = 2 * (count * (values**2).sum() - values.sum() ** 2)  # Over ordered pairs.
    return float(spread / (count - 1)), count, float(values.sum()), float((values**2).sum())
