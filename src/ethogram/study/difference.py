"""Difference: one metric of two versions, tested on the prompts that both have."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ethogram.errors import SpecError
from ethogram.metrics import Metric
from ethogram.stages import stage
from ethogram.stats import More, PairedTest, adjust, more_samples, paired
from ethogram.study.measure import Measured
from ethogram.study.shared_prompts import shared_prompts
from ethogram.study.tested import test_key

#: Seed of the resampling, fixed so that every number of a log can be derived again.
SEED = 20260101
#: A difference counts where its p-value, adjusted for the metrics beside it, is at most this.
LEVEL = 0.05


@dataclass(frozen=True)
class Difference:
    """One metric of two versions: after minus before, with its paired test.

    Attributes:
        metric: what was measured.
        test: the paired test.
        p_adjusted: its p-value after Holm's correction for the other metrics of the table.
    """

    metric: Metric
    test: PairedTest
    p_adjusted: float

    def __str__(self) -> str:
        doubt = " ?" if self.is_unreliable else ""
        return (
            f"{self.metric.name} {self.before:.4g} → {self.after:.4g}, {self.estimate:+.3g} "
            f"[{self.low:+.3g}, {self.high:+.3g}]{doubt} {self.verdict}"
        )

    @property
    def before(self) -> float:
        """Value of the first version on the prompts that both have."""
        return self.test.before

    @property
    def after(self) -> float:
        """Value of the second version on the same prompts."""
        return self.test.after

    @property
    def low(self) -> float:
        """Lower bound of the 95 % interval."""
        return self.test.low

    @property
    def high(self) -> float:
        """Upper bound of the 95 % interval."""
        return self.test.high

    @property
    def estimate(self) -> float:
        """After minus before."""
        return self.test.estimate

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval excludes zero."""
        return self.low > 0 or self.high < 0

    @property
    def is_clear(self) -> bool:
        """Whether the interval excludes zero reliably and the adjusted p-value agrees.

        Where all prompts differ by the same, the interval's width is unknown but its side is not.
        """
        sure = self.test.reliable or self.test.has_zero_variance
        return self.excludes_zero and sure and self.p_adjusted <= LEVEL

    @property
    def is_unreliable(self) -> bool:
        """Whether there is an interval, and it is unreliable."""
        return not self.test.reliable and not math.isnan(self.estimate)

    @property
    def verdict(self) -> str:
        """Better, worse or changed, with "perhaps" where not clear; or no clear change."""
        if math.isnan(self.estimate):
            return "not measured"
        if not self.excludes_zero:
            return "no clear change"
        rose = self.estimate > 0
        if self.metric.direction == "none":
            word = "changed"
        else:
            word = "better" if rose == (self.metric.direction == "higher") else "worse"
        return word if self.is_clear else f"perhaps {word}"

    @property
    def needed(self) -> More:
        """What would find a difference of the measured size with 80 % power."""
        return more_samples(self.test.spread, self.estimate)

    def to_json(self) -> dict[str, Any]:
        """Plain data; unknown values are null."""
        test = self.test
        numbers = {
            "before": self.before,
            "after": self.after,
            "difference": self.estimate,
            "low": self.low,
            "high": self.high,
            "p": test.p,
            "p_adjusted": self.p_adjusted,
            "standard_error": test.error,
            "effect_size": test.effect,
            "superiority": test.superiority.ordinary,
            "superiority_coupled": test.superiority.coupled,
            "minimum_detectable": test.minimum_detectable,
            "coupled_variance": test.coupling.ratio,
            "coupled_variance_low": test.coupling.low,
            "coupled_variance_high": test.coupling.high,
        }
        needed = self.needed
        return {
            "metric": self.metric.name,
            "unit": self.metric.unit.name,
            **{key: value if math.isfinite(value) else None for key, value in numbers.items()},
            "prompts": test.prompts,
            "prompts_needed": needed.prompts,
            "samples_needed": needed.samples,
            "coupling_unknown": test.coupling.unknown or None,
            "unreliable": test.warning or None,
            "verdict": self.verdict,
        }


def differences(
    first: Mapping[str, Measured],
    second: Mapping[str, Measured],
    names: Sequence[str],
    before: str,
    after: str,
    *,
    coupled: bool = False,
) -> dict[str, Difference]:
    """The differences of several metrics, their p-values adjusted for one another (Holm).

    Args:
        first: metric name to the scores of the first version.
        second: of the second.
        names: the metrics.
        before: name of the first version, for messages.
        after: name of the second.
        coupled: whether the two use common random numbers (one noise per sample index).

    Raises:
        SpecError: the versions share no prompt, or an id is used for two different prompts.
    """
    found = {
        name: difference(first[name], second[name], before, after, coupled=coupled)
        for name in names
    }
    adjusted = adjust([item.test.p for item in found.values()], "holm")
    return {
        name: replace(item, p_adjusted=float(p))
        for (name, item), p in zip(found.items(), adjusted, strict=True)
    }


def difference(
    first: Measured, second: Measured, before: str, after: str, *, coupled: bool = False
) -> Difference:
    """The paired difference of one metric alone, over the prompts that both versions have.

    Raises:
        SpecError: the versions share no prompt, or an id is used for two different prompts.
    """
    # Keeps the first version's measurement with its test, so that its id stays its own.
    key = (id(first), coupled)
    if key not in second.tested:
        second.tested[key] = first, _test(first, second, before, after, coupled=coupled)
    found: Difference = second.tested[key][1]
    return found


def _test(
    first: Measured, second: Measured, before: str, after: str, *, coupled: bool
) -> Difference:
    is_stale = bool(first.stale or second.stale)
    ids = shared_prompts(first.outputs, second.outputs, before, after, skip_reworded=is_stale)
    a, b = (_parts_of(ids, side) for side in (first, second))
    metric, tests = first.metric, second.stored_tests
    key = test_key(metric, a, b, coupled=coupled, seed=SEED)
    test = tests.get(key) if tests else None
    if test is None:
        stage(f"Testing {after} against {before}")
        test = paired(a, b, metric.aggregate, coupled=coupled, width=metric.unit.width, seed=SEED)
        if tests:
            tests.add(key, metric, test)
    return Difference(metric, test, test.p)


def comparable(first: Mapping[str, Measured], second: Mapping[str, Measured]) -> bool:
    """Whether two versions share a prompt, in one wording where one of them is stale."""
    one, two = next(iter(first.values())), next(iter(second.values()))
    if not (one.stale or two.stale):
        return True
    try:
        return bool(shared_prompts(one.outputs, two.outputs, "", "", skip_reworded=True))
    except SpecError:
        return False


def _parts_of(ids: Sequence[str], measured: Measured) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The parts of some prompts: [prompts, sample indices, parts]."""
    known, parts = measured.parts_by_sample()
    row = {prompt_id: number for number, prompt_id in enumerate(known)}
    return parts[[row[prompt_id] for prompt_id in ids]]
