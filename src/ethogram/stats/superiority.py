"""Probability of superiority: how often one version's output scores above the other's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True, slots=True)
class Superiority:
    """Shares of pairs in which the second output scores higher, ties counted as half.

    Attributes:
        ordinary: over pairs whose noise is independent: the probability that a fresh output of the
            second version scores above a fresh one of the first (Vargha and Delaney 2000). NaN
            where the store holds no such pair.
        coupled: over pairs of equal sample index that share their noise. It shows how often
            the design alone changes the score, and is not an ordinary win rate. NaN where no noise
            is shared.
    """

    ordinary: float
    coupled: float


def superiority(before: Array, after: Array, *, coupled: bool) -> Superiority:
    """Count pairs of outputs within each prompt; prompts have equal weight.

    Args:
        before: [prompts, samples], scores of one version, NaN where there is none; a column is a
            sample index.
        after: [prompts, samples'], of the other.
        coupled: whether the same sample index means the same noise.
    """
    rise = np.sign(after[:, None, :] - before[:, :, None])  # [prompts, samples, samples']
    won = (rise + 1) / 2
    if not coupled:
        return Superiority(_by_prompt(won, np.ones(won.shape[1:], bool)), float("nan"))
    equal = np.eye(before.shape[1], after.shape[1], dtype=bool)
    return Superiority(_by_prompt(won, ~equal), _by_prompt(won, equal))


def _by_prompt(won: Array, counted: np.ndarray[Any, np.dtype[np.bool_]]) -> float:
    """The mean over prompts of their mean over the pairs counted; NaN without any."""
    known = counted & ~np.isnan(won)
    pairs = known.sum(axis=(1, 2))
    if not pairs.any():
        return float("nan")
    totals = np.where(known, won, 0.0).sum(axis=(1, 2))
    return float(np.mean(totals[pairs > 0] / pairs[pairs > 0]))
