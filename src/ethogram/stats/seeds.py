"""Seeds: two ways to train, each with several seeds, on the same prompts.

Two things vary: another seed gives another model, and other prompts give other values. Seeds and
prompts are resampled together, and the interval is for new seeds and new prompts, so it answers
which recipe is better, not which model.

With I seeds and J prompts crossed, a value varies by a²/I + b²/J + e²/(I J) for seeds, prompts and
what they have together. Resampling I - 1 seeds and J - 1 prompts with replacement (Rao and Wu 1988)
reproduces the first two and three times the last (Owen 2007, arXiv:0712.1111, the pigeonhole
bootstrap), so twice the last is subtracted, estimated from the residuals of a two-way table. Few
seeds leave few degrees of freedom, so the interval is that of Student's t (Satterthwaite 1946).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ethogram.stats.bootstrap import CHUNK, Aggregate
from ethogram.stats.influence import gradient
from ethogram.stats.student import t_cdf, t_quantile

Array = np.ndarray[Any, np.dtype[np.float64]]
#: Seeds beyond which nobody plans.
MOST_SEEDS = 1000


@dataclass(frozen=True, slots=True)
class SeedTest:
    """The difference of two recipes, after minus before.

    Attributes:
        before: value of the first recipe, over its seeds and all prompts.
        after: value of the second.
        estimate: after minus before.
        error: standard error, for new seeds and new prompts.
        freedom: degrees of freedom.
        low: lower bound of the 95 % interval; NaN with one seed.
        high: upper bound.
        p: two-sided p-value of no difference; NaN with one seed.
        seeds: of either recipe.
        prompts: that all have.
        seed_variance: of the true values of seeds, the sum of both recipes.
        prompt_variance: part of the squared error that more seeds do not reduce.
    """

    before: float
    after: float
    estimate: float
    error: float
    freedom: float
    low: float
    high: float
    p: float
    seeds: tuple[int, int]
    prompts: int
    seed_variance: float
    prompt_variance: float

    def seeds_to_decide(self, *, power: float = 0.8, level: float = 0.05) -> int | None:
        """Seeds of each recipe at which a difference of this size is found.

        Args:
            power: probability of finding it.
            level: of the two-sided test.

        Returns:
            None if no number of seeds suffices, so that more prompts are needed, or if the
            difference is zero or not known.
        """
        if not self.estimate or math.isnan(self.error):
            return None
        for seeds in range(2, MOST_SEEDS + 1):
            error = math.sqrt(self.seed_variance / seeds + self.prompt_variance)
            freedom = _freedom(
                [self.seed_variance / seeds, self.prompt_variance],
                [2 * (seeds - 1), self.prompts - 1],
            )
            reach = t_quantile(1 - level / 2, freedom) + t_quantile(power, freedom)
            if reach * error <= abs(self.estimate):
                return seeds
        return None


def compare_seeds(
    before: Array,
    after: Array,
    aggregate: Aggregate,
    *,
    resamples: int = 2000,
    seed: int = 0,
    level: float = 0.05,
) -> SeedTest:
    """Compare two recipes by the values of their seeds on the same prompts.

    Args:
        before: [seeds, prompts, k], mean parts of each prompt for each seed of the first recipe.
        after: [seeds', prompts, k], of the second, on the same prompts in the same order.
        aggregate: mean parts [..., k] to values [...].
        resamples: of seeds and prompts together.
        seed: of the resampling.
        level: one minus the coverage of the interval.

    Raises:
        ValueError: the prompts differ in number, or there are fewer than two.
    """
    prompts = before.shape[1]
    if prompts != after.shape[1] or prompts < 2:
        raise ValueError("both need the same prompts, and at least two")
    sides = (before, after)
    with np.errstate(all="ignore"):
        values = [float(aggregate(side.mean(axis=(0, 1)))) for side in sides]
        cells = [_linear(side, aggregate) for side in sides]
    estimate, seeds = values[1] - values[0], (len(before), len(after))
    if min(seeds) < 2 or math.isnan(estimate):
        nan = math.nan
        known = (values[0], values[1], estimate)
        return SeedTest(*known, nan, nan, nan, nan, nan, seeds, prompts, nan, nan)
    of_seeds = [float(cell.mean(axis=1).var(ddof=1)) / len(cell) for cell in cells]
    paired = cells[1].mean(axis=0) - cells[0].mean(axis=0)
    of_prompts = float(paired.var(ddof=1)) / prompts
    shared = [_residual(cell) / cell.size for cell in cells]
    draws = np.concatenate(list(_draws(*sides, aggregate, resamples, seed)))
    drawn = float(
        np.nanvar(draws, ddof=1)
    )  # A resample may have nothing that the metric applies to.
    # What is left cannot be less than either part alone.
    variance = max(drawn - 2 * sum(shared), sum(of_seeds), of_prompts)
    error = math.sqrt(variance)
    # What seeds and prompts have together is in both parts: it counts with the fewer degrees.
    of_rest = variance - sum(of_seeds)
    freedom = _freedom([*of_seeds, of_rest], [seeds[0] - 1, seeds[1] - 1, prompts - 1])
    reach = t_quantile(1 - level / 2, freedom) * error
    true_seeds = sum(
        max(0.0, part - own) * len(cell)
        for part, own, cell in zip(of_seeds, shared, cells, strict=True)
    )
    return SeedTest(
        before=values[0],
        after=values[1],
        estimate=estimate,
        error=error,
        freedom=freedom,
        low=estimate - reach,
        high=estimate + reach,
        p=2 * (1 - t_cdf(abs(estimate) / error, freedom)) if error else float(estimate == 0),
        seeds=seeds,
        prompts=prompts,
        seed_variance=true_seeds,
        prompt_variance=max(0.0, of_prompts - sum(shared)),
    )


def _linear(parts: Array, aggregate: Aggregate) -> Array:
    """How much each cell moves the value: [seeds, prompts], with mean zero."""
    moved = parts @ gradient(parts.mean(axis=(0, 1)), aggregate)
    centred: Array = moved - moved.mean()
    return centred


def _residual(cells: Array) -> float:
    """Variance of what seeds and prompts have together, from a two-way table."""
    rest = cells - cells.mean(axis=0) - cells.mean(axis=1, keepdims=True) + cells.mean()
    rows, columns = cells.shape
    return float(np.square(rest).sum()) / float((rows - 1) * (columns - 1))


def _freedom(parts: list[float], freedoms: list[int]) -> float:
    """Degrees of freedom of a sum of variances (Satterthwaite 1946)."""
    total = sum(parts)
    if total == 0:
        return float(sum(freedoms))
    squares = math.fsum(part * part / own for part, own in zip(parts, freedoms, strict=True))
    return total * total / squares


def _draws(
    before: Array, after: Array, aggregate: Aggregate, resamples: int, seed: int
) -> Iterator[Array]:
    """Differences of resamples; both recipes have the same prompts, and seeds of their own."""
    generator = np.random.default_rng(seed)
    prompts = before.shape[1]
    size = max(1, CHUNK // (prompts * max(len(before), len(after)) * before.shape[2]))
    for start in range(0, resamples, size):
        count = min(size, resamples - start)
        of_prompts = _weights(generator, prompts, count)
        values = []
        for side in (before, after):
            own = _weights(generator, len(side), count)
            by_prompt = np.tensordot(own, side, axes=1)  # [resamples, prompts, k]
            with np.errstate(all="ignore"):
                values.append(aggregate(np.einsum("rp,rpk->rk", of_prompts, by_prompt)))
        yield values[1] - values[0]


def _weights(generator: np.random.Generator, members: int, count: int) -> Array:
    """Shares of members in draws of one fewer with replacement: [count, members]."""
    drawn = generator.multinomial(members - 1, np.full(members, 1 / members), size=count)
    weights: Array = drawn / (members - 1)
    return weights
