"""Quicker ways to the same numbers: resamples of full grids, and the prompts that a test needs."""

from __future__ import annotations

import math
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ethogram.metrics.base import ratio
from ethogram.stats.bootstrap import POOLED_OUTPUTS, draw_twice
from ethogram.stats.influence import differences_and_errors, influences, standard_error
from ethogram.stats.planning import FEWEST_PROMPTS, MAX_PROMPTS, Spread, more_samples
from ethogram.stats.student import nearly_t_quantile, t_quantile


@pytest.mark.parametrize("shape", [(7, 1, 2), (20, 3, 2), (30, 10, 1), (11, 4, 3), (90, 50, 2)])
def test_resamples_of_a_full_grid_are_those_of_the_same_samples(
    shape: tuple[int, int, int],
) -> None:
    draw = np.random.default_rng(3)
    full = [draw.random(shape) for _ in range(2)]
    # A sample that no prompt has: the same draws, but not a full grid.
    nothing = np.full((shape[0], 1, shape[2]), np.nan)
    ragged = [np.concatenate([parts, nothing], axis=1) for parts in full]
    for quick, plain in zip(
        draw_twice(*full, resamples=300, seed=4),
        draw_twice(*ragged, resamples=300, seed=4),
        strict=True,
    ):
        assert np.array_equal(quick, plain)


def test_resamples_from_a_pool_vary_as_those_drawn_one_by_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In the mean of their distances, and in how far the quantile of an interval lies."""
    draw = np.random.default_rng(7)
    values = draw.normal(size=(200, 1)) + draw.normal(scale=2, size=(2, 200, 10))
    values[1] *= draw.random((200, 1)) < 0.5  # Prompts of different noise.
    before, after = np.stack([values, np.ones_like(values)], axis=-1)
    assert before.shape[0] * before.shape[1] >= POOLED_OUTPUTS
    found = {}
    for way, limit in (("pool", 0), ("alone", 10**9)):
        monkeypatch.setattr(sys.modules[draw_twice.__module__], "POOLED_OUTPUTS", limit)
        drawn = [
            np.concatenate([*draw_twice(before, after, resamples=1999, seed=seed)])
            for seed in range(4)
        ]
        means = np.concatenate([(each[..., 1, 0] - each[..., 0, 0]).mean(axis=1) for each in drawn])
        errors = np.concatenate([differences_and_errors(each, ratio)[1] for each in drawn])
        distances = np.abs(means - (values[1] - values[0]).mean()) / errors
        found[way] = means.std(), np.quantile(distances, 0.95)
    assert found["pool"] == pytest.approx(found["alone"], rel=0.03)


@pytest.mark.parametrize("kind", ["rate", "rare", "weighted"])
def test_errors_from_moments_are_those_of_influence_values(kind: str) -> None:
    draw = np.random.default_rng(11)
    shape = (60, 40, 2)
    weights: Any = np.ones(shape)
    values: Any = draw.random(shape)
    if kind == "weighted":
        weights = 5.0 + draw.integers(0, 85, shape)
        values *= weights
    else:  # Rare events leave some resamples without any variance.
        values = 1.0 * (values < {"rate": 0.3, "rare": 0.005}[kind])
    means = np.stack([values, weights], axis=-1)
    differences, errors = differences_and_errors(means, ratio)
    due, influence = influences(means[:, :, 0], means[:, :, 1], ratio)
    np.testing.assert_allclose(differences, due, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(errors, standard_error(influence), rtol=1e-6, atol=1e-12)


@given(
    total=st.floats(1e-6, 1e4),
    difference=st.floats(1e-4, 1e2),
    power=st.sampled_from([0.3, 0.5, 0.8, 0.99]),
)
def test_the_fewest_prompts_are_found(total: float, difference: float, power: float) -> None:
    found = more_samples(Spread(math.nan, math.nan, total, 30, 1.0), difference, power=power)

    def enough(prompts: int) -> bool:
        reach = t_quantile(0.975, prompts - 1) + t_quantile(power, prompts - 1)
        return reach * math.sqrt(total / prompts) <= difference

    if found.prompts is None:
        assert not enough(MAX_PROMPTS)
    else:
        assert enough(found.prompts)
        assert found.prompts == FEWEST_PROMPTS or not enough(found.prompts - 1)


@pytest.mark.parametrize("probability", [0.15, 0.5, 0.8, 0.975, 0.9987])
@pytest.mark.parametrize("freedom", [200, 1_000, 2**19])
def test_the_expansion_of_the_quantile_is_near(probability: float, freedom: int) -> None:
    exact = t_quantile(probability, freedom)
    assert nearly_t_quantile(probability, freedom) == pytest.approx(exact, rel=1e-6, abs=1e-9)
