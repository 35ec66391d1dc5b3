"""Influence: influence values: how much each prompt moves a value, and its standard error.

The value of a group is a smooth function of its mean parts, so to first order it is a mean over
prompts (the delta method; Efron and Tibshirani 1993, section 21.3: the infinitesimal jackknife).
Every mean below is over the second last axis, prompts; leading axes are resamples.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ethogram.stats.bootstrap import Aggregate

Array = np.ndarray[Any, np.dtype[np.float64]]
#: Step of the central differences, relative to a part. One percent errs by about 1e-4 where the
#: value is smooth, and still sees the slope of values that are rounded to four digits on the way
#: (SimCTG's diversity).
_STEP = 1e-2
#: A variance below this share of the terms that it is the difference of has too few digits.
_DIGITS = 1e-8


def gradient(mean: Array, aggregate: Aggregate) -> Array:
    """The slope of a value in each part of its mean: [..., k].

    An even number of parts is read as pairs, a sum and what it is divided by, of which the value
    knows the quotients only, as that of every metric does. Then the slope in a divisor is that in
    its sum times -quotient, exactly: an output whose own quotient is the common one has no
    influence, however long it is; numerical differences of both would miss that by their error.
    """
    slope = np.empty_like(mean)
    pairs = mean.shape[-1] % 2 == 0
    # A part that is zero (no output loops) takes its scale from the largest beside it.
    scale = np.maximum(np.abs(mean), 1e-3 * np.abs(mean).max(axis=-1, keepdims=True))
    with np.errstate(all="ignore"):
        for part in range(0, mean.shape[-1], 2 if pairs else 1):
            step = np.zeros_like(mean)
            step[..., part] = _STEP * scale[..., part]
            rise = aggregate(mean + step) - aggregate(mean - step)
            slope[..., part] = rise / (2 * step[..., part])
        if pairs:
            slope[..., 1::2] = -slope[..., ::2] * (mean[..., ::2] / mean[..., 1::2])
    return slope


def influences(before: Array, after: Array, aggregate: Aggregate) -> tuple[Array, Array]:
    """The difference of two versions and each prompt's influence value.

    Args:
        before: [..., prompts, k], mean parts of each prompt.
        after: [..., prompts, k], of the same prompts.
        aggregate: mean parts [..., k] to values [...].

    Returns:
        The difference [...], and the influence values [..., prompts], whose mean is zero.
    """
    mean_a, mean_b = before.mean(axis=-2), after.mean(axis=-2)
    with np.errstate(all="ignore"):
        difference = aggregate(mean_b) - aggregate(mean_a)
        slope_a, slope_b = gradient(mean_a, aggregate), gradient(mean_b, aggregate)
        influence_b = np.einsum("...pk,...k->...p", after, slope_b)
        influence_a = np.einsum("...pk,...k->...p", before, slope_a)
        influence = influence_b - influence_a
        return difference, influence - influence.mean(axis=-1, keepdims=True)


def standard_error(influence: Array) -> Array:
    """Of a difference, from the influence values [..., prompts] of its prompts: [...]."""
    prompts = influence.shape[-1]
    error: Array = np.sqrt((influence**2).sum(axis=-1) / (prompts - 1) / prompts)
    return error


def squared_errors(
    slopes: Array, means: Array, squares: Array, prompts: int
) -> tuple[Array, np.ndarray[Any, np.dtype[np.bool_]]]:
    """Squared standard errors from sums over prompts, without an influence value of each prompt.

    A prompt's influence value is linear in its parts, so its sum of squares needs only their second
    moments.

    Args:
        slopes: [..., k], how much the value moves with each part.
        means: [..., k], of the parts over the prompts.
        squares: [..., k, k], products of the parts, summed over the prompts.
        prompts: how many.

    Returns:
        The squared standard errors [...], and where they have too few digits: nearly no variance.
    """
    with np.errstate(all="ignore"):
        total = (slopes * np.matmul(squares, slopes[..., None])[..., 0]).sum(axis=-1)
        sizes = np.abs(slopes)
        size = (sizes * np.matmul(np.abs(squares), sizes[..., None])[..., 0]).sum(axis=-1)
        variance = total - prompts * (slopes * means).sum(axis=-1) ** 2
        return variance / (prompts - 1) / prompts, variance <= _DIGITS * size


def differences_and_errors(means: Array, aggregate: Aggregate) -> tuple[Array, Array]:
    """The differences [n] of two versions and their standard errors [n] in n resamples.

    Args:
        means: [n, prompts, 2, k], mean parts of each prompt under both versions.
        aggregate: mean parts [..., k] to values [...].
    """
    resamples, prompts, _, parts = means.shape
    rows = means.reshape(resamples, prompts, 2 * parts)
    centre = np.matmul(np.full((1, prompts), 1 / prompts), rows)[:, 0]
    before, after = centre[:, :parts], centre[:, parts:]
    with np.errstate(all="ignore"):
        differences = aggregate(after) - aggregate(before)
    slopes = np.concatenate([-gradient(before, aggregate), gradient(after, aggregate)], axis=1)
    squares = np.matmul(rows.transpose(0, 2, 1), rows)
    squared, lost = squared_errors(slopes, centre, squares, prompts)
    errors: Array = np.sqrt(np.where(lost, 0.0, squared))
    if lost.any():
        differences[lost], influence = influences(means[lost, :, 0], means[lost, :, 1], aggregate)
        errors[lost] = standard_error(influence)
    return differences, errors
