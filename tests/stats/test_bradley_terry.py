"""Strengths against the reference library, their intervals, and what must change nothing."""

from __future__ import annotations

import math
from typing import Any

import evalica
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.profiles import examples

from benchmarks.arena_calibration import CASES, coverage
from ethogram.stats import bradley_terry

WINNERS = {1.0: evalica.Winner.X, 0.0: evalica.Winner.Y, 0.5: evalica.Winner.Draw}


def random_votes(seed: int, votes: int, versions: int, ties: float) -> Any:
    draw = np.random.default_rng(seed)
    first = draw.integers(0, versions, votes)
    second = (first + draw.integers(1, versions, votes)) % versions
    won = draw.choice([1.0, 0.5, 0.0], votes, p=[0.6 - ties, ties, 0.4])
    return first, second, won


def reference(method: str, first: Any, second: Any, won: Any) -> Any:
    """Log strengths of evalica, of mean 0."""
    found = getattr(evalica, method)(
        first.tolist(),
        second.tolist(),
        [WINNERS[each] for each in won],
        tolerance=1e-12,
        limit=9999,
    )
    logs = np.log(found.scores.sort_index().to_numpy())
    return logs - logs.mean()


@pytest.mark.parametrize("versions", [2, 5, 20])
def test_without_ties_strengths_are_those_of_the_reference_library(versions: int) -> None:
    votes = random_votes(1, 600, versions, 0.0)
    found = bradley_terry(*votes, versions=versions, prior=0)
    assert found.values == pytest.approx(reference("bradley_terry", *votes), abs=1e-5)
    assert math.isnan(found.tie)


def test_with_ties_they_maximise_the_likelihood_of_davidson() -> None:
    from scipy.optimize import minimize

    first, second, won = random_votes(2, 400, 4, 0.25)

    def loss(point: Any) -> float:
        distance = point[first] - point[second]
        logs = np.stack([distance / 2, np.full(len(won), point[-1]), -distance / 2])
        chosen = np.choose((won == 0.5) + 2 * (won == 0.0), logs)
        ridge = 0.05 * point[-1] ** 2 + 1e-9 * (point[:-1] ** 2).sum()
        return float(np.logaddexp.reduce(logs).sum() - chosen.sum() + ridge)

    best = minimize(loss, np.zeros(5), method="BFGS", options={"gtol": 1e-7}).x
    found = bradley_terry(first, second, won, versions=4, prior=0)
    assert found.values == pytest.approx(best[:4] - best[:4].mean(), abs=1e-5)
    assert found.tie == pytest.approx(best[4], abs=1e-5)


def test_half_a_vote_on_each_side_is_the_prior_of_two_versions() -> None:
    found = bradley_terry([0] * 10, [1] * 10, [1.0] * 7 + [0.0] * 3, versions=2)
    assert found.difference(0, 1).estimate == pytest.approx(math.log(7.5 / 3.5))
    error = math.sqrt(1 / 7.5 + 1 / 3.5)
    assert math.sqrt(found.model_covariance[0, 0]) * 2 == pytest.approx(error)


@pytest.mark.parametrize("won", [[1.0] * 12, [0.0] * 12, [0.5] * 12])
def test_no_strength_is_infinite(won: list[float]) -> None:
    found = bradley_terry([0] * 12, [1] * 12, won, versions=2)
    interval = found.difference(0, 1)
    assert all(map(math.isfinite, (interval.estimate, interval.low, interval.high)))
    if won[0] == 1.0:
        assert interval.low > 0
        assert found.p_value(0, 1) < 0.05
    if won[0] == 0.5:
        assert interval.estimate == pytest.approx(0)


def test_versions_that_no_vote_connects_are_not_compared() -> None:
    found = bradley_terry([0, 2, 3], [1, 3, 2], [1.0, 1.0, 0.5], versions=6)
    assert found.components == ((0, 1), (2, 3))
    assert not found.connected(0, 2)
    assert math.isnan(found.difference(0, 3).estimate)
    assert math.isnan(found.p_value(0, 3))
    assert found.variance(1, 2) == math.inf
    assert math.isnan(found.interval(5).estimate)
    assert found.votes[2, 3] == found.votes[3, 2] == 2


@settings(max_examples=examples(40), deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 6), st.integers(1, 40))
def test_order_and_names_change_nothing(seed: int, versions: int, votes: int) -> None:
    first, second, won = random_votes(seed, votes, versions, 0.2)
    clusters = np.random.default_rng(seed).integers(0, 9, votes)
    once = bradley_terry(first, second, won, versions=versions, clusters=clusters)
    order = np.random.default_rng(seed + 1).permutation(votes)
    again = bradley_terry(
        first[order], second[order], won[order], versions=versions, clusters=clusters[order]
    )
    assert again.values == pytest.approx(once.values, abs=1e-9, nan_ok=True)
    assert again.cluster_covariance == pytest.approx(once.cluster_covariance, abs=1e-9)
    turned = bradley_terry(second, first, 1 - won, versions=versions, clusters=clusters)
    assert turned.values == pytest.approx(once.values, abs=1e-9, nan_ok=True)


def test_length_is_taken_out() -> None:
    draw = np.random.default_rng(4)
    first, second = np.zeros(3000, int), np.ones(3000, int)
    lengths = draw.normal(20, 40, 3000)  # The first version writes more, and length alone wins.
    chance = 1 / (1 + np.exp(-2 * np.tanh(lengths / lengths.std(ddof=1))))
    won = (draw.random(3000) < chance).astype(float)
    plain = bradley_terry(first, second, won, versions=2)
    equal = bradley_terry(first, second, won, versions=2, length_differences=lengths)
    assert plain.difference(0, 1).low > 0.3
    assert equal.difference(0, 1).low < 0 < equal.difference(0, 1).high
    assert equal.length == pytest.approx(2, abs=0.3)


def test_votes_of_a_prompt_that_agree_widen_the_interval() -> None:
    draw = np.random.default_rng(5)
    prompts = np.repeat(np.arange(40), 10)
    won = np.repeat(draw.integers(0, 2, 40), 10).astype(float)  # Ten votes say the same.
    sides: Any = (np.zeros(400, int), np.ones(400, int), won)
    alone = bradley_terry(*sides, versions=2).difference(0, 1)
    together = bradley_terry(*sides, versions=2, clusters=prompts).difference(0, 1)
    ratio = (together.high - together.low) / (alone.high - alone.low)
    assert ratio == pytest.approx(math.sqrt(10), rel=0.1)


@pytest.mark.parametrize("name", list(CASES))
def test_intervals_hold_the_truth(name: str) -> None:
    """A short form of benchmarks/arena_calibration.py: 200 simulations, so ± 3 points."""
    assert 0.91 <= coverage(CASES[name], simulations=200, seed=7) <= 0.995


@pytest.mark.slow
@pytest.mark.parametrize("name", list(CASES))
def test_intervals_hold_the_truth_in_93_to_97_percent(name: str) -> None:
    most = 0.98 if CASES[name].votes < 50 else 0.97  # Few votes have few values, so rounded up.
    assert 0.93 <= coverage(CASES[name], simulations=1000, seed=1) <= most


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (([], [], []), "with a vote"),
        (([0], [0], [1.0]), "different versions"),
        (([0], [2], [1.0]), "in range"),
        (([0], [1], [0.7]), "0, 0.5 or 1"),
    ],
)
def test_bad_votes_are_refused(arguments: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        bradley_terry(*arguments, versions=2)
