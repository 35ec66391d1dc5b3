"""The length-controlled win rate against scikit-learn, statsmodels and known effects."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from benchmarks.length_calibration import calibrate
from ethogram.stats import length_controlled
from ethogram.stats.length import standardised

QUICK: dict[str, Any] = {"resamples": 99}


def sigmoid(odds: Any) -> Any:
    return 1 / (1 + np.exp(-np.asarray(odds)))


def drawn(
    seed: int, *, prompts: int = 400, skill: float = 0.4, pull: float = 1.5, soft: bool = False
) -> tuple[Any, Any]:
    """Labels and length differences of a judge that likes length; the second side is longer."""
    luck = np.random.default_rng(seed)
    lengths = np.round(luck.normal(150, 400, size=prompts))
    chance = sigmoid(skill + pull * np.tanh(lengths / lengths.std(ddof=1)))
    return (chance if soft else (luck.random(prompts) < chance).astype(float)), lengths


@pytest.mark.parametrize("ridge", [0.1, 1.0, 10.0])
@pytest.mark.parametrize("with_difficulty", [False, True])
@pytest.mark.long
def test_the_fit_is_that_of_scikit_learn(ridge: float, with_difficulty: bool) -> None:
    from sklearn.linear_model import LogisticRegression

    labels, lengths = drawn(1)
    difficulty = np.random.default_rng(2).normal(size=len(labels)) if with_difficulty else None
    found = length_controlled(labels, lengths, difficulty=difficulty, ridge=ridge, **QUICK)

    columns = [np.ones(len(labels)), np.tanh(lengths / lengths.std(ddof=1))]
    columns += [difficulty] if difficulty is not None else []
    features = np.stack(columns, axis=1)
    theirs = LogisticRegression(C=1 / ridge, fit_intercept=False, tol=1e-10, max_iter=10_000)
    theirs.fit(features, labels)
    level = features.copy()
    level[:, 1] = 0
    assert found.win_rate == pytest.approx(theirs.predict_proba(level)[:, 1].mean(), abs=1e-6)
    assert found.length_coefficient == pytest.approx(theirs.coef_[0, 1], abs=1e-5)
    if difficulty is not None:
        assert found.difficulty_coefficient == pytest.approx(theirs.coef_[0, 2], abs=1e-5)


@pytest.mark.long
def test_soft_labels_without_a_ridge_are_the_glm_of_statsmodels() -> None:
    import statsmodels.api as sm

    luck = np.random.default_rng(3)
    labels, lengths = luck.random(300), luck.normal(100, 300, size=300)
    found = length_controlled(labels, lengths, ridge=0.0, **QUICK)
    features = np.stack([np.ones(300), np.tanh(lengths / lengths.std(ddof=1))], axis=1)
    theirs = sm.GLM(labels, features, family=sm.families.Binomial()).fit(tol=1e-12)
    assert found.length_coefficient == pytest.approx(theirs.params[1], abs=1e-8)
    assert found.win_rate == pytest.approx(sigmoid(theirs.params[0]), abs=1e-8)


def test_soft_labels_of_a_known_law_give_it_back() -> None:
    labels, lengths = drawn(4, soft=True)
    found = length_controlled(labels, lengths, ridge=1e-9, **QUICK)
    assert found.win_rate == pytest.approx(sigmoid(0.4), abs=1e-6)
    assert found.length_coefficient == pytest.approx(1.5, abs=1e-5)
    assert found.raw > found.win_rate  # The longer side was favoured.


def test_exchanging_the_sides_gives_one_minus_the_win_rate() -> None:
    labels, lengths = drawn(5)
    ours = length_controlled(labels, lengths, **QUICK)
    theirs = length_controlled(1 - labels, -lengths, **QUICK)
    assert ours.win_rate + theirs.win_rate == pytest.approx(1, abs=1e-9)
    assert (ours.low, ours.high) == pytest.approx((1 - theirs.high, 1 - theirs.low), abs=1e-6)


def test_the_standard_error_is_the_clustered_sandwich_of_statsmodels() -> None:
    """The interval's own error, before resampling, with pairs of a prompt as one cluster."""
    import statsmodels.api as sm

    from ethogram.stats.length import _Fit

    labels, lengths = drawn(6, prompts=300)
    groups = np.repeat(np.arange(100), 3)
    shape, _ = standardised(lengths)
    features = np.stack([np.ones(300), shape], axis=1)
    fit = _Fit(features, labels, np.full(300, 1 / 3), groups, 1e-12)
    _, odds, error = fit.at(np.ones((1, 100)))
    theirs = sm.GLM(labels, features, family=sm.families.Binomial()).fit(
        cov_type="cluster", cov_kwds={"groups": groups, "use_correction": False}
    )
    assert odds[0] == pytest.approx(theirs.params[0], abs=1e-6)
    # Ours divides by one prompt less, as a sample variance does.
    assert error[0] == pytest.approx(theirs.bse[0] * np.sqrt(100 / 99), rel=1e-3)


def test_prompts_weigh_alike_and_are_drawn_whole() -> None:
    labels = np.array([1.0, 1, 1, 1, 0, 0] * 10)
    prompts = [each for block in range(10) for each in [f"a{block}"] * 4 + [f"b{block}"] * 2]
    lengths = np.random.default_rng(7).normal(size=60)
    found = length_controlled(labels, lengths, prompts=prompts, **QUICK)
    assert found.raw == pytest.approx(0.5)
    assert found.prompts == 20
    alone = length_controlled(labels, lengths, **QUICK)
    assert alone.raw == pytest.approx(2 / 3)
    shuffled = np.random.default_rng(8).permutation(60)
    again = length_controlled(
        labels[shuffled], lengths[shuffled], prompts=[prompts[i] for i in shuffled], **QUICK
    )
    assert again.win_rate == pytest.approx(found.win_rate, abs=1e-9)


@pytest.mark.parametrize(
    ("labels", "lengths", "doubt"),
    [
        ([1.0, 0.0] * 4, [1.0, -1] * 4, "only 8 prompts"),
        ([1.0] * 30, [1.0, -1] * 15, "rests on 0 losses"),
        ([0.0] * 28 + [1.0] * 2, [1.0, -1] * 15, "rests on 2 wins"),
        ([1.0, 0.0] * 15, [5.0] * 30, "one side is longer in 100.0% of pairs"),
        ([1.0, 0.0, 0.0] * 10, [0.0] * 30, ""),
        ([1.0, 0.0, 0.0] * 10, [1.0, -2.0] * 15, ""),
    ],
)
def test_unreliable_results_are_marked(
    labels: list[float], lengths: list[float], doubt: str
) -> None:
    found = length_controlled(np.array(labels), np.array(lengths), **QUICK)
    assert found.warning.startswith(doubt)
    assert bool(found.warning) == bool(doubt)
    assert 0 < found.win_rate < 1


def test_without_a_difference_in_length_the_raw_win_rate_is_left() -> None:
    labels = np.array([1.0, 0.5, 0.0, 0.0] * 25)
    found = length_controlled(labels, np.zeros(100), ridge=1e-9, **QUICK)
    assert found.win_rate == pytest.approx(found.raw, abs=1e-6)


def test_prompts_all_alike_have_no_interval() -> None:
    for prompts in (19, 20):
        for labels, doubt in ((np.ones, "rests on 0 losses"), (np.zeros, "rests on 0 wins")):
            for length in (0.0, 5.0):
                found = length_controlled(labels(prompts), np.full(prompts, length), **QUICK)
                assert np.isnan([found.low, found.high]).all()
                assert found.warning == doubt


def test_one_prompt_has_no_interval() -> None:
    found = length_controlled(np.array([1.0, 0.0]), np.array([3.0, -1.0]), prompts=["a", "a"])
    assert np.isnan([found.low, found.high]).all()
    assert found.warning == "only 1 prompts"


@pytest.mark.parametrize(
    ("labels", "lengths"), [([], []), ([1.0], [1.0, 2.0]), ([1.5], [1.0]), ([1.0], [np.inf])]
)
def test_nonsense_is_refused(labels: list[float], lengths: list[float]) -> None:
    with pytest.raises(ValueError, match=r"labels"):
        length_controlled(np.array(labels), np.array(lengths))


@pytest.mark.long
def test_the_interval_covers_the_truth_and_the_raw_win_rate_is_beside_it() -> None:
    """The benchmark at reduced size: 95 % of 200 within three standard errors of counting."""
    row = calibrate(40, 2, 0.5, trials=200, resamples=399)
    assert 90 <= row.covered <= 99.5
    assert row.estimate == pytest.approx(row.truth, abs=1.5)
    assert row.raw > row.truth + 5
