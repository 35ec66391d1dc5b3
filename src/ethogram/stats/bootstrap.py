"""Bootstrap: how a value varies when prompts, and samples within them, are drawn again.

Prompts are resampled before outputs: the samples of one
prompt resemble each other, so treating them as independent would make every interval too narrow
(Koehn 2004; Miller 2024, arXiv:2411.00640).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
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
#: The same where the draws do not depend on it: as many as a core's cache holds.
CACHED = 1_000_000
#: How often each prompt is redrawn for the resamples to choose from, where there are so many
#: outputs, and so many samples of a prompt: below these, every resample draws its own in less time.
POOL, POOLED_OUTPUTS, POOLED_SAMPLES = 128, 2_000, 3
#: Samples [prompts, samples, k] that are there, in front of zeros, and how many they are [prompts].
Packed = tuple[Array, Indices]


def draw_twice(before: Array, after: Array, *, resamples: int, seed: int) -> Iterator[Array]:
    """Hierarchical resamples of two versions: prompts with replacement, then samples within them.

    A sample index that both versions have is drawn for both at once, so that what they share (the
    prompt, the noise) stays shared. Where the two have different indices for a prompt, each draws
    from its own; a single output is not resampled.

    Of many outputs, each prompt is redrawn `POOL` times, and resamples choose among these. Their
    mean then errs by at most 1/sqrt(POOL) standard errors, which moves a margin by 0.4 %.

    Args:
        before: [prompts, samples, k]; rows of NaN where a sample is absent. Each prompt has one.
        after: [prompts, samples', k], likewise.
        resamples: how many.
        seed: of the draws.

    Yields:
        Prompt means of both versions in a run of resamples: [resamples', prompts, 2, k].
    """
    generator = np.random.default_rng(seed)
    prompts, samples = len(before), max(before.shape[1], after.shape[1])
    redraw = _redrawing(before, after)
    share = max(1, CHUNK // (prompts * samples * before.shape[2] * 2))
    pool = None
    fits = prompts * before.shape[2] * 2 * POOL <= 4 * CHUNK
    if fits and prompts * samples >= POOLED_OUTPUTS and samples >= POOLED_SAMPLES:
        everyone = np.broadcast_to(np.arange(prompts), (POOL, prompts))
        parts = [redraw(generator, everyone[at : at + share]) for at in range(0, POOL, share)]
        pool = np.concatenate(parts).reshape(POOL * prompts, 2, -1)
        share = max(1, CACHED // (prompts * before.shape[2] * 2))
    for start in range(0, resamples, share):
        size = (min(share, resamples - start), prompts)
        if pool is None:
            yield redraw(generator, generator.integers(0, prompts, size=size))
        else:
            yield pool.take(generator.integers(0, len(pool), size=size), axis=0, mode="clip")


def _redrawing(before: Array, after: Array) -> Callable[[np.random.Generator, Indices], Array]:
    """How to redraw the samples of chosen prompts [n, m]: the means [n, m, 2, k] of both versions.

    Both ways draw the same, to the bit. Where both versions have every sample of every prompt, one
    look-up finds those of both.
    """
    if before.shape == after.shape and present(before).all() and present(after).all():
        return partial(_redraw_grid, np.stack([before, after], axis=2))
    same, leads = _indices(before, after)
    return partial(_redraw, _packed(before), _packed(after), same, leads)


def _redraw(
    first: Packed,
    second: Packed,
    same: Mask,
    leads: Mask,
    generator: np.random.Generator,
    chosen: Indices,
) -> Array:
    samples = max(first[0].shape[1], second[0].shape[1])
    uniform = generator.random((*chosen.shape, samples))
    other = uniform if same.all() else generator.random(uniform.shape)
    means = []
    for (rows, counts), ahead in ((first, leads), (second, ~leads)):
        mine = np.where((same | ahead)[chosen][..., None], uniform, other)
        means.append(_resampled(rows, counts, chosen, mine))
    return np.stack(means, axis=2)


def _redraw_grid(both: Array, generator: np.random.Generator, chosen: Indices) -> Array:
    """`both` is [prompts, samples, 2, k]."""
    _, samples, sides, parts = both.shape
    uniform = generator.random((*chosen.shape, samples))
    if samples == 1:
        single: Array = both[chosen, 0]
        return single
    flat = both.reshape(-1, sides * parts)
    uniform *= samples
    picks = uniform.astype(np.int64)
    picks += (chosen * samples)[..., None]
    means = np.zeros((*chosen.shape, sides * parts))
    row = np.empty_like(means)
    for sample in range(samples):
        flat.take(picks[..., sample], axis=0, out=row, mode="clip")
        means += row
    means /= samples
    return means.reshape(*chosen.shape, sides, parts)


def present(parts: Array) -> Mask:
    """Which samples are there: [prompts, samples]."""
    return np.asarray(~np.isnan(parts).any(axis=-1))


def prompt_means(parts: Array) -> Array:
    """The mean parts of each prompt over the samples it has: [prompts, k]."""
    mask = present(parts)[..., None]
    means: Array = np.where(mask, parts, 0.0).sum(axis=1) / mask.sum(axis=1)
    return means


def _packed(parts: Array) -> Packed:
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
