"""Sequential decisions: errors over all looks together, and what is said to be missing."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from tests.stats.studies import allowed, studies

from ethogram.stats import decide_both, decide_bounded, decide_mean

ROUNDS = 12


def rates(generator: np.random.Generator, mean: float, prompts: int) -> Any:
    """Prompts that differ much, with exactly this mean: [prompts, rounds] of 0 and 1."""
    chances = generator.permutation(np.linspace(0, 2 * mean, prompts))[:, None]
    return (generator.random((prompts, ROUNDS)) < chances).astype(float)


def unseen(values: Any, longest: float) -> tuple[float, float]:
    """How far from the mean one more count between 0 and `longest` may lie."""
    mean = float(values.mean())
    return mean, longest - mean


def looks(decide: Any) -> str:
    """The first decision of someone who looks after every round."""
    for upto in range(1, ROUNDS + 1):
        side = decide(upto).side
        if side != "undecided":
            return str(side)
    return "undecided"


@pytest.mark.parametrize(("bound", "prompts"), [(0.02, 40), (0.2, 12), (0.5, 30)])
@pytest.mark.long
def test_wrong_decisions_stay_below_the_level_however_often_one_looks(
    bound: float, prompts: int
) -> None:
    """At the bound itself either decision is wrong: at most 5 % each over twelve looks."""
    generator = np.random.default_rng(0)
    found = []
    for _ in range(200):
        above = rates(generator, bound, prompts)
        ones = np.ones_like(above)
        found.append(looks(lambda n, a=above, o=ones: decide_bounded(a[:, :n], o[:, :n], bound)))
    for side in ("above", "below"):
        assert found.count(side) / len(found) <= 0.05 + 3 * 0.0155


@pytest.mark.parametrize("skewed", [False, True])
@pytest.mark.long
def test_unbounded_scores_are_decided_wrongly_at_most_as_often(skewed: bool) -> None:
    generator = np.random.default_rng(0)
    found = []
    for _ in range(300):
        noise = generator.normal(size=(20, ROUNDS))
        noise = np.exp(0.8 * noise) - np.exp(0.32) if skewed else noise
        means = np.linspace(-1, 1, 20)[:, None]
        found.append(looks(lambda n, s=means + noise: decide_mean(s[:, :n], 0.0)))
    for side in ("above", "below"):
        assert found.count(side) / len(found) <= 0.05 + 3 * 0.0126


def test_clear_cases_are_decided_rightly() -> None:
    generator = np.random.default_rng(1)
    low, high = rates(generator, 0.02, 60), rates(generator, 0.3, 60)
    ones = np.ones_like(low)
    assert decide_bounded(low, ones, 0.1).side == "below"
    assert decide_bounded(high, ones, 0.1).side == "above"
    assert decide_bounded(high, ones, 0.1).confidence > 0.999
    assert decide_mean(high * 100, 10).side == "above"
    assert decide_mean(rates(generator, 0.1, 60) * 100, 20).side == "below"
    assert decide_mean(high[:, :1][:20], 0.0).side == "undecided", "too few outputs"


@pytest.mark.parametrize("chance", [0.01, 0.03, 0.1])
@studies(130, 400)
def test_rare_counts_are_decided_wrongly_at_most_as_often(chance: float, trials: int) -> None:
    """At the bound itself, however rare the events: fifty outputs without one prove nothing."""
    generator = np.random.default_rng(4)
    found = []
    for _ in range(trials):
        counts = (generator.random((25, ROUNDS)) < chance).astype(float)
        found.append(looks(lambda n, c=counts: decide_mean(c[:, :n], chance)))
    for side in ("above", "below"):
        assert found.count(side) / len(found) <= allowed(0.05, trials)


def test_scores_that_hardly_differ_are_left_to_a_bet() -> None:
    """No output of 300 has any of at most 100 words behind its answer: only a bet sees that."""
    nothing, ones = np.zeros((25, ROUNDS)), np.ones((25, ROUNDS))
    assert decide_mean(nothing, 3.0).side == "undecided"
    assert (
        decide_both(nothing, ones, nothing, 3.0 / 100, 3.0, unseen=unseen(nothing, 100)).side
        == "below"
    )
    generator = np.random.default_rng(5)
    words = generator.integers(49, 51, (25, ROUNDS)).astype(float)
    assert decide_mean(words, 49.3).side == "above", "the limit theorem sees it"
    assert decide_bounded(words / 100, ones, 0.493).side == "undecided", "a bet does not"
    one_unseen = decide_both(words / 100, ones, words, 0.493, 49.3, unseen=unseen(words, 100))
    assert one_unseen.side == "undecided", "nor the two, as an output of no word may be to come"
    assert one_unseen.more


def test_a_spread_of_rounding_is_none() -> None:
    scores = np.full((12, 10), 0.1) * 3 + np.resize([0.0, 4e-17, -4e-17], (12, 10))
    assert decide_mean(scores, 0.2).side == "undecided"


@pytest.mark.parametrize("chance", [0.02, 0.3])
@studies(80, 300)
@pytest.mark.long
def test_two_methods_at_half_the_level_are_wrong_no_more_often(chance: float, trials: int) -> None:
    generator = np.random.default_rng(6)
    found = []
    for _ in range(trials):
        long = (generator.random((25, ROUNDS)) < chance) * generator.integers(20, 81, (25, ROUNDS))
        ones, mean = np.ones_like(long, dtype=float), chance * 50
        found.append(
            looks(
                lambda n, x=long, o=ones, m=mean: decide_both(
                    *(x[:, :n] / 100, o[:, :n], x[:, :n].astype(float), m / 100, m),
                    unseen=unseen(x[:, :n], 100),
                )
            )
        )
    for side in ("above", "below"):
        assert found.count(side) / len(found) <= allowed(0.05, trials)


def test_what_is_said_to_be_missing_decides() -> None:
    generator = np.random.default_rng(2)
    above = np.concatenate([rates(generator, 0.02, 30) for _ in range(40)], axis=1)
    ones = np.ones_like(above)
    first = decide_bounded(above[:, :2], ones[:, :2], 0.1)
    assert first.side == "undecided"
    assert first.more is not None
    nothing = np.zeros_like(above)
    total = 2 + (decide_bounded(nothing[:, :2], ones[:, :2], 0.05).more or 0)
    assert decide_bounded(nothing[:, :total], ones[:, :total], 0.05).side == "below"
    assert decide_bounded(nothing[:, : total - 1], ones[:, : total - 1], 0.05).side == "undecided"
    scores = np.tile([1.0, 3.0], (30, 1))
    told = decide_mean(scores, 1.9)
    assert told.side == "undecided"
    total = 2 + (told.more or 0)
    wide = np.tile(scores, (1, total))[:, :total]
    assert decide_mean(wide, 1.9).side == "above" or total % 2


def test_at_the_bound_nothing_is_promised() -> None:
    half = (np.indices((20, 8)).sum(axis=0) % 2).astype(float)
    found = decide_bounded(half, np.ones_like(half), 0.5)
    assert (found.side, found.more) == ("undecided", None)
    assert found.confidence == 0


def test_outputs_to_which_a_metric_does_not_apply_say_nothing() -> None:
    above = np.zeros((30, 3))
    weight = np.zeros((30, 3))
    assert decide_bounded(above, weight, 0.1).confidence == 0
    weight[:15] = 1
    applied = decide_bounded(above, weight, 0.1)
    alone = decide_bounded(above[:15], weight[:15], 0.1)
    assert applied == alone


@pytest.mark.parametrize(("chance", "prompts", "rounds"), [(0.05, 12, 8), (0.03, 24, 8)])
def test_few_long_outputs_among_small_noise_are_decided_wrongly_at_most_as_often(
    chance: float, prompts: int, rounds: int
) -> None:
    """Nought to two words, and 60 now and then: most early looks have seen none of these."""
    generator = np.random.default_rng(7)
    mean, found = 60 * chance + (1 - chance), []
    for _ in range(200):
        long = generator.random((prompts, rounds)) < chance
        words = np.where(long, 60, generator.integers(0, 3, long.shape)).astype(float)
        ones, last = np.ones_like(words), unseen(words, 80)
        found.append(decide_both(words / 80, ones, words, mean / 80, mean, unseen=last).side)
    for side in ("above", "below"):
        assert found.count(side) / len(found) <= 0.05 + 0.0155


def test_skewed_scores_wait_for_outputs_enough() -> None:
    generator = np.random.default_rng(8)
    found = [
        decide_mean(np.exp(generator.normal(size=(12, 12))), math.exp(0.5)).side for _ in range(200)
    ]
    assert found.count("below") / len(found) <= 0.05 + 0.0155
