"""Calibration: whether the probabilities of a reward model are as often right as they state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

#: Bins of a stated probability from 0.5 to 1.
_BINS = 5


@dataclass(frozen=True, slots=True)
class Bin:
    """Pairs of which a model states a probability in one range.

    Attributes:
        low: begin of the range.
        pairs: how many there are.
        stated: mean stated probability.
        right: share of them that the model orders as people did.
    """

    low: float
    pairs: int
    stated: float
    right: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """A reward model on held-out pairs.

    Attributes:
        accuracy: share of pairs whose chosen reply has the higher reward; equal ones count half.
        error: expected calibration error: the mean distance between what is stated and what is
            right, over bins, weighted by their pairs (Naeini et al. 2015).
        bins: those that are not empty, by probability.
    """

    accuracy: float
    error: float
    bins: Sequence[Bin]


def calibration(margins: Sequence[float]) -> Calibration:
    """How calibrated a reward model is.

    The Bradley-Terry probability of its preferred reply is 1 / (1 + exp(-|margin|)).

    Args:
        margins: reward of the chosen reply minus that of the rejected one, of each pair.

    Raises:
        ValueError: there is no pair.
    """
    found = np.asarray(margins, dtype=float)
    if not len(found):
        raise ValueError("there is no pair")
    stated = 1 / (1 + np.exp(-np.abs(found)))
    right = np.where(found == 0, 0.5, found > 0)
    at = np.minimum(((stated - 0.5) / 0.5 * _BINS).astype(int), _BINS - 1)
    bins = [
        Bin(0.5 + 0.5 * each / _BINS, int(some.sum()), stated[some].mean(), right[some].mean())
        for each in range(_BINS)
        if (some := at == each).any()
    ]
    error = sum(each.pairs * abs(each.stated - each.right) for each in bins) / len(found)
    return Calibration(float(right.mean()), float(error), bins)
