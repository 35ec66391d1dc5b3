"""What no statistic may depend on: names of sides, order of prompts, where a scale has its zero."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from tests.profiles import examples

from ethogram.metrics.base import ratio
from ethogram.stats import (
    PairedTest,
    bootstrap,
    decide_bounded,
    decide_mean,
    length_controlled,
    paired,
)
from ethogram.stats.bootstrap import draw_twice

FEW = settings(max_examples=examples(40))
QUICK: dict[str, Any] = {"resamples": 49, "draws": 99}
SEEDS = st.integers(0, 2**32 - 1)


@st.composite
def versions(draw: Any, *, means: bool = False) -> tuple[Any, Any]:
    """Parts of two versions on 2 to 8 prompts, 1 to 3 samples each, some of them absent.

    A part is a small whole number and its weight; `means` gives every output the weight 1, else
    the metric may not apply to an output.
    """
    prompts = draw(st.integers(2, 8))
    both = []
    for _ in range(2):
        shape = (prompts, draw(st.integers(1, 3)))
        weights = draw(arrays(float, shape, elements=st.integers(0, 3))) if not means else 1.0
        values = draw(arrays(float, shape, elements=st.integers(-4, 4))) * weights
        parts = np.stack([values, np.broadcast_to(weights, shape)], axis=-1)
        absent = draw(arrays(bool, shape))
        absent[:, 0] = False
        parts[absent] = np.nan
        both.append(parts)
    return both[0], both[1]


def exponential(parts: Any) -> Any:
    """An aggregate that is no mean, like perplexity."""
    return np.exp(ratio(parts) / 4)


def numbers(test: PairedTest) -> Any:
    """All that a test says but for its bounds; p last."""
    effect, spread = test.effect, test.spread
    found = [test.before, test.after, test.error, effect, test.superiority.ordinary]
    return np.array([*found, spread.between, spread.within, test.effective_prompts, test.p])


@FEW
@given(versions(), st.sampled_from([ratio, exponential]))
def test_swapping_versions_mirrors_the_test(both: tuple[Any, Any], value: Any) -> None:
    there, back = paired(*both, value, **QUICK), paired(*both[::-1], value, **QUICK)
    same = np.testing.assert_allclose
    same([back.before, back.after], [there.after, there.before])
    same([back.estimate, back.effect], [-there.estimate, -there.effect])
    same([back.low, back.high], [-there.high, -there.low], atol=1e-12)
    same(
        [back.p, back.error, back.effective_prompts],
        [there.p, there.error, there.effective_prompts],
    )
    same(back.superiority.ordinary, 1 - there.superiority.ordinary)
    assert back.warning == there.warning


@FEW
@given(versions(), st.sampled_from([ratio, exponential]), SEEDS)
def test_p_lies_above_zero_and_up_to_one(both: tuple[Any, Any], value: Any, seed: int) -> None:
    test = paired(*both, value, seed=seed, **QUICK)
    assert np.isnan(test.p) or 0 < test.p <= 1
    assert np.isnan(test.low) or test.low <= test.estimate <= test.high


@FEW
@given(versions(), st.data())
def test_the_order_of_prompts_changes_nothing_but_the_resampling(
    both: tuple[Any, Any], data: st.DataObject
) -> None:
    order = data.draw(st.permutations(range(len(both[0]))))
    test, again = (paired(a, b, ratio, **QUICK) for a, b in (both, [each[order] for each in both]))
    np.testing.assert_allclose(numbers(again), numbers(test), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(again.low + again.high, test.low + test.high, atol=1e-9)


@settings(max_examples=examples(10))
@given(SEEDS)
def test_the_order_of_prompts_moves_bounds_by_no_more_than_resampling(seed: int) -> None:
    generator = np.random.default_rng(seed)
    values = generator.normal(size=(2, 30, 2))
    parts = np.stack([values, np.ones_like(values)], axis=-1)
    test, again = (
        paired(before, after, ratio, resamples=999, draws=19)
        for before, after in (parts, parts[:, ::-1])
    )
    assert again.high - again.low == pytest.approx(test.high - test.low, rel=0.2)


@FEW
@given(versions(means=True), st.integers(-50, 50))
def test_a_constant_added_to_both_changes_no_difference(
    both: tuple[Any, Any], constant: int
) -> None:
    test = paired(*both, ratio, **QUICK)
    before, after = (parts + np.array([constant, 0.0]) for parts in both)
    moved = paired(before, after, ratio, **QUICK)
    told = numbers(test) + np.array([constant, constant, *[0.0] * 7])
    np.testing.assert_allclose(numbers(moved)[:-2], told[:-2], rtol=1e-6, atol=1e-9)
    assert moved.p == pytest.approx(test.p)
    np.testing.assert_allclose([moved.low, moved.high], [test.low, test.high], atol=1e-6)


@FEW
@given(versions(), SEEDS)
def test_swapping_the_versions_swaps_their_resamples(both: tuple[Any, Any], seed: int) -> None:
    there, back = (list(draw_twice(*each, resamples=7, seed=seed)) for each in (both, both[::-1]))
    for one, other in zip(there, back, strict=True):
        np.testing.assert_array_equal(one, other[:, :, ::-1])


@FEW
@given(versions(means=True), st.integers(-50, 50), st.data())
def test_an_interval_of_one_group_moves_and_turns_with_its_values(
    both: tuple[Any, Any], constant: int, data: st.DataObject
) -> None:
    parts = both[0][:, 0]  # [prompts, (value, 1)]
    found = bootstrap(parts, ratio, resamples=49)
    turned = bootstrap(parts * np.array([-1.0, 1.0]), ratio, resamples=49)
    same = np.testing.assert_allclose
    same([turned.estimate, turned.low, turned.high], [-found.estimate, -found.high, -found.low])
    moved = bootstrap(parts + np.array([constant, 0.0]), ratio, resamples=49)
    told = np.array([found.estimate, found.low, found.high]) + constant
    same([moved.estimate, moved.low, moved.high], told, atol=1e-6)
    order = data.draw(st.permutations(range(len(parts))))
    again = bootstrap(parts[order], ratio, resamples=49)
    assert again.estimate == pytest.approx(found.estimate)
    middle = [(each.low + each.high) / 2 for each in (found, again)]  # NaN: no number would do.
    same([value for value in middle if not np.isnan(value)], found.estimate, atol=1e-9)


@st.composite
def rounds(draw: Any) -> tuple[Any, Any]:
    """Outcomes and weights [prompts, rounds] with 0 <= outcome <= weight <= 1, all dyadic."""
    shape = (draw(st.integers(1, 12)), draw(st.integers(1, 8)))
    weights = draw(arrays(float, shape, elements=st.sampled_from([0.0, 0.5, 1.0, 1.0])))
    # One share for all leans to one side, so that some examples are decided.
    base = draw(st.sampled_from([0.0, 0.25, 1.0]))
    shares = draw(arrays(float, shape, elements=st.sampled_from([base, base, base, 0.5])))
    return weights * shares, weights


OTHER_SIDE = {"above": "below", "below": "above", "undecided": "undecided"}


@FEW
@given(rounds(), st.sampled_from([1 / 16, 1 / 4, 1 / 2, 7 / 8]))
def test_the_other_way_round_the_other_side_is_decided(both: tuple[Any, Any], bound: float) -> None:
    above, weight = both
    found = decide_bounded(above, weight, bound)
    mirrored = decide_bounded(weight - above, weight, 1 - bound)
    assert mirrored.side == OTHER_SIDE[found.side]
    assert mirrored.confidence == pytest.approx(found.confidence)
    assert (mirrored.rounds, mirrored.more) == (found.rounds, found.more)
    scores = above * 10 - 3
    found, mirrored = decide_mean(scores, bound), decide_mean(-scores, -bound)
    assert mirrored.side == OTHER_SIDE[found.side]
    assert mirrored.confidence == pytest.approx(found.confidence)
    assert (mirrored.rounds, mirrored.more) == (found.rounds, found.more)


@FEW
@given(rounds(), st.sampled_from([1 / 16, 1 / 2, 7 / 8]), st.integers(-50, 50), st.data())
def test_decisions_know_no_order_of_prompts_and_no_zero(
    both: tuple[Any, Any], bound: float, constant: int, data: st.DataObject
) -> None:
    above, weight = both
    order = data.draw(st.permutations(range(len(above))))
    pairs = [
        (decide_bounded(above, weight, bound), decide_bounded(above[order], weight[order], bound)),
        (decide_mean(above, bound), decide_mean(above[order], bound)),
        (decide_mean(above, bound), decide_mean(above + constant, bound + constant)),
    ]
    for found, again in pairs:
        assert 0 <= found.confidence <= 1
        assert again.confidence == pytest.approx(found.confidence, abs=1e-9)
        # Sums in another order differ in their last bits, which may decide at the very edge.
        if abs(found.confidence - 0.95) > 1e-6:
            assert again.side == found.side
            assert found.side == ("undecided" if found.confidence < 0.95 else found.side)


@st.composite
def judged(draw: Any) -> tuple[Any, Any]:
    """Labels and length differences of 2 to 20 pairs."""
    pairs = draw(st.integers(2, 20))
    labels = draw(arrays(float, pairs, elements=st.sampled_from([0.0, 0.5, 1.0])))
    return labels, draw(arrays(float, pairs, elements=st.integers(-300, 300)))


@FEW
@given(judged(), st.data())
def test_a_win_rate_at_equal_length_turns_with_its_sides_and_knows_no_order_or_unit(
    both: tuple[Any, Any], data: st.DataObject
) -> None:
    labels, lengths = both
    found = length_controlled(labels, lengths, resamples=49)
    assert 0 < found.win_rate < 1
    assert np.isnan(found.low) or 0 <= found.low <= found.win_rate <= found.high <= 1
    same = np.testing.assert_allclose
    turned = length_controlled(1 - labels, -lengths, resamples=49)
    told = [1 - found.win_rate, 1 - found.high, 1 - found.low]
    same([turned.win_rate, turned.low, turned.high], told, atol=1e-6)
    assert turned.length_coefficient == pytest.approx(found.length_coefficient, abs=1e-6)
    scaled = length_controlled(labels, lengths * 4, resamples=49)
    same([scaled.win_rate, scaled.low], [found.win_rate, found.low], atol=1e-6)
    order = data.draw(st.permutations(range(len(labels))))
    again = length_controlled(labels[order], lengths[order], resamples=49)
    same([again.raw, again.win_rate], [found.raw, found.win_rate], atol=1e-9)
    assert again.warning == found.warning
