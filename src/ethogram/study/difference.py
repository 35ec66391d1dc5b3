"""Difference: one metric of two versions, tested on the prompts that both have."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from threading import Lock
from typing import Any

from threadpoolctl import ThreadpoolController

from ethogram.cores import threads_to_use
from ethogram.errors import SpecError
from ethogram.metrics import Metric
from ethogram.stages import stage
from ethogram.stats import More, PairedTest, adjust, more_samples, paired
from ethogram.study.measure import Measured
from ethogram.study.shared_prompts import shared_prompts
from ethogram.study.tested import Parts, bases_key, test_key

#: Seed of the resampling, fixed so that every number of a log can be derived again.
SEED = 20260101
#: Parts of a version below which threads would mostly wait for Python's lock.
_FEW_NUMBERS = 1_000
#: A difference counts where its p-value, adjusted for the metrics beside it, is at most this.
LEVEL = 0.05
#: One set of tests at a time: each uses all cores.
_testing = Lock()


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
    pairs = [(first[name], second[name]) for name in names]
    _recall(pairs, coupled=coupled)
    _test_open(pairs, before, after, coupled=coupled)
    found = {
        name: difference(first[name], second[name], before, after, coupled=coupled)
        for name in names
    }
    adjusted = adjust([item.test.p for item in found.values()], "holm")
    return {
        name: replace(item, p_adjusted=float(p))
        for (name, item), p in zip(found.items(), adjusted, strict=True)
    }


def are_tested(
    first: Mapping[str, Measured],
    second: Mapping[str, Measured],
    names: Sequence[str],
    *,
    coupled: bool = False,
) -> bool:
    """Whether `differences` of the same arguments has no test left to compute."""
    pairs = [(first[name], second[name]) for name in names]
    _recall(pairs, coupled=coupled)
    return all((id(before), coupled) in after.tested for before, after in pairs)


def difference(
    first: Measured, second: Measured, before: str, after: str, *, coupled: bool = False
) -> Difference:
    """The paired difference of one metric alone, over the prompts that both versions have.

    Raises:
        SpecError: the versions share no prompt, or an id is used for two different prompts.
    """
    _recall([(first, second)], coupled=coupled)
    _test_open([(first, second)], before, after, coupled=coupled)
    found: Difference = second.tested[id(first), coupled][1]
    return found


def _recall(pairs: Sequence[tuple[Measured, Measured]], *, coupled: bool) -> None:
    """Take the tests of kept scores from the store, those of all pairs at once."""
    keys = {
        key: pair
        for pair in pairs
        if (id(pair[0]), coupled) not in pair[1].tested and (key := _key(*pair, coupled=coupled))
    }
    tests = next((second.stored_tests for _, second in keys.values()), None)
    for key, test in (tests.get(list(keys)) if tests else {}).items():
        first, second = keys[key]
        second.tested[id(first), coupled] = first, Difference(first.metric, test, test.p)


def _key(first: Measured, second: Measured, *, coupled: bool) -> str | None:
    """The key of a test that needs no scores; None where they are not kept, or not of all outputs.

    What two complete versions share follows from their suites, which the bases follow from too.
    """
    bases = [side.basis for side in (first, second)]
    if not all(bases):
        return None
    return bases_key(first.metric, *bases, coupled=coupled, seed=SEED)


@dataclass(frozen=True)
class _Open:
    """A test that is not known: the measurements, their parts, and the keys that it is kept by."""

    first: Measured
    second: Measured
    parts: tuple[Parts, Parts]
    keys: Sequence[str]


def _test_open(
    pairs: Sequence[tuple[Measured, Measured]], before: str, after: str, *, coupled: bool
) -> None:
    """Test the pairs that are not tested yet; those of many outputs on all cores at once."""
    todo = [
        _opened(first, second, before, after, coupled=coupled)
        for first, second in pairs
        if (id(first), coupled) not in second.tested
    ]
    tests: list[PairedTest | None] = [_stored(each.second, each.keys[0]) for each in todo]
    missing = [each for each, test in zip(todo, tests, strict=True) if test is None]
    if missing:
        stage(f"Testing {after} against {before}")
    computed = iter(_tested(missing, coupled=coupled) if missing else ())
    for each, stored in zip(todo, tests, strict=True):
        test = stored or next(computed)
        metric, kept = each.first.metric, each.second.stored_tests
        if kept and (stored is None or len(each.keys) > 1):
            kept.add(each.keys, metric, test)
        # Keeps the first version's measurement with its test, so that its id stays its own.
        each.second.tested[id(each.first), coupled] = each.first, Difference(metric, test, test.p)


def _opened(first: Measured, second: Measured, before: str, after: str, *, coupled: bool) -> _Open:
    is_stale = bool(first.stale or second.stale)
    ids = shared_prompts(first.prompts, second.prompts, before, after, skip_reworded=is_stale)
    parts = _parts_of(ids, first), _parts_of(ids, second)
    key = test_key(first.metric, *parts, coupled=coupled, seed=SEED)
    known = _key(first, second, coupled=coupled)
    return _Open(first, second, parts, [key, *([known] if known else [])])


def _stored(second: Measured, key: str) -> PairedTest | None:
    return second.stored_tests.get([key]).get(key) if second.stored_tests else None


def _tested(tests: Sequence[_Open], *, coupled: bool) -> list[PairedTest]:
    """The paired tests. NumPy lets other threads compute while it works on large arrays."""

    def test(each: _Open) -> PairedTest:
        metric = each.first.metric
        width, aggregate = metric.unit.width, metric.aggregate
        return paired(*each.parts, aggregate, coupled=coupled, width=width, seed=SEED)

    threads = min(len(tests), threads_to_use())
    if threads < 2 or max(each.parts[0].size for each in tests) < _FEW_NUMBERS:
        return [test(each) for each in tests]
    # Threads of the library of matrix products beside these would only wait for each other. Its
    # limit is one for the process, so one caller at a time.
    with _testing, _products().limit(limits=1), ThreadPoolExecutor(threads, "tests") as pool:
        return list(pool.map(test, tests))


@cache
def _products() -> ThreadpoolController:
    """NumPy's own library of matrix products; torch keeps the threads of its own."""
    return ThreadpoolController().select(internal_api="openblas")


def comparable(first: Mapping[str, Measured], second: Mapping[str, Measured]) -> bool:
    """Whether two versions share a prompt, in one wording where one of them is stale."""
    one, two = next(iter(first.values())), next(iter(second.values()))
    if not (one.stale or two.stale):
        return True
    try:
        return bool(shared_prompts(one.prompts, two.prompts, "", "", skip_reworded=True))
    except SpecError:
        return False


def _parts_of(ids: Sequence[str], measured: Measured) -> Parts:
    """The parts of some prompts: [prompts, sample indices, parts]."""
    known, parts = measured.parts_by_sample()
    row = {prompt_id: number for number, prompt_id in enumerate(known)}
    return parts[[row[prompt_id] for prompt_id in ids]]
