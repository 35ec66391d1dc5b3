"""Two recipes by several seeds: intervals cover new seeds and new prompts."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from ethogram.stats.seeds import compare_seeds

Array = np.ndarray[Any, np.dtype[np.float64]]


def mean(parts: Array) -> Array:
    return parts[..., 0]


def ratio(parts: Array) -> Array:
    value: Array = parts[..., 0] / parts[..., 1]
    return value


def simulate(
    draw: np.random.Generator, seeds: int, prompts: int, *, seed_sd: float, effect: float = 0.0
) -> tuple[Array, Array]:
    """Seeds, prompts and their interaction, with a true difference of `effect`."""
    shared = draw.normal(0, 1, prompts)
    sides = []
    for shift in (0.0, effect):
        own = draw.normal(0, seed_sd, (seeds, 1))
        prompt = draw.normal(0, 0.3, prompts)
        noise = draw.normal(0, 1.0, (seeds, prompts))
        sides.append((1.0 + shift + shared + own + prompt + noise)[..., None])
    return sides[0], sides[1]


def coverage(seeds: int, seed_sd: float, repeats: int, resamples: int) -> float:
    draw = np.random.default_rng(7)
    covered = 0
    for at in range(repeats):
        before, after = simulate(draw, seeds, 40, seed_sd=seed_sd, effect=0.5)
        test = compare_seeds(before, after, mean, resamples=resamples, seed=at)
        covered += test.low <= 0.5 <= test.high
    return covered / repeats


@pytest.mark.parametrize("seed_sd", [0.0, 0.5])
def test_coverage_with_few_seeds(seed_sd: float) -> None:
    """300 repeats: 95 % coverage varies by 1.3 percentage points."""
    assert 0.91 <= coverage(4, seed_sd, 300, 300) <= 0.99


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [2, 3, 5, 10])
@pytest.mark.parametrize("seed_sd", [0.0, 0.1, 0.3, 1.0])
def test_coverage_in_full(seeds: int, seed_sd: float) -> None:
    """2000 repeats: 95 % coverage varies by 0.5 percentage points."""
    assert 0.935 <= coverage(seeds, seed_sd, 2000, 500) <= 0.99


def test_resampling_prompts_alone_would_not_cover() -> None:
    """What the method is for: seeds that differ more than prompts tell."""
    draw = np.random.default_rng(3)
    covered = 0
    for _ in range(200):
        before, after = simulate(draw, 3, 40, seed_sd=0.5)
        paired = (after - before)[..., 0].mean(axis=0)
        covered += abs(paired.mean()) <= 2.02 * paired.std(ddof=1) / math.sqrt(40)
    assert covered / 200 < 0.8


def test_the_error_is_that_of_many_experiments() -> None:
    draw = np.random.default_rng(11)
    tests = [
        compare_seeds(*simulate(draw, 5, 40, seed_sd=0.4), mean, resamples=300, seed=at)
        for at in range(200)
    ]
    true = np.std([test.estimate for test in tests])
    assert math.sqrt(np.mean([test.error**2 for test in tests])) == pytest.approx(true, rel=0.15)


def test_a_ratio_of_totals() -> None:
    draw = np.random.default_rng(5)
    lengths = draw.integers(5, 50, (2, 3, 30)).astype(float)
    before, after = (
        np.stack([share * each, each], axis=-1)
        for share, each in zip((0.2, 0.4), lengths, strict=True)
    )
    test = compare_seeds(before, after, ratio)
    assert [test.before, test.after] == pytest.approx([0.2, 0.4])
    assert test.error == pytest.approx(0.0, abs=1e-6)
    assert test.seeds_to_decide() == 2


def test_seeds_to_decide_finds_the_difference_as_often_as_it_says() -> None:
    draw = np.random.default_rng(2)
    before, after = simulate(draw, 60, 400, seed_sd=0.5, effect=0.5)
    needed = compare_seeds(before, after, mean).seeds_to_decide()
    assert needed is not None
    found = 0
    for at in range(200):
        again = compare_seeds(
            *simulate(draw, needed, 400, seed_sd=0.5, effect=0.5), mean, resamples=200, seed=at
        )
        found += again.low > 0
    assert 0.65 <= found / 200 <= 0.95


def test_no_number_of_seeds_replaces_prompts() -> None:
    draw = np.random.default_rng(4)
    prompt = draw.normal(0, 1, (1, 10, 1))
    before = draw.normal(0, 0.01, (4, 10, 1))
    after = before + 0.05 + prompt
    assert compare_seeds(before, after, mean).seeds_to_decide() is None


def test_one_seed_has_no_interval() -> None:
    test = compare_seeds(np.zeros((1, 5, 1)), np.ones((3, 5, 1)), mean)
    assert test.estimate == 1.0
    assert math.isnan(test.low)
    assert math.isnan(test.p)
    assert test.seeds_to_decide() is None


def test_other_prompts_are_refused() -> None:
    with pytest.raises(ValueError, match="same prompts"):
        compare_seeds(np.zeros((2, 5, 1)), np.zeros((2, 4, 1)), mean)


def test_the_same_seed_draws_the_same() -> None:
    before, after = simulate(np.random.default_rng(1), 3, 20, seed_sd=0.2)
    assert compare_seeds(before, after, mean) == compare_seeds(before, after, mean)
