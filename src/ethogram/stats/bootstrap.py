"""Bootstrap: how a value varies when prompts, and samples within them, are drawn again.

Prompts are resampled before outputs: the samples of one
prompt resemble each other, so treating them as independent would make every interval too narrow
(Koehn 2004; Miller 2024, arXiv:2411.00640).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float64]]
Indices = np.ndarray[Any, np.dtype[np.int64]]
Mask = np.ndarray[Any, np.dtype[np.bool_]]
#: Summed or averaged parts [..., k] to the group's value [...]. An even number of parts are pairs,
#: a sum and what it is divided by, of which only the quotients count (`influence.gradient`).
Aggregate = Callable[[Array], Array]

#: Numbers held at once while resampling; 4 million take 32 MB.
CHUNK = 4_000_000


def draw_twice(
    before: Array, after: Array, *, resamples: int, seed: int
) -> Iterator[tuple[Array, Array]]:
    """Hierarchical resamples of two versions: prompts with replacement, then samples within them.

    A sample index that both versions have is drawn for both at once, so that what they share (the
    prompt, the noise) stays shared. Where the two have different indices for a prompt, each draws
    from its own; a single output is not resampled.

    Args:
        before: [prompts, samples, k]; rows of NaN where a sample is absent. Each prompt has one.
        after: [prompts, samples', k], likewise.
        resamples: how many.
        seed: of the draws.

    Yields:
        Prompt means of both versions in a run of resamples: two arrays [resamples', prompts, k].
    """
    generator = np.random.default_rng(seed)
    prompts = len(before)
    packed = [_packed(parts) for parts in (before, after)]
    samples = max(rows.shape[1] for rows, _ in packed)
    same, leads = _indices(before, after)
    share = max(1, CHUNK // (prompts * samples * before.shape[2] * 2))
    if same.all() and before.shape == after.shape and present(before).all():
        yield from _draw_grid(generator, before, after, resamples, share)
        return
    for start in range(0, resamples, share):
        size = (min(share, resamples - start), prompts)
        chosen = generator.integers(0, prompts, size=size)
        uniform = generator.random((*size, samples))
        other = uniform if same.all() else generator.random((*size, samples))
        uniforms = [
            np.where((same | ahead)[chosen][..., None], uniform, other) for ahead in (leads, ~leads)
        ]
        first, second = (
            _resampled(rows, counts, chosen, each)
            for (rows, counts), each in zip(packed, uniforms, strict=True)
        )
        yield first, second


def _draw_grid(
    generator: np.random.Generator, before: Array, after: Array, resamples: int, share: int
) -> Iterator[tuple[Array, Array]]:
    """`draw_twice` where both versions have every sample of every prompt: the same, to the bit.

    Both draw the same samples then, so that one look-up finds those of both.
    """
    prompts, samples, parts = before.shape
    flat = np.concatenate([before, after], axis=2).reshape(-1, 2 * parts)
    for start in range(0, resamples, share):
        size = (min(share, resamples - start), prompts)
        chosen = generator.integers(0, prompts, size=size)
        uniform = generator.random((*size, samples))
        if samples == 1:
            means: Array = flat[chosen]
        else:
            uniform *= samples
            picks = uniform.astype(np.int64)
            picks += (chosen * samples)[..., None]
            means = np.zeros((*size, 2 * parts))
            row = np.empty_like(means)
            for sample in range(samples):
                flat.take(picks[..., sample], axis=0, out=row, mode="clip")
                means += row
            means /= samples
        yield means[..., :parts], means[..., parts:]


def present(parts: Array) -> Mask:
    """Which samples are there: [prompts, samples]."""
    return np.asarray(~np.isnan(parts).any(axis=-1))


def prompt_means(parts: Array) -> Array:
    """The mean parts of each prompt over the samples it has: [prompts, k]."""
    mask = present(parts)[..., None]
    means: Array = np.where(mask, parts, 0.0).sum(axis=1) / mask.sum(axis=1)
    return means


def _packed(parts: Array) -> tuple[Array, Indices]:
    """The samples that are there moved to the front, zeros behind, and how many there are."""
    mask = present(parts)
    order = np.argsort(~mask, axis=1, kind="stable")
    rows = np.take_along_axis(np.where(mask[..., None], parts, 0.0), order[..., None], axis=1)
    counts = mask.sum(axis=1)
    return rows[:, : counts.max()], counts


def _indices(before: Array, after: Array) -> tuple[Mask, Mask]:
    """For which prompts both versions have the very same sample indices, and which the first leads.

    The version with more samples leads, of as many the one with the first index that the other
    lacks, so that swapping the two changes no draw. Both [prompts].
    """
    a, b = present(before), present(after)
    samples = max(a.shape[1], b.shape[1])
    a, b = (np.pad(mask, ((0, 0), (0, samples - mask.shape[1]))) for mask in (a, b))
    first = np.argmax(a != b, axis=1)[:, None]
    counts = a.sum(axis=1) - b.sum(axis=1)
    leads = np.where(counts == 0, np.take_along_axis(a, first, axis=1)[:, 0], counts > 0)
    return np.asarray((a == b).all(axis=1)), np.asarray(leads)


def _resampled(rows: Array, counts: Indices, chosen: Indices, uniform: Array) -> Array:
    """The mean parts of each chosen prompt over as many redrawn samples as it has.

    Shapes: rows [prompts, samples, k], counts [prompts], chosen [resamples, prompts], uniform
    [resamples, prompts, at least samples] in [0, 1). Result [resamples, prompts, k].
    """
    size = counts[chosen]
    if rows.shape[1] == 1:
        single: Array = rows[chosen, 0]
        return single
    total = np.zeros((*chosen.shape, rows.shape[2]))
    flat, first = rows.reshape(-1, rows.shape[2]), chosen * rows.shape[1]
    for sample in range(rows.shape[1]):
        pick = (uniform[..., sample] * size).astype(np.int64)
        total += flat.take(first + pick, axis=0) * (sample < size)[..., None]
    means: Array = total / size[..., None]
    return means
