"""Bounded: an interval for the mean of few values in a known range."""

from __future__ import annotations

from typing import Any

import numpy as np

from ethogram.stats.bootstrap import CHUNK

Array = np.ndarray[Any, np.dtype[np.float64]]


def bounded_mean(
    values: Array,
    low: float,
    high: float,
    *,
    confidence: float = 0.95,
    draws: int = 4999,
    seed: int = 0,
) -> tuple[float, float]:
    """The bounds of Gaffke (2005) for the mean of independent values between `low` and `high`.

    Each draw puts the sorted values at the places of as many sorted uniform numbers and fills what
    lies between two of them with the larger value (for the upper bound; with the smaller for the
    lower), and what lies beyond the last with the end of the range. For values at the two ends it
    is the interval of Clopper and Pearson (1934); in between it was conservative wherever tried
    (Learned-Miller and Thomas 2020, arXiv:1905.06208). So it needs no spread among the values.

    Args:
        values: [n].
        low: end of their range.
        high: other end.
        confidence: of both bounds together, half of what is left on each side.
        draws: of the uniform numbers.
        seed: of the draws.
    """
    scaled = np.sort(np.clip((values - low) / (high - low), 0.0, 1.0))
    generator = np.random.default_rng(seed)
    up, down = np.diff(scaled, append=1.0), np.diff(1 - scaled[::-1], append=1.0)
    upper, lower = [], []
    share = max(1, CHUNK // len(values))
    for start in range(0, draws, share):
        places = generator.random((min(share, draws - start), len(values)))
        places.sort(axis=1)
        upper.append(1 - places @ up)
        lower.append(places @ down)
    tail = (1 - confidence) / 2
    bottom = np.quantile(np.concatenate(lower), tail, method="lower")
    top = np.quantile(np.concatenate(upper), 1 - tail, method="higher")
    return low + (high - low) * float(bottom), low + (high - low) * float(top)
