"""Quicker ways to the same numbers: resamples of full grids, and the prompts that a test needs."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ethogram.stats.bootstrap import draw_twice
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
        assert np.array_equal(quick[0], plain[0])
        assert np.array_equal(quick[1], plain[1])


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
