"""Coupling: how much common random numbers reduce the variance of a difference.

Two versions share their noise at the same sample index and not at different ones, so one set of
outputs holds both kinds of pairs, and nothing has to be generated twice.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ethogram.stats.interval import bootstrap

Array = np.ndarray[Any, np.dtype[np.float64]]

#: A variance that rests on fewer prompts (their effective sample size) is not compared.
FEWEST_EFFECTIVE_PROMPTS = 5
#: An interval whose bounds are this many times apart is uninformative.
_VAGUE = 1e4


@dataclass(frozen=True, slots=True)
class Coupling:
    """Variance of differences with common random numbers over that with independent noise.

    Attributes:
        ratio: of the differences of single outputs, prompts and noise together.
        low: lower bound of its interval.
        high: upper bound.
        noise: the same ratio of the noise alone, each prompt's differences around their own mean.
        unknown: why it cannot be measured; empty if it can.
    """

    ratio: float
    low: float
    high: float
    noise: float
    unknown: str = ""


def unmeasured(why: str) -> Coupling:
    """No ratio, and why."""
    return Coupling(math.nan, math.nan, math.nan, math.nan, why)


def coupling(
    before: Array,
    after: Array,
    *,
    resamples: int = 1999,
    seed: int = 0,
    confidence: float = 0.95,
) -> Coupling:
    """Compare pairs of equal sample index with all pairs of unequal ones of the same prompt.

    Args:
        before: [prompts, samples], each output's share in the first version's value; NaN where
            there is none.
        after: [prompts, samples'], of the second.
        resamples: of the bootstrap over prompts.
        seed: of the bootstrap.
        confidence: of the interval.
    """
    shared = min(before.shape[1], after.shape[1])
    differences = after[:, None, :shared] - before[:, :shared, None]  # [prompts, before, after]
    equal = np.eye(shared, dtype=bool)
    known = ~np.isnan(differences)
    usable = (known & equal).any(axis=(1, 2)) & (known & ~equal).any(axis=(1, 2))
    if usable.sum() < 2:
        return unmeasured("one sample per prompt")
    differences, known = differences[usable], known[usable]
    moments = np.stack(
        [
            _mean(differences, known),
            _mean(differences**2, known & equal),
            _mean(differences**2, known & ~equal),
        ],
        axis=-1,
    )  # [prompts, (mean, square of equal pairs, square of unequal pairs)]
    # Around the mean, or a large difference would hide in the rounding of its square.
    centre = moments[:, 0].mean()
    moments[:, 1:] += centre**2 - 2 * centre * np.stack(
        [_mean(differences, known & equal), _mean(differences, known & ~equal)], axis=-1
    )
    moments[:, 0] -= centre
    scale = moments[:, 2].mean()
    if not scale > 0:
        return unmeasured("no output differs")
    if moments[:, 2].sum() ** 2 < FEWEST_EFFECTIVE_PROMPTS * (moments[:, 2] ** 2).sum():
        return unmeasured("too few outputs differ")
    moments[:, 1:] /= scale
    moments[:, 0] /= math.sqrt(scale)
    found = bootstrap(moments, _log_ratio, resamples=resamples, seed=seed, confidence=confidence)
    with np.errstate(over="ignore"):  # Rare differences may leave the upper bound open.
        ratio, low, high = (
            float(np.exp(value)) for value in (found.estimate, found.low, found.high)
        )
    if ratio > 0 and high > _VAGUE * low:
        return unmeasured("too few outputs differ")
    if not math.isfinite(ratio) or ratio == 0:  # The same everywhere.
        ratio = low = high = 0.0 if moments[:, 1].mean() <= 1e-12 else math.nan
    return Coupling(ratio, low, high, _noise(before[:, :shared], after[:, :shared]))


def _log_ratio(moments: Array) -> Array:
    """Log of the ratio of variances from moments [..., 3]: its sampling is nearly symmetric."""
    with np.errstate(all="ignore"):
        squares = moments[..., 1:] - moments[..., :1] ** 2
        found: Array = np.log(squares[..., 0] / squares[..., 1])
    return found


def _mean(values: Array, counted: Any) -> Array:
    """The mean of each prompt over the pairs counted: [prompts]."""
    mean: Array = np.where(counted, values, 0.0).sum(axis=(1, 2)) / counted.sum(axis=(1, 2))
    return mean


def _noise(before: Array, after: Array) -> float:
    """1 - 2 cov / (var + var), samples of a prompt around its mean, pooled over prompts."""
    both = ~np.isnan(before) & ~np.isnan(after)
    counts = both.sum(axis=1, keepdims=True)
    a, b = (np.where(both, values, 0.0) for values in (before, after))
    a, b = (
        np.where(both, values - values.sum(axis=1, keepdims=True) / np.maximum(counts, 1), 0.0)
        for values in (a, b)
    )
    apart = float((a**2).sum() + (b**2).sum())
    return float(((b - a) ** 2).sum()) / apart if apart > 0 else math.nan
