"""Permutation: how often luck alone would give a difference as large. Knows arrays only."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from ethogram.stats.bootstrap import CHUNK, Aggregate, Mask
from ethogram.stats.influence import influences, standard_error

Array = np.ndarray[Any, np.dtype[np.float64]]
#: Up to so many prompts that differ, every assignment is tried: 2^14, half of them mirror images.
EXACT_PROMPTS = 14
#: Relative tolerance within which two statistics count as equal: they come from the same numbers
#: added in another order, and a tie that is missed would make the p-value too small.
_EQUAL = 1e-6


def swap_test(
    before: Array, after: Array, aggregate: Aggregate, *, draws: int = 9999, seed: int = 0
) -> float:
    """Two-sided p-value of value(after) - value(before), by swapping the versions of prompts.

    If the versions do the same, which is which is a toss for each prompt (Fisher 1935, section 21;
    for means this flips the signs of the paired differences). Each swap's difference is divided by
    its own standard error, which keeps the test valid in the limit where the two values are equal
    and the rest of what they do is not (Janssen 1997; Chung and Romano 2013). All assignments are
    tried where few prompts differ, `draws` random ones otherwise; the observed one always counts,
    so the p-value is valid for any number of draws (Phipson and Smyth 2010).

    Args:
        before: [prompts, k], mean parts of each prompt.
        after: [prompts, k], of the same prompts.
        aggregate: mean parts [..., k] to values [...].
        draws: random assignments.
        seed: of the draws.

    Returns:
        In (0, 1]; NaN where one of the two has no value.
    """
    moving = np.flatnonzero((before != after).any(axis=1))
    if len(moving) == 0:
        return 1.0
    nothing = np.zeros((1, len(before)), dtype=bool)
    observed = float(_statistics(before, after, aggregate, nothing)[0])
    if math.isnan(observed):
        return observed
    limit = observed * (1 - _EQUAL)
    exact = len(moving) <= EXACT_PROMPTS
    extreme = tried = 0
    for swapped in _every(moving, len(before)) if exact else _some(before, draws, seed):
        # A swap that leaves a version without any value counts as extreme: nobody knows better.
        extreme += int((~(_statistics(before, after, aggregate, swapped) < limit)).sum())
        tried += len(swapped)
    return max(1, extreme) / tried if exact else (extreme + 1) / (tried + 1)


def _statistics(before: Array, after: Array, aggregate: Aggregate, swapped: Mask) -> Array:
    """The difference in its standard errors, without its sign, under each swap: [swaps]."""
    first = np.where(swapped[..., None], after, before)
    second = np.where(swapped[..., None], before, after)
    differences, pulls = influences(first, second, aggregate)
    with np.errstate(all="ignore"):
        ratio = np.abs(differences) / standard_error(pulls)
    # Without spread and without a difference there is nothing extreme.
    largest = np.abs(pulls[np.isfinite(pulls)]).max(initial=1e-300)
    return np.where(np.abs(differences) <= 1e-12 * largest, 0.0, ratio)


def _every(moving: np.ndarray[Any, Any], prompts: int) -> Iterator[Mask]:
    """All swaps of the prompts that differ, in runs; the last of them stays, as it may."""
    free = moving[:-1]
    codes = np.arange(2 ** len(free))
    for start in range(0, len(codes), 1024):
        some = codes[start : start + 1024, None]
        swapped = np.zeros((len(some), prompts), dtype=bool)
        swapped[:, free] = (some >> np.arange(len(free))) & 1
        yield swapped


def _some(before: Array, draws: int, seed: int) -> Iterator[Mask]:
    """Random swaps, in runs."""
    generator = np.random.default_rng(seed)
    share = max(1, CHUNK // (before.size * 4))
    for start in range(0, draws, share):
        yield generator.random((min(share, draws - start), len(before))) < 0.5
