"""Permutation: how often chance alone gives a difference as large (paired sign-flip test)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np

from ethogram.stats.bootstrap import CACHED, Aggregate, Mask
from ethogram.stats.influence import gradient, influences, squared_errors, standard_error

Array = np.ndarray[Any, np.dtype[np.float64]]
#: Up to so many prompts that differ, every assignment is tried: 2^14, half of them mirror images.
EXACT_PROMPTS = 14
#: Random assignments, times prompts, that are kept for the next metric: 2 MB.
_KEPT_DRAWS = 16_000_000
#: Relative tolerance within which two statistics count as equal: they come from the same numbers
#: added in another order, and a tie that is missed would make the p-value too small.
_EQUAL = 1e-6


def sign_flip_test(
    before: Array, after: Array, aggregate: Aggregate, *, draws: int = 9999, seed: int = 0
) -> float:
    """Two-sided p-value of value(after) - value(before) by a paired permutation test.

    If the versions do the same, their labels are exchangeable within each prompt (Fisher 1935,
    section 21; for means this flips the signs of the paired differences). Each permuted difference
    is divided by its own standard error, which keeps the test valid in the limit where the two
    values are equal and the rest of what they do is not (Janssen 1997; Chung and Romano 2013). All
    assignments are tried where few prompts differ, `draws` random ones otherwise; the observed one
    always counts, so the p-value is valid for any number of draws (Phipson and Smyth 2010).

    Only prompts to which the metric applies under both versions are permuted, and a prompt's
    outputs count with the same weight under both. Otherwise the test reacts to a change in the
    number of outputs that a metric applies to, even if the metric's value did not change.

    Args:
        before: [prompts, k], mean parts of each prompt; all zero where the metric does not apply.
        after: [prompts, k], of the same prompts.
        aggregate: mean parts [..., k] to values [...].
        draws: random assignments.
        seed: of the draws.

    Returns:
        In (0, 1]; 1 with fewer than two such prompts; NaN where one of the two has no value.
    """
    with np.errstate(all="ignore"):
        values = aggregate(before.mean(axis=0)), aggregate(after.mean(axis=0))
    if np.isnan(values).any():
        return math.nan
    before, after = _comparable(before, after)
    moving = np.flatnonzero((before != after).any(axis=1))
    if len(moving) == 0 or len(before) < 2:
        return 1.0
    nothing = np.zeros((1, len(before)), dtype=bool)
    observed = float(_statistics(before, after, aggregate, nothing)[0])
    if math.isnan(observed):
        return observed
    limit = observed * (1 - _EQUAL)
    exact = len(moving) <= EXACT_PROMPTS
    extreme = tried = 0
    for swapped in _every(moving, len(before)) if exact else _some(before, draws, seed):
        # A permutation that leaves a version without any value counts as extreme.
        extreme += int((~(_statistics(before, after, aggregate, swapped) < limit)).sum())
        tried += len(swapped)
    return max(1, extreme) / tried if exact else (extreme + 1) / (tried + 1)


def _comparable(before: Array, after: Array) -> tuple[Array, Array]:
    """Prompts with parts under both versions, counted outputs at the same weight under both.

    Outputs of weight 0 or 1 (`ratio`) are counted; those of other weights (words, n-grams) keep
    their own, as their number follows from what they say and not from whether a metric applies.
    """
    both = before.any(axis=1) & after.any(axis=1)
    before, after = before[both], after[both]
    if before.shape[1] != 2 or not len(before):
        return before, after
    weights = np.stack([before[:, 1], after[:, 1]])  # [2, prompts]
    if weights.min() <= 0 or weights.max() > 1 or (weights[0] == weights[1]).all():
        return before, after
    common = weights.mean(axis=0)
    first, second = (
        parts * (common / weight)[:, None]
        for parts, weight in zip((before, after), weights, strict=True)
    )
    return first, second


def _statistics(before: Array, after: Array, aggregate: Aggregate, swapped: Mask) -> Array:
    """Absolute difference over its standard error under each assignment: [assignments]."""
    quick = _by_moments(before, after, aggregate, swapped)
    return _one_by_one(before, after, aggregate, swapped) if quick is None else quick


def _by_moments(before: Array, after: Array, aggregate: Aggregate, swapped: Mask) -> Array | None:
    """The statistics from sums over prompts, which are linear in the assignment.

    A prompt's influence value is linear in its parts under both versions, so the sum of squares
    needs only their second moments. None where these lose digits: nearly no variance.
    """
    prompts, parts = before.shape
    pairs = np.concatenate([before, after], axis=1)  # [prompts, 2 k]
    mirrored = np.concatenate([after, before], axis=1)
    squares, others = (
        np.einsum("pi,pj->pij", values, values).reshape(prompts, -1) for values in (pairs, mirrored)
    )
    kept = np.concatenate([before, squares], axis=1)
    moved = swapped.astype(float) @ (np.concatenate([after, others], axis=1) - kept)
    sums = kept.sum(axis=0) + moved  # [assignments, k + (2 k)²]
    mean_a = sums[:, :parts] / prompts
    mean_b = (before + after).sum(axis=0) / prompts - mean_a
    moments = sums[:, parts:].reshape(-1, 2 * parts, 2 * parts)
    with np.errstate(all="ignore"):
        differences = aggregate(mean_b) - aggregate(mean_a)
        slopes = np.concatenate(
            [-gradient(mean_a, aggregate), gradient(mean_b, aggregate)], axis=1
        )  # [assignments, 2 k]
        means = np.concatenate([mean_a, mean_b], axis=1)
        squared, lost = squared_errors(slopes, means, moments, prompts)
        if lost.any():
            return None
        ratio: Array = np.abs(differences) / np.sqrt(squared)
        largest = prompts * np.sqrt(np.nanmax(squared, initial=1e-300))
    return np.where(np.abs(differences) <= 1e-12 * largest, 0.0, ratio)


def _one_by_one(before: Array, after: Array, aggregate: Aggregate, swapped: Mask) -> Array:
    """The statistics from the influence value of each prompt under each assignment."""
    first = np.where(swapped[..., None], after, before)
    second = np.where(swapped[..., None], before, after)
    differences, influence = influences(first, second, aggregate)
    with np.errstate(all="ignore"):
        ratio = np.abs(differences) / standard_error(influence)
    # Without spread and without a difference there is nothing extreme.
    largest = np.abs(influence[np.isfinite(influence)]).max(initial=1e-300)
    return np.where(np.abs(differences) <= 1e-12 * largest, 0.0, ratio)


def _every(moving: np.ndarray[Any, Any], prompts: int) -> Iterator[Mask]:
    """All assignments of the prompts that differ, in chunks; the last prompt stays, by symmetry."""
    free = moving[:-1]
    codes = np.arange(2 ** len(free))
    for start in range(0, len(codes), 1024):
        some = codes[start : start + 1024, None]
        swapped = np.zeros((len(some), prompts), dtype=bool)
        swapped[:, free] = (some >> np.arange(len(free))) & 1
        yield swapped


def _some(before: Array, draws: int, seed: int) -> Iterator[Mask]:
    """Random assignments, in chunks."""
    prompts = len(before)
    share = max(1, CACHED // prompts)
    if draws * prompts <= _KEPT_DRAWS:
        bits = _drawn(draws, prompts, seed)
        for start in range(0, draws, share):
            yield np.unpackbits(bits[start : start + share], axis=1, count=prompts).view(bool)
        return
    generator = np.random.default_rng(seed)
    for start in range(0, draws, share):
        yield generator.random((min(share, draws - start), prompts)) < 0.5


@lru_cache(maxsize=2)
def _drawn(draws: int, prompts: int, seed: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Random assignments as bits, a row each: every metric of two versions has the same ones."""
    return np.packbits(np.random.default_rng(seed).random((draws, prompts)) < 0.5, axis=1)
