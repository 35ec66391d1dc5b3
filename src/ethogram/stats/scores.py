"""Paired tests of plain scores: one number per prompt, or one per prompt and sample."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ethogram.stats.paired import PairedTest, paired

Array = np.ndarray[Any, np.dtype[np.float64]]


def paired_scores(
    before: ArrayLike,
    after: ArrayLike,
    *,
    low: float = -math.inf,
    high: float = math.inf,
    coupled: bool = False,
    confidence: float = 0.95,
    seed: int = 0,
) -> PairedTest:
    """Test the mean of `after` against that of `before`, scores of the same prompts in one order.

    Args:
        before: [prompts] or [prompts, samples]; NaN where there is no score.
        after: [prompts] or [prompts, samples'], row i of the same prompt.
        low: the least that a score can be, such as 0 for passed or failed; with `high` it gives
            intervals also where nearly all prompts differ alike.
        high: the most that a score can be.
        coupled: whether equal sample indices share their random numbers.
        confidence: coverage aimed at.
        seed: of the resampling.

    Raises:
        ValueError: the arrays have different numbers of prompts, or more than two axes.
    """
    first, second = (_parts(scores) for scores in (before, after))
    if len(first) != len(second):
        raise ValueError(f"{len(first)} prompts before and {len(second)} after")
    return paired(
        first,
        second,
        _mean,
        coupled=coupled,
        width=high - low,
        confidence=confidence,
        seed=seed,
    )


def _parts(scores: ArrayLike) -> Array:
    """[prompts, samples, 2]: value and 1, the parts of a mean; rows of NaN stay absent."""
    values = np.asarray(scores, dtype=float)
    if values.ndim not in (1, 2):
        raise ValueError(f"scores must be [prompts] or [prompts, samples], not {values.ndim} axes")
    values = values.reshape(len(values), -1)
    return np.stack([values, np.where(np.isnan(values), np.nan, 1.0)], axis=-1)


def _mean(parts: Array) -> Array:
    """The ratio of the summed parts, NaN where there are none."""
    nothing: Array = np.full_like(parts[..., 0], np.nan)
    found: Array = np.divide(parts[..., 0], parts[..., 1], out=nothing, where=parts[..., 1] != 0)
    return found
