"""Intervals of one group against scipy."""

from typing import Any

import numpy as np
import pytest
from scipy.stats import bootstrap as scipy_bootstrap

from ethogram.metrics.base import ratio
from ethogram.stats import bootstrap
from ethogram.stats.bootstrap import draw_twice


def as_parts(values: Any) -> Any:
    return np.stack([values, np.ones_like(values)], axis=-1)


def test_the_interval_of_a_ratio_is_near_that_of_scipy() -> None:
    generator = np.random.default_rng(5)
    parts = np.stack([generator.poisson(3, 80), generator.poisson(30, 80) + 1], axis=-1) * 1.0
    ours = bootstrap(parts, ratio, resamples=9999, seed=1)
    theirs = scipy_bootstrap(
        (parts[:, 0], parts[:, 1]),
        lambda x, y, axis: x.sum(axis=axis) / y.sum(axis=axis),
        paired=True,
        vectorized=True,
        method="percentile",
        n_resamples=9999,
        rng=np.random.default_rng(2),
    ).confidence_interval
    assert ours.estimate == pytest.approx(parts[:, 0].sum() / parts[:, 1].sum())
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.004)


def test_what_cannot_be_known_is_nan() -> None:
    with np.errstate(invalid="ignore"):
        interval = bootstrap(np.zeros((5, 2)), ratio)
    assert np.isnan([interval.estimate, interval.low, interval.high]).all()


def test_two_stages_have_the_variance_that_theory_gives() -> None:
    """That of the prompts' means, and each prompt's own over its samples."""
    generator = np.random.default_rng(3)
    values = generator.normal(size=(40, 1)) + generator.normal(size=(40, 5))
    drawn = draw_twice(as_parts(values), as_parts(values), resamples=20_000, seed=0)
    means = np.concatenate([each[:, :, 1, 0].mean(axis=1) for each in drawn])
    due = (values.mean(1).var() + values.var(axis=1).mean() / 5) / 40
    assert means.mean() == pytest.approx(values.mean(), abs=0.01)
    assert means.var() == pytest.approx(due, rel=0.04)


def test_equal_sample_indices_are_drawn_together_and_others_are_not() -> None:
    generator = np.random.default_rng(3)
    before = as_parts(generator.normal(size=(20, 6)))
    after = before + np.array([2.0, 0.0])
    for drawn in draw_twice(before, after, resamples=50, seed=0):
        np.testing.assert_allclose(drawn[:, :, 1, 0] - drawn[:, :, 0, 0], 2.0)
    ragged = after.copy()
    ragged[3, 5] = np.nan
    for drawn in draw_twice(before, ragged, resamples=50, seed=0):
        apart = np.abs(drawn[:, :, 1, 0] - drawn[:, :, 0, 0] - 2.0) > 1e-9
        assert 0 < apart.mean() < 0.15, "only where prompt 3 was drawn"
    # Prompt 3 has five samples under each, of other indices: either order draws the same.
    other = before.copy()
    other[3, 0] = np.nan
    for there, back in zip(
        draw_twice(other, ragged, resamples=50, seed=0),
        draw_twice(ragged, other, resamples=50, seed=0),
        strict=True,
    ):
        np.testing.assert_array_equal(there, back[:, :, ::-1])
    greedy = before[:, :1]
    for drawn in draw_twice(greedy, after, resamples=50, seed=0):
        assert np.isin(drawn[:, :, 0, 0], greedy[:, 0, 0]).all()
