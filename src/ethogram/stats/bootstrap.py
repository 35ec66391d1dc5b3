"""Bootstrap: intervals over prompts from additive parts. Knows arrays; knows no metric or version.

Prompts, not outputs, are resampled: the samples of one prompt resemble each other, so treating them
as independent would make every interval too narrow (Koehn 2004; Miller 2024, arXiv:2411.00640).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float64]]
#: Summed parts [..., k] to the group's value [...].
Aggregate = Callable[[Array], Array]


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
    resamples: int = 2000,
    seed: int = 0,
    confidence: float = 0.95,
) -> Interval:
    """Percentile interval of one group's value (Efron and Tibshirani 1993, section 13.3).

    Args:
        parts: [prompts, k], the additive parts of each prompt.
        aggregate: from summed parts [..., k] to values [...].
        resamples: bootstrap replicates; 2000 puts the 2.5 % bound within about 0.3 points.
        seed: of the resampling.
        confidence: coverage aimed at.
    """
    weights = _weights(len(parts), resamples, seed)
    estimate = float(aggregate(parts.sum(axis=0)))
    return _interval(estimate, aggregate(weights @ parts), confidence)


def paired_bootstrap(
    parts_a: Array,
    parts_b: Array,
    aggregate: Aggregate,
    *,
    resamples: int = 2000,
    seed: int = 0,
    confidence: float = 0.95,
) -> Interval:
    """Percentile interval of value(b) - value(a) when both were measured on the same prompts.

    Args:
        parts_a: [prompts, k], row i from prompt i under the first version.
        parts_b: [prompts, k], row i from the same prompt under the second.
        aggregate: from summed parts [..., k] to values [...].
        resamples: bootstrap replicates.
        seed: of the resampling.
        confidence: coverage aimed at.

    Raises:
        ValueError: the two arrays do not have the same shape.
    """
    if parts_a.shape != parts_b.shape:
        raise ValueError(f"parts differ in shape: {parts_a.shape} and {parts_b.shape}")
    weights = _weights(len(parts_a), resamples, seed)
    estimate = float(aggregate(parts_b.sum(axis=0)) - aggregate(parts_a.sum(axis=0)))
    replicates = aggregate(weights @ parts_b) - aggregate(weights @ parts_a)
    return _interval(estimate, replicates, confidence)


def _weights(prompts: int, resamples: int, seed: int) -> Array:
    """How often each prompt is drawn in each resample: [resamples, prompts]."""
    generator = np.random.default_rng(seed)
    return generator.multinomial(prompts, np.full(prompts, 1 / prompts), size=resamples).astype(
        np.float64
    )


def _interval(estimate: float, replicates: Array, confidence: float) -> Interval:
    usable = replicates[np.isfinite(replicates)]
    if not np.isfinite(estimate) or len(usable) < len(replicates) / 2:
        return Interval(estimate, float("nan"), float("nan"))
    tail = (1 - confidence) / 2
    low, high = np.quantile(usable, [tail, 1 - tail])
    return Interval(estimate, float(low), float(high))
