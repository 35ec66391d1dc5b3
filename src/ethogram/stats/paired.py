"""Paired: two versions compared on the same prompts and sample indices."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ethogram.stats.bootstrap import Aggregate, draw_twice, present, prompt_means
from ethogram.stats.bounded import bounded_mean
from ethogram.stats.coupling import Coupling, coupling, unmeasured
from ethogram.stats.influence import (
    differences_and_errors,
    gradient,
    influences,
    standard_error,
)
from ethogram.stats.interval import critical
from ethogram.stats.permutation import sign_flip_test
from ethogram.stats.planning import (
    FEWEST_PROMPTS,
    Spread,
    minimum_detectable,
    minimum_detectable_share,
)
from ethogram.stats.student import t_quantile
from ethogram.stats.superiority import Superiority, superiority

Array = np.ndarray[Any, np.dtype[np.float64]]

#: An interval of fewer effective prompts is marked as unreliable, as is one of fewer
#: than `planning.FEWEST_PROMPTS`: below these its coverage in benchmarks/calibration.py falls as
#: far as 46 %. From these on it is 93 to 97 % for values that vary in most prompts, and 96 to 100 %
#: for rates of 5 and 1 %.
FEWEST_EFFECTIVE_PROMPTS = 5
#: Of few prompts, so large a share of effective prompts is enough: lengths always vary.
_EVEN = 0.6
#: Differences smaller than this share of the values they come from are rounding.
_ROUNDING = 1e-12
#: Why there is no interval although enough prompts differ: they differ by the same.
ZERO_VARIANCE = "zero variance across prompts"


@dataclass(frozen=True, slots=True)
class PairedTest:
    """Two versions under one metric; NaN where something cannot be known.

    Attributes:
        before: value of the first version.
        after: value of the second.
        low: lower bound of the interval around after minus before.
        high: upper bound.
        confidence: coverage aimed at.
        p: two-sided p-value of the paired permutation (sign-flip) test.
        error: standard error of the difference over prompts.
        spread: where its variance comes from.
        effect: mean difference of prompts in their standard deviations (Cohen's d_z), with Hedges'
            correction for few prompts.
        superiority: probability that the second scores higher.
        coupling: what common random numbers saved.
        prompts: to which the metric applies under either version.
        effective_prompts: effective sample size of the difference: with equal contributions the
            number of prompts; with a few large among many small, hardly more than those few.
        has_spread: whether the prompts differ enough from each other to measure distances in.
        width: of the range that the metric's values lie in; infinite where nothing bounds them.
        warning: why the interval is unreliable; empty if it is reliable.
    """

    before: float
    after: float
    low: float
    high: float
    confidence: float
    p: float
    error: float
    spread: Spread
    effect: float
    superiority: Superiority
    coupling: Coupling
    prompts: int
    effective_prompts: float
    has_spread: bool
    width: float
    warning: str

    @property
    def estimate(self) -> float:
        """After minus before."""
        return self.after - self.before

    @property
    def reliable(self) -> bool:
        """Whether the interval has its stated coverage."""
        return not self.warning

    @property
    def has_zero_variance(self) -> bool:
        """Whether the prompts differ by the same: the sign is known, the bounds are not."""
        return self.warning == ZERO_VARIANCE

    @property
    def minimum_detectable(self) -> float:
        """Minimum detectable effect: the smallest true difference found with 80 % power.

        If fewer than 5 prompts differ, or all by the same amount, the variance is unknown. For a
        metric with a known range, the worst case is then assumed: a rare event that moves prompts
        from one end of the range to the other. For other metrics it is NaN.
        """
        level = 1 - self.confidence
        if self.has_spread and self.effective_prompts >= FEWEST_EFFECTIVE_PROMPTS:
            return minimum_detectable(self.spread, level=level)
        share = minimum_detectable_share(self.prompts, level=level)
        return self.width * share if math.isfinite(self.width) else math.nan


def paired(
    before: Array,
    after: Array,
    aggregate: Aggregate,
    *,
    coupled: bool = False,
    width: float = math.inf,
    resamples: int = 1999,
    draws: int = 9999,
    seed: int = 0,
    confidence: float = 0.95,
) -> PairedTest:
    """Test value(after) - value(before), both measured on the same prompts.

    The interval is a symmetric studentised bootstrap (Hall 1988; Davison and Hinkley 1997, sections
    2.4 and 3.8): prompts are drawn again, then samples within them, and each resample's distance
    from the difference is measured in its own standard error. Drawing samples as well makes
    resamples vary more than the data do, but their standard errors grow by the same factor, so it
    cancels.
    Percentile intervals are too narrow with prompts alone and too wide with both
    (docs/statistics.md).

    Where the prompts differ so alike that over 5 % of resamples have no spread (23 of 24 loop that
    did not), there is nothing to measure distances in. If the metric's range is known, the interval
    then is Gaffke's, of bounded values; if not, that of Student, marked as unreliable.

    Args:
        before: [prompts, samples, k], parts of each output; rows of NaN where a sample is absent.
        after: [prompts, samples', k], row i of the same prompt; equal sample indices are pairs.
        aggregate: mean parts [..., k] to values [...], smooth, NaN where nothing applies.
        coupled: whether a sample index has the same noise in both versions.
        width: of the range that the metric's values lie in, such as 1 for a share. No bound of the
            interval exceeds it.
        resamples: of the bootstrap; 1999 leave the bounds uncertain by 2 to 3 % of their distance.
        draws: of the sign-flip test, where it cannot try all assignments.
        seed: of both.
        confidence: coverage aimed at.

    Raises:
        ValueError: the shapes do not fit, or a prompt has no sample.
    """
    if len(before) != len(after) or before.shape[2:] != after.shape[2:]:
        raise ValueError(f"parts differ in shape: {before.shape} and {after.shape}")
    if not (present(before).any(axis=1) & present(after).any(axis=1)).all():
        raise ValueError("every prompt needs a sample under both versions")
    # Prompts to which the metric applies under neither version do not count.
    applies = (np.nan_to_num(before).any(axis=(1, 2))) | (np.nan_to_num(after).any(axis=(1, 2)))
    before, after = before[applies], after[applies]
    means_a, means_b = prompt_means(before), prompt_means(after)
    if len(before) < 2:
        values = (_value(means_a, aggregate), _value(means_b, aggregate))
        return _unknown(*values, before, confidence, width)
    difference, influence = influences(means_a, means_b, aggregate)
    value_a, value_b = _value(means_a, aggregate), _value(means_b, aggregate)
    if not np.isfinite(influence).all():
        return _unknown(value_a, value_b, before, confidence, width)
    largest = max(abs(value_a), abs(value_b))
    influence = _without_rounding(influence, largest)
    contributions = _without_rounding(influence + difference, largest)
    error = float(standard_error(influence))
    margin = _critical(before, after, aggregate, float(difference), resamples, seed, confidence)
    effective_prompts = effective_size(contributions)
    weights = _effective_weights(means_a, means_b)
    warning = _warning(len(before), effective_prompts, weights, bounded=margin is not None)
    if warning == ZERO_VARIANCE and math.isfinite(width):
        low, high = bounded_mean(contributions, -width, width, confidence=confidence, seed=seed)
        warning = ""
    else:
        bound = error * (margin or t_quantile((1 + confidence) / 2, len(before) - 1))
        low, high = (value_b - value_a + side * bound for side in (-1, 1))
    scores_a, scores_b = (
        _scores(parts, means, aggregate, largest)
        for parts, means in ((before, means_a), (after, means_b))
    )
    return PairedTest(
        before=value_a,
        after=value_b,
        low=max(low, -width),
        high=min(high, width),
        confidence=confidence,
        p=sign_flip_test(means_a, means_b, aggregate, draws=draws, seed=seed),
        error=error,
        spread=_spread(scores_a, scores_b, influence),
        effect=_effect(float(difference), error, len(before)),
        superiority=superiority(aggregate(before), aggregate(after), coupled=coupled),
        coupling=coupling(scores_a, scores_b, resamples=resamples, seed=seed)
        if coupled
        else unmeasured("no shared noise"),
        prompts=len(before),
        effective_prompts=effective_prompts,
        has_spread=margin is not None,
        width=width,
        warning=warning,
    )


def _scores(parts: Array, means: Array, aggregate: Aggregate, largest: float) -> Array:
    """Each output's share in its version's value, to first order: [prompts, samples]."""
    slope = gradient(means.mean(axis=0), aggregate)
    return _without_rounding(np.einsum("psk,k->ps", parts, slope), largest)


def _value(means: Array, aggregate: Aggregate) -> float:
    with np.errstate(all="ignore"):
        return float(aggregate(means.mean(axis=0))) if len(means) else math.nan


def _without_rounding(values: Array, scale: float) -> Array:
    """Exactly zero where a prompt's difference is nothing but rounding."""
    cleaned: Array = np.where(np.abs(values) <= _ROUNDING * max(scale, 1e-300), 0.0, values)
    return cleaned


def _critical(
    before: Array,
    after: Array,
    aggregate: Aggregate,
    difference: float,
    resamples: int,
    seed: int,
    confidence: float,
) -> float | None:
    """The margin of the interval in standard errors; None where no number would do."""
    distances, errors = [], []
    for means in draw_twice(before, after, resamples=resamples, seed=seed):
        differences, error = differences_and_errors(means, aggregate)
        distances.append(np.abs(differences - difference))
        errors.append(error)
    margin = critical(np.concatenate(distances), np.concatenate(errors), confidence)
    return margin if np.isfinite(margin) and margin > 0 else None


def effective_size(contributions: Array) -> float:
    """Kish's effective sample size of a sum over prompts: (sum |c|)² / sum c²."""
    square = float((contributions**2).sum())
    return float(np.abs(contributions).sum()) ** 2 / square if square > 0 else 0.0


def _effective_weights(means_a: Array, means_b: Array) -> float:
    """Kish's effective number of prompts of a pooled value, by their weights (words, n-grams).

    Outputs of weight 0 or 1 are counted: all prompts are effective.
    """
    weights = means_a[:, 1::2] + means_b[:, 1::2]
    if means_a.shape[-1] % 2 or max(means_a[:, 1::2].max(), means_b[:, 1::2].max()) <= 1:
        return float(len(means_a))
    return effective_size(weights[:, 0])


def _effect(difference: float, error: float, prompts: int) -> float:
    """Hedges (1981): 1 - 3 / (4 (n - 1) - 1) takes the bias out of the standardised difference."""
    if error == 0:
        return 0.0 if difference == 0 else math.copysign(math.inf, difference)
    return difference / (error * math.sqrt(prompts)) * (1 - 3 / (4 * (prompts - 1) - 1))


def _spread(scores_a: Array, scores_b: Array, influence: Array) -> Spread:
    """Split the variance of prompts' differences into that of prompts and that of samples."""
    counts = np.maximum((~np.isnan(scores_a)).sum(axis=1), (~np.isnan(scores_b)).sum(axis=1))
    if scores_a.shape == scores_b.shape and (np.isnan(scores_a) == np.isnan(scores_b)).all():
        noise = _noise(scores_b - scores_a)
    else:
        noise = _noise(scores_a) + _noise(scores_b)
    total = float(influence.var(ddof=1))
    prompts, samples = len(influence), float(1 / np.mean(1 / counts))
    repeated = counts > 1
    if not repeated.any():
        return Spread(math.nan, math.nan, total, prompts, samples)
    within = float(np.mean((noise * counts)[repeated]))
    return Spread(max(0.0, total - within / samples), within, total, prompts, samples)


def _noise(scores: Array) -> Array:
    """The variance of each prompt's mean that its samples bring in; zero with one sample."""
    counts = (~np.isnan(scores)).sum(axis=1)
    centre = np.nansum(scores, axis=1) / counts
    squares = np.nansum((scores - centre[:, None]) ** 2, axis=1)
    noise: Array = squares / np.maximum(counts - 1, 1) / counts
    return noise


def _warning(prompts: int, effective: float, weights: float, *, bounded: bool) -> str:
    """Why an interval is unreliable, from its effective sample sizes; empty if it is not."""
    if prompts < FEWEST_PROMPTS:
        return f"only {prompts} prompts"
    if weights < min(FEWEST_PROMPTS, _EVEN * prompts):
        few = round(weights)
        return f"dominated by {few} prompt{'' if few == 1 else 's'}"
    if effective == 0:
        return "no prompt differs"
    if effective < FEWEST_EFFECTIVE_PROMPTS:
        few = round(effective)
        if few >= FEWEST_EFFECTIVE_PROMPTS:
            return "rests on fewer than 5 prompts"
        return f"rests on {few} prompt{'' if few == 1 else 's'}"
    return "" if bounded else ZERO_VARIANCE


def _unknown(
    before: float, after: float, parts: Array, confidence: float, width: float
) -> PairedTest:
    nan = math.nan
    return PairedTest(
        before=before,
        after=after,
        low=nan,
        high=nan,
        confidence=confidence,
        p=nan,
        error=nan,
        spread=Spread(nan, nan, nan, len(parts), nan),
        effect=nan,
        superiority=Superiority(nan, nan),
        coupling=unmeasured("no value"),
        prompts=len(parts),
        effective_prompts=nan,
        has_spread=False,
        width=width,
        warning="too few prompts" if len(parts) < 2 else "not measured in both",
    )
