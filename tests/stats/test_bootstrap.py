"""Intervals against scipy, and their coverage."""

from typing import Any

import numpy as np
import pytest
from scipy.stats import bootstrap as scipy_bootstrap

from ethogram.stats import bootstrap, paired_bootstrap


def mean(parts: Any) -> Any:
    return parts[..., 0] / parts[..., 1]


def as_parts(values: Any) -> Any:
    return np.stack([values, np.ones_like(values)], axis=-1)


def test_paired_interval_is_that_of_scipy() -> None:
    generator = np.random.default_rng(3)
    a = generator.normal(size=60)
    b = a + 0.4 + generator.normal(scale=0.5, size=60)
    ours = paired_bootstrap(as_parts(a), as_parts(b), mean, resamples=20_000, seed=1)
    theirs = scipy_bootstrap(
        (a, b),
        lambda x, y, axis: (y - x).mean(axis=axis),
        paired=True,
        vectorized=True,
        method="percentile",
        n_resamples=20_000,
        rng=np.random.default_rng(2),
    ).confidence_interval
    assert ours.estimate == pytest.approx((b - a).mean())
    assert ours.low == pytest.approx(theirs.low, abs=0.01)
    assert ours.high == pytest.approx(theirs.high, abs=0.01)


def test_ratio_is_resampled_as_a_ratio() -> None:
    generator = np.random.default_rng(5)
    parts = np.stack([generator.poisson(3, 80), generator.poisson(30, 80) + 1], axis=-1) * 1.0
    ours = bootstrap(parts, mean, resamples=20_000, seed=1)
    theirs = scipy_bootstrap(
        (parts[:, 0], parts[:, 1]),
        lambda x, y, axis: x.sum(axis=axis) / y.sum(axis=axis),
        paired=True,
        vectorized=True,
        method="percentile",
        n_resamples=20_000,
        rng=np.random.default_rng(2),
    ).confidence_interval
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.002)


def test_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    generator = np.random.default_rng(7)
    covered = 0
    for trial in range(300):
        values = as_parts(generator.normal(size=40))
        interval = bootstrap(values, mean, resamples=500, seed=trial)
        covered += interval.low <= 0 <= interval.high
    assert 0.89 <= covered / 300 <= 0.98


def test_pairing_narrows_the_interval_and_equal_groups_give_zero() -> None:
    generator = np.random.default_rng(1)
    a = as_parts(generator.normal(scale=5, size=50))
    b = a + np.array([0.1, 0.0])
    paired = paired_bootstrap(a, b, mean)
    assert paired.high - paired.low < 1e-9
    same = paired_bootstrap(a, a, mean)
    assert (same.estimate, same.low, same.high) == (0, 0, 0)


def test_what_cannot_be_known_is_nan() -> None:
    with np.errstate(invalid="ignore"):
        interval = bootstrap(np.zeros((5, 2)), mean)
    assert np.isnan([interval.estimate, interval.low, interval.high]).all()


def test_shapes_must_agree() -> None:
    with pytest.raises(ValueError, match="differ in shape"):
        paired_bootstrap(np.ones((3, 2)), np.ones((4, 2)), mean)
