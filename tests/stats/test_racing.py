"""Racing: what is dropped was beaten, and what deserves to stay is hardly ever dropped."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import ttest_rel
from tests.profiles import examples

from ethogram.metrics.base import ratio
from ethogram.stats.racing import (
    FEWEST_TO_DROP,
    RaceObjective,
    beaten_p_values,
    compromise,
    front_shares,
    pareto_front,
    race,
)


def means(values: np.ndarray) -> np.ndarray:
    """[settings, prompts] values as parts of a mean."""
    return np.stack([values, np.ones_like(values)], axis=-1)


def objective(values: np.ndarray, *, higher: bool = True, samples: int = 2) -> RaceObjective:
    return RaceObjective(means(values), ratio, higher, np.full(len(values), samples))


def noisy(
    truth: Sequence[float] | np.ndarray,
    prompts: int,
    generator: np.random.Generator,
    *,
    noise: float = 0.1,
) -> np.ndarray:
    """Settings with true values that share each prompt's own difficulty."""
    difficulty = generator.normal(0, 1, prompts)
    own = generator.normal(0, noise, (len(truth), prompts))
    return np.asarray(truth)[:, None] + difficulty + own


def test_a_setting_beaten_on_everything_is_dropped_whatever_the_prompts_are_worth() -> None:
    generator = np.random.default_rng(1)
    first = objective(noisy([1.0, 0.0], 12, generator))
    second = objective(noisy([0.0, 1.0], 12, generator), higher=False)
    assert race([first, second], error=0.05, looks=2) == [None, 0]


def test_a_setting_that_is_best_at_one_thing_stays() -> None:
    generator = np.random.default_rng(2)
    first = objective(noisy([1.0, 0.0], 12, generator))
    second = objective(noisy([0.0, 1.0], 12, generator))
    assert race([first, second], error=0.05, looks=2) == [None, None]


def test_equal_settings_never_drop_each_other() -> None:
    values = np.tile(np.random.default_rng(3).normal(size=12), (4, 1))
    assert race([objective(values)], error=0.05, looks=1) == [None] * 4


def test_few_prompts_decide_nothing() -> None:
    values = noisy([1.0, 0.0], FEWEST_TO_DROP - 1, np.random.default_rng(4))
    assert race([objective(values)], error=0.05, looks=1) == [None, None]


def test_silence_does_not_win() -> None:
    values = np.random.default_rng(5).normal(size=(2, 12))
    parts = means(values)
    parts[1] = 0.0  # The metric applies to none of its outputs.
    silent = RaceObjective(parts, ratio, higher_is_better=False, samples=np.ones(2, dtype=int))
    assert race([silent], error=0.05, looks=1) == [None, 0]


@pytest.mark.parametrize("prompts", [8, 12, 24])
@pytest.mark.long
def test_of_equal_settings_hardly_any_is_dropped(prompts: int) -> None:
    """Under the null every drop is false: a race that drops anything at all is an error."""
    wrong = 0
    for seed in range(200):
        values = noisy([0.0] * 20, prompts, np.random.default_rng([6, prompts, seed]))
        wrong += any(by is not None for by in race([objective(values)], error=0.05, looks=1))
    assert wrong <= 20  # Of 200, 10 are due; above 20 has a chance of less than 0.2 %.


def test_most_of_the_hopeless_are_dropped_at_one_look() -> None:
    truth = np.linspace(0, 1, 20)
    dropped = 0
    for seed in range(20):
        generator = np.random.default_rng([7, seed])
        first = objective(noisy(truth, 12, generator))
        second = objective(noisy(truth, 12, generator))
        beaten = race([first, second], error=0.05, looks=1)
        assert beaten[19] is None
        dropped += sum(by is not None for by in beaten)
    assert dropped > 20 * 12


def test_one_objective_is_the_paired_t_test() -> None:
    values = noisy([0.3, 0.0], 12, np.random.default_rng(8), noise=0.8)
    p = beaten_p_values([objective(values, higher=False)])
    expected = ttest_rel(values[0], values[1], alternative="less").pvalue
    assert p[0, 1] == pytest.approx(expected)
    assert p[1, 0] == pytest.approx(1 - expected)
    assert p[0, 0] == p[1, 1] == 1


def test_an_objective_that_tells_nothing_apart_is_left_out() -> None:
    values = noisy([1.0, 0.0], 12, np.random.default_rng(10))
    both = [objective(values), objective(np.zeros((2, 12)))]
    assert beaten_p_values(both)[0, 1] == beaten_p_values(both[:1])[0, 1]
    assert race(both, error=0.05, looks=1) == [None, 0]


def test_settings_of_few_applicable_outputs_are_hardly_ever_dropped() -> None:
    """Five outputs that agree have no spread, and prove nothing."""
    wrong = 0
    for seed in range(200):
        generator = np.random.default_rng([12, seed])
        applies = generator.random((5, 12)) < 0.4
        scores = np.stack([applies & (generator.random((5, 12)) < 0.5), applies], axis=-1)
        one = RaceObjective(scores.astype(float), ratio, True, np.full(5, 4))
        wrong += any(by is not None for by in race([one], error=0.05, looks=1))
    assert wrong <= 20
    alone = np.zeros((2, 12, 2))
    alone[0, 0] = 1.0
    alone[1] = np.stack([np.tile([0.0, 1.0], 6), np.ones(12)], axis=-1)
    assert (
        race([RaceObjective(alone, ratio, True, np.full(2, 4))], error=0.05, looks=1) == [None] * 2
    )


def test_an_event_that_has_not_shown_yet_keeps_settings_apart() -> None:
    """Twelve outputs without a loop do not tell who loops less."""
    values, never = noisy([1.0, 0.0], 12, np.random.default_rng(10)), np.zeros((2, 12))
    for samples, beaten in ((1, None), (2, 0)):
        both = [objective(values, samples=samples), objective(never, samples=samples)]
        assert race(both, error=0.05, looks=1) == [None, beaten]
    uneven = RaceObjective(means(never), ratio, True, np.array([4, 1]))
    assert race([objective(values), uneven], error=0.05, looks=1) == [None, None]


@pytest.mark.parametrize("certain_first", [True, False])
def test_a_difference_without_any_noise_counts_in_either_order(certain_first: bool) -> None:
    """A p-value of exactly 0 once passed for an objective not looked at."""
    gain, tie = np.tile([[1.0], [0.0]], 12), noisy([0.0], 12, np.random.default_rng(11))[[0, 0]]
    both = [objective(gain), objective(tie)]
    both = both if certain_first else both[::-1]
    assert beaten_p_values(both)[0, 1] == 0
    assert race(both, error=0.05, looks=1) == [None, 0]


@settings(max_examples=examples(60))
@given(arrays(float, (7, 2), elements=st.integers(-3, 3).map(float)))
def test_the_front_holds_exactly_those_that_none_dominates(merits: np.ndarray) -> None:
    front = pareto_front(merits)
    for index, mine in enumerate(merits):
        beaten = any((other >= mine).all() and (other > mine).any() for other in merits)
        assert (index in front) != beaten
    assert compromise(merits, front) in front


def test_front_shares_find_the_sure_and_the_doubtful() -> None:
    generator = np.random.default_rng(9)
    both = objective(noisy([1.0, 0.98, -2.0], 12, generator, noise=0.2))
    shares = front_shares([both])
    assert shares[2] == 0
    assert shares[:2].sum() == pytest.approx(1)  # One objective: exactly one is best.


def test_a_compromise_does_not_depend_on_units() -> None:
    merits = np.array([[0.0, 100.0], [0.8, 90.0], [1.0, 0.0]])
    assert compromise(merits, [0, 1, 2]) == 1
    assert compromise(merits * np.array([1000.0, 0.001]), [0, 1, 2]) == 1
