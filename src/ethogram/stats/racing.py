"""Racing: which of many settings another beats on every objective, beyond chance.

A race tests settings in pairs,
prompt by prompt; for shares of the Pareto front all settings are resampled together over the same
prompts. Either way what a prompt does to all of them cancels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ethogram.stats.bootstrap import Aggregate, Array
from ethogram.stats.multiple import adjust
from ethogram.stats.student import t_cdf

Counts = np.ndarray[Any, np.dtype[np.int64]]
#: Fewest prompts of either half: selection and holdout.
LEAST_PROMPTS = 6
#: With fewer prompts a race eliminates nothing: so many agree by chance, and then have no spread.
FEWEST_TO_DROP = 8
#: Outputs of each of two settings from which on equality on an objective is believed: if one of
#: them did something in every eighth output that the other never does, it would have shown by now
#: with 95 % (0.875^24 = 0.04).
TIED_OUTPUTS = 24


@dataclass(frozen=True)
class RaceObjective:
    """One objective of all settings in a race.

    Attributes:
        parts: [settings, prompts, k], the mean additive parts of each prompt.
        aggregate: summed parts [..., k] to values [...].
        higher_is_better: its direction.
        samples: that each setting's parts are the mean of, per prompt: [settings].
    """

    parts: Array
    aggregate: Aggregate
    higher_is_better: bool
    samples: Counts

    def pseudo_values(self) -> Array:
        """The jackknife pseudo-values of the prompts, higher better: [settings, prompts].

        Where leaving a prompt out leaves nothing to measure, and where there was nothing before,
        the setting is as bad as the worst of all: it must not win by silence.
        """
        sums = self.parts.sum(axis=1, keepdims=True)
        prompts = self.parts.shape[1]
        whole = np.asarray(self.aggregate(sums))  # [settings, 1]
        without = np.asarray(self.aggregate(sums - self.parts))  # [settings, prompts]
        made = prompts * whole - (prompts - 1) * np.where(np.isnan(without), whole, without)
        made = made if self.higher_is_better else -made
        known = np.isfinite(made)
        return np.where(known, made, made[known].min() if known.any() else 0.0)

    def merits(self, weights: Array) -> Array:
        """Each setting's value in each resample, higher better: [settings, resamples].

        A metric that applies to no output is as bad as can be: it must not win by silence.
        """
        made = np.asarray(self.aggregate(np.einsum("rp,spk->srk", weights, self.parts)))
        made = made if self.higher_is_better else -made
        return np.where(np.isnan(made), -np.inf, made)


def front_shares(
    objectives: Sequence[RaceObjective], *, resamples: int = 2000, seed: int = 0
) -> Array:
    """How often each setting is on the Pareto front when the prompts are drawn again: [settings].

    Args:
        objectives: of the same settings and prompts.
        resamples: bootstrap replicates over prompts.
        seed: of the resampling.
    """
    beaten = np.zeros((len(objectives[0].parts), resamples), dtype=bool)
    for beaten_by_one in _dominated(objectives, resamples, seed):
        beaten |= beaten_by_one
    return np.asarray(1 - beaten.mean(axis=1))


def _dominated(
    objectives: Sequence[RaceObjective], resamples: int, seed: int
) -> Iterator[np.ndarray[Any, np.dtype[np.bool_]]]:
    """For each setting, which settings it dominates in which resamples: [settings, resamples]."""
    settings, prompts = objectives[0].parts.shape[:2]
    generator = np.random.default_rng(seed)
    drawn = generator.multinomial(prompts, np.full(prompts, 1 / prompts), size=resamples)
    merits = [objective.merits(drawn.astype(np.float64)) for objective in objectives]
    for one in range(settings):
        no_worse = np.ones((settings, resamples), dtype=bool)
        better = np.zeros((settings, resamples), dtype=bool)
        for merit in merits:
            no_worse &= merit[one] >= merit
            better |= merit[one] > merit
        yield no_worse & better


def beaten_p_values(objectives: Sequence[RaceObjective]) -> Array:
    """P-values that one setting is not better than another on all objectives.

    On each objective the settings are compared by a one-sided paired t-test over the jackknife
    pseudo-values of the prompts (Tukey 1958; Efron and Tibshirani 1993, chapter 11), which serves
    means and ratios alike. A setting beats another if it is better on all objectives, so the
    largest of their p-values is the pair's (intersection-union test, Berger 1982), and no
    correction for the number of objectives is due. An objective on which two settings are equal on
    every prompt decides nothing. It is left out once `TIED_OUTPUTS` of each say so; before, it
    forbids that one beats the other: of a rare event that has not come up yet, nobody knows. Nor
    does one beat another by fewer than `FEWEST_TO_DROP` prompts on which both say something.

    Args:
        objectives: of the same settings and prompts.

    Returns:
        [settings, settings]: row against column; 1 where nothing speaks for the row.
    """
    settings, prompts = objectives[0].parts.shape[:2]
    worst = np.full((settings, settings), -1.0)  # Below any p-value: nothing looked at yet.
    for objective in objectives:
        merits = objective.pseudo_values()
        said = (objective.parts != 0).any(axis=2)  # [settings, prompts]
        for one in range(settings):
            gains = merits[one] - merits  # [settings, prompts]
            with np.errstate(invalid="ignore", divide="ignore"):
                error = gains.std(axis=1, ddof=1) / np.sqrt(prompts)
                ratios = gains.mean(axis=1) / error
            p = np.array([_above(ratio, prompts - 1) for ratio in ratios])
            # A setting to which the metric applies nowhere is the worst, and can be beaten.
            both = np.where(said.any(axis=1), (said & said[one]).sum(axis=1), said[one].sum())
            p = np.where(both < FEWEST_TO_DROP, 1.0, p)
            seen = np.minimum(objective.samples, objective.samples[one]) * prompts
            p = np.where((gains == 0).all(axis=1), np.where(seen < TIED_OUTPUTS, 1.0, -1.0), p)
            worst[one] = np.maximum(worst[one], p)
    return np.where(worst < 0, 1.0, worst)  # Equal on everything: nothing speaks for either.


def _above(ratio: float, freedom: int) -> float:
    """The share of Student's t above a ratio; of 0 / 0 nothing is known."""
    if np.isinf(ratio):
        return float(ratio < 0)
    return 1.0 if np.isnan(ratio) else t_cdf(-ratio, freedom)


def race(objectives: Sequence[RaceObjective], *, error: float, looks: int) -> list[int | None]:
    """Which settings to eliminate: another is clearly better on every objective.

    A race by repeated paired tests (Maron and Moore 1994; Birattari et al. 2002). A setting's
    p-value is the smallest against any other, times their number (Bonferroni); over the settings
    the false discovery rate is held at `error / looks` (Benjamini and Hochberg 1995). So over the
    race at most about `error` of the eliminated settings should have stayed.

    Args:
        objectives: of the settings still in the race.
        error: for the whole race.
        looks: how often the race looks in all.

    Returns:
        For each setting the index of the one that beats it most surely, or None if it stays.
    """
    settings, prompts = objectives[0].parts.shape[:2]
    if settings < 2 or prompts < FEWEST_TO_DROP:
        return [None] * settings
    against = beaten_p_values(objectives)
    by = against.argmin(axis=0)
    p = np.minimum(against.min(axis=0) * (settings - 1), 1.0)
    beaten = adjust(p, "bh") <= error / looks
    return [int(by[setting]) if beaten[setting] else None for setting in range(settings)]


def pareto_front(merits: Array) -> list[int]:
    """Indices of the settings that no other dominates.

    Args:
        merits: [settings, objectives], higher better; NaN is worst.
    """
    merits = np.where(np.isnan(merits), -np.inf, merits)
    no_worse = (merits[:, None, :] >= merits[None, :, :]).all(axis=-1)
    better = (merits[:, None, :] > merits[None, :, :]).any(axis=-1)
    return [int(index) for index in np.flatnonzero(~(no_worse & better).any(axis=0))]


def compromise(merits: Array, among: Sequence[int]) -> int:
    """The setting nearest to the ideal point (compromise programming, Zeleny 1973).

    Each objective is scaled to its range among the settings compared, so units do not matter; the
    distance is Euclidean.

    Args:
        merits: [settings, objectives], higher better.
        among: indices to choose from, usually the front; at least one.
    """
    chosen = np.where(np.isfinite(merits[list(among)]), merits[list(among)], np.nan)
    best, worst = np.nanmax(chosen, axis=0), np.nanmin(chosen, axis=0)
    span = np.where(best > worst, best - worst, 1.0)
    away = np.nan_to_num((best - chosen) / span, nan=1.0)
    return int(list(among)[int(np.argmin((away**2).sum(axis=1)))])
