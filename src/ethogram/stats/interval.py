"""Interval: the confidence interval of one group's value over prompts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ethogram.stats.bootstrap import CACHED, Aggregate, Indices
from ethogram.stats.influence import gradient, squared_errors, standard_error

Array = np.ndarray[Any, np.dtype[np.float64]]
#: At a distance of so many standard errors, the error is only rounding.
_ROUNDING = 1e9


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with the bounds of its confidence interval; NaN where it cannot be known."""

    estimate: float
    low: float
    high: float


def bootstrap(
    parts: Array,
    aggregate: Aggregate,
    *,
    resamples: int = 1999,
    seed: int = 0,
    confidence: float = 0.95,
) -> Interval:
    """Symmetric studentised interval of one group's value (Hall 1988).

    Args:
        parts: [prompts, k], the mean parts of each prompt.
        aggregate: mean parts [..., k] to values [...], smooth.
        resamples: bootstrap replicates of the prompts.
        seed: of the resampling.
        confidence: coverage aimed at.
    """
    value, error = _value_and_error(parts, aggregate)
    if len(parts) < 2 or not np.isfinite(value) or not np.isfinite(error):
        return Interval(float(value), math.nan, math.nan)
    generator, found = np.random.default_rng(seed), []
    share = max(1, CACHED // len(parts))
    for start in range(0, resamples, share):
        size = (min(share, resamples - start), len(parts))
        found.append(_resampled(parts, generator.integers(0, len(parts), size=size), aggregate))
    values, errors = (np.concatenate(each) for each in zip(*found, strict=True))
    margin = error * critical(np.abs(values - value), errors, confidence)
    return Interval(float(value), float(value - margin), float(value + margin))


def critical(distances: Array, errors: Array, confidence: float) -> float:
    """How many of their standard errors `confidence` of the resamples stay within.

    Resamples without any spread (rare events of few prompts) count as infinitely far off.
    """
    with np.errstate(all="ignore"):
        ratios = np.where(distances == 0, 0.0, distances / errors)
    ratios = np.where(ratios < _ROUNDING, ratios, np.inf)
    return float(np.quantile(ratios, confidence, method="higher"))


def _resampled(parts: Array, chosen: Indices, aggregate: Aggregate) -> tuple[Array, Array]:
    """Values [n] and their standard errors [n], of n choices of prompts [n, prompts].

    By how often each prompt was chosen, since sums over prompts are all that is needed.
    """
    resamples, prompts = chosen.shape
    cells = chosen + prompts * np.arange(resamples)[:, None]
    counts = np.bincount(cells.ravel(), minlength=cells.size).reshape(cells.shape).astype(float)
    squares = np.einsum("pi,pj->pij", parts, parts).reshape(prompts, -1)
    sums = counts @ np.concatenate([parts, squares], axis=1)
    kinds = parts.shape[1]
    means, moments = sums[:, :kinds] / prompts, sums[:, kinds:].reshape(-1, kinds, kinds)
    with np.errstate(all="ignore"):
        values = aggregate(means)
    squared, lost = squared_errors(gradient(means, aggregate), means, moments, prompts)
    errors: Array = np.sqrt(np.where(lost, 0.0, squared))
    if lost.any():
        values[lost], errors[lost] = _value_and_error(parts.take(chosen[lost], axis=0), aggregate)
    return values, errors


def _value_and_error(parts: Array, aggregate: Aggregate) -> tuple[Array, Array]:
    """Values [...] and their standard errors [...] of parts [..., prompts, k]."""
    mean = parts.mean(axis=-2)
    with np.errstate(all="ignore"):
        influence = np.einsum("...pk,...k->...p", parts, gradient(mean, aggregate))
        return aggregate(mean), standard_error(influence - influence.mean(axis=-1, keepdims=True))
