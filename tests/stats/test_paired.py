"""Paired tests: against scipy and plain formulas, and their calibration at reduced size."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import scipy.stats
from tests.stats.studies import allowed, studies

from benchmarks.calibration import calibrate, discoveries
from benchmarks.simulated_studies import SETTINGS
from ethogram.metrics import Output, get
from ethogram.metrics.base import ratio
from ethogram.stats import more_samples, paired, permutation, sign_flip_test, superiority
from ethogram.stats.bootstrap import prompt_means
from ethogram.stats.bounded import bounded_mean
from ethogram.stats.influence import gradient, influences, standard_error
from ethogram.stats.student import t_cdf, t_quantile

BY_NAME = {setting.name: setting for setting in SETTINGS}


def as_parts(values: Any) -> Any:
    return np.stack([values, np.ones_like(values)], axis=-1)


def two(prompts: int, samples: int, shift: float = 0.0, seed: int = 0) -> tuple[Any, Any]:
    generator = np.random.default_rng(seed)
    base = generator.normal(size=(prompts, 1))
    a, b = (base + generator.normal(size=(prompts, samples)) for _ in range(2))
    return as_parts(a), as_parts(b + shift)


@pytest.mark.parametrize("freedom", [1, 2, 5, 11, 99, 1e5])
def test_student_is_that_of_scipy(freedom: float) -> None:
    for share in (0.001, 0.2, 0.5, 0.8, 0.975, 0.99995):
        due = scipy.stats.t.ppf(share, freedom)
        assert t_quantile(share, freedom) == pytest.approx(due, rel=1e-9, abs=1e-12)
        assert t_cdf(due, freedom) == pytest.approx(share, rel=1e-9)


def test_the_standard_error_of_a_mean_is_the_textbook_one() -> None:
    a, b = two(30, 4)
    test = paired(a, b, ratio)
    means = (b - a)[..., 0].mean(axis=1)
    assert test.estimate == pytest.approx(means.mean())
    assert test.error == pytest.approx(scipy.stats.sem(means), rel=1e-6)
    d_z = means.mean() / means.std(ddof=1)
    assert test.effect == pytest.approx(d_z * (1 - 3 / (4 * 29 - 1)), rel=1e-6)
    # Close to Student's interval, which is exact for normal means.
    theirs = scipy.stats.ttest_1samp(means, 0).confidence_interval()
    assert (test.low, test.high) == pytest.approx(tuple(theirs), abs=0.03)


def test_the_standard_error_of_a_ratio_is_that_of_the_jackknife() -> None:
    generator = np.random.default_rng(5)
    a, b = (
        np.stack([generator.poisson(3, 400), generator.poisson(30, 400) + 1], axis=-1) * 1.0
        for _ in range(2)
    )
    difference, pulls = influences(a, b, ratio)
    left_out = [ratio(b.sum(0) - b[row]) - ratio(a.sum(0) - a[row]) for row in range(len(a))]
    jackknife = math.sqrt(399 / 400 * np.sum((np.array(left_out) - np.mean(left_out)) ** 2))
    assert float(standard_error(pulls)) == pytest.approx(jackknife, rel=0.01)
    assert float(difference) == pytest.approx(float(ratio(b.sum(0)) - ratio(a.sum(0))))


@pytest.mark.parametrize("prompts", [5, 9, 14])
def test_the_exact_p_value_is_that_of_scipy(prompts: int) -> None:
    a, b = two(prompts, 3, 0.4, seed=prompts)
    theirs = scipy.stats.permutation_test(
        ((b - a)[..., 0].mean(axis=1),),
        lambda values, axis: np.abs(values.mean(axis=axis)),
        permutation_type="samples",
        vectorized=True,
        n_resamples=np.inf,
        alternative="greater",
    )
    assert sign_flip_test(prompt_means(a), prompt_means(b), ratio) == pytest.approx(theirs.pvalue)


def test_the_drawn_p_value_is_near_the_exact_one(monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = (prompt_means(parts) for parts in two(13, 2, 0.6, seed=4))
    exact = sign_flip_test(a, b, ratio)
    monkeypatch.setattr("ethogram.stats.permutation.EXACT_PROMPTS", 0)
    assert sign_flip_test(a, b, ratio, draws=20_000) == pytest.approx(exact, abs=0.01)


def test_ties_are_not_lost_to_rounding() -> None:
    """Eight of ten prompts rise by the same step: p is that of the sign test."""
    before = np.full((10, 1), 0.1)
    after = before + np.array([0.1] * 8 + [-0.1] * 2)[:, None]
    p = sign_flip_test(as_parts(before)[:, 0], as_parts(after)[:, 0], ratio)
    assert p == pytest.approx(scipy.stats.binomtest(8, 10).pvalue)


def test_pairing_narrows_and_equal_versions_do_not_differ() -> None:
    generator = np.random.default_rng(1)
    a = as_parts(generator.normal(scale=5, size=(50, 2)))
    b = a + as_parts(generator.normal(0.1, 0.01, size=(50, 2))) * np.array([1, 0])
    assert paired(a, b, ratio).high - paired(a, b, ratio).low < 0.01
    same = paired(a, a, ratio)
    assert (same.estimate, same.low, same.high, same.p, same.effect) == (0, 0, 0, 1, 0)
    assert same.warning == "no prompt differs"


def test_reversing_reverses() -> None:
    a, b = two(20, 3, 0.2)
    there, back = paired(a, b, ratio), paired(b, a, ratio)
    assert [back.low, back.high] == pytest.approx([-there.high, -there.low])
    assert back.p == pytest.approx(there.p, abs=0.02)


def test_few_prompts_and_rare_differences_are_marked() -> None:
    assert paired(*two(6, 4), ratio).warning == "only 6 prompts"
    rare = np.zeros((40, 2))
    rare[:2] = 1
    test = paired(as_parts(np.zeros((40, 2))), as_parts(rare), ratio)
    assert test.warning == "rests on 2 prompts"
    assert paired(*two(40, 2), ratio).reliable


def test_what_cannot_be_known_is_nan() -> None:
    nothing = np.zeros((12, 2, 2))
    test = paired(nothing, nothing, ratio)
    assert np.isnan([test.estimate, test.low, test.p, test.minimum_detectable]).all()
    a, _ = two(12, 2)
    test = paired(a, np.zeros((12, 2, 2)), ratio)
    assert test.before == pytest.approx(a[..., 0].mean())
    assert np.isnan([test.after, test.low, test.p]).all()
    assert test.warning == "not measured in both"
    one = paired(a[:1], a[:1], ratio)
    assert one.estimate == 0
    assert np.isnan([one.low, one.p]).all()


def test_prompts_to_which_nothing_applies_say_nothing() -> None:
    a, b = two(20, 2, 0.3)
    wider_a, wider_b = (np.concatenate([parts, np.zeros((30, 2, 2))]) for parts in (a, b))
    assert repr(paired(wider_a, wider_b, ratio)) == repr(paired(a, b, ratio))


def test_a_swap_that_leaves_nothing_to_measure_makes_nothing_unlikely() -> None:
    """The metric applies to one prompt under each version; swapping one leaves a version none."""
    before, after = np.array([[0.0, 0.0], [0.0, 1.0]]), np.array([[0.0, 1.0], [0.0, 0.0]])
    assert sign_flip_test(before, after, ratio) == 1
    assert paired(before[:, None], after[:, None], ratio).p == 1
    assert math.isnan(sign_flip_test(before[:1], after[:1], ratio))


def test_a_resample_without_spread_is_no_distance_however_it_is_rounded() -> None:
    """Three of four prompts fall by 2 or 3: many resamples hold one difference only."""
    before = np.array([0.0, 0.0, 0.0, -3.0])[:, None].repeat(2, axis=1)
    after = np.array([1.0, -2.0, -2.0, -2.0])[:, None]
    for constant in (0.0, 1.0, 0.1, 17.3):
        a, b = as_parts(before + constant), as_parts(after + constant)
        test = paired(a, b, ratio, resamples=49)
        student = scipy.stats.ttest_rel(b[:, 0, 0], a[:, 0, 0]).confidence_interval()
        assert (test.low, test.high) == pytest.approx(tuple(student))


def test_shapes_must_agree() -> None:
    with pytest.raises(ValueError, match="differ in shape"):
        paired(np.ones((3, 1, 2)), np.ones((4, 1, 2)), ratio)
    with pytest.raises(ValueError, match="needs a sample"):
        paired(np.full((3, 1, 2), np.nan), np.ones((3, 1, 2)), ratio)


def test_pairs_of_one_noise_are_told_apart_from_others() -> None:
    """The second version adds a little to the same noise: it always wins on equal noise."""
    generator = np.random.default_rng(2)
    noise = generator.normal(size=(200, 6))
    seen = superiority(noise, noise + 0.1, coupled=True)
    assert seen.coupled == 1
    fresh = scipy.stats.norm.cdf(0.1 / math.sqrt(2))
    assert seen.ordinary == pytest.approx(fresh, abs=0.02)
    alone = superiority(noise[:, :1], noise[:, :1] + 0.1, coupled=True)
    assert math.isnan(alone.ordinary)
    other = generator.normal(size=(200, 6))
    theirs = np.mean(
        [scipy.stats.mannwhitneyu(b, a).statistic / 36 for a, b in zip(noise, other, strict=True)]
    )
    mine = superiority(noise, other, coupled=False)
    assert mine.ordinary == pytest.approx(theirs)
    assert math.isnan(mine.coupled)


def test_variance_is_split_into_prompts_and_samples() -> None:
    generator = np.random.default_rng(0)
    taste = 0.7 * generator.normal(size=(4000, 1))
    a = generator.normal(size=(4000, 3))
    b = a + taste + 0.5 * generator.normal(size=(4000, 3))
    spread = paired(as_parts(a), as_parts(b), ratio, resamples=19, draws=19).spread
    assert spread.between == pytest.approx(0.49, rel=0.06)
    assert spread.within == pytest.approx(0.25, rel=0.06)
    greedy = paired(as_parts(a[:, :1]), as_parts(b), ratio, resamples=19, draws=19).spread
    assert greedy.within == pytest.approx(1.25, rel=0.06)
    single = paired(as_parts(a[:, :1]), as_parts(b[:, :1]), ratio, resamples=19, draws=19).spread
    assert math.isnan(single.within)
    assert more_samples(single, 0.05).samples is None


def test_what_is_said_to_be_needed_is_enough_and_no_more() -> None:
    generator = np.random.default_rng(3)

    def study(prompts: int, samples: int, shift: float) -> Any:
        taste = 0.5 * generator.normal(size=(prompts, 1))
        b = shift + taste + generator.normal(size=(prompts, samples))
        return paired(as_parts(np.zeros_like(b)), as_parts(b), ratio, resamples=19, draws=199)

    pilot = study(2000, 2, 0.3).spread
    needed = more_samples(pilot, 0.3)
    assert needed.samples == 1
    assert needed.prompts is not None
    found = np.mean([study(needed.prompts, 2, 0.3).p <= 0.05 for _ in range(300)])
    assert found == pytest.approx(0.8, abs=0.07)


def test_a_pooled_value_of_few_heavy_prompts_is_marked() -> None:
    """One prompt of 24 has nearly all the words; outputs that are counted have no weight."""
    luck = np.random.default_rng(5)
    weight = np.where(np.arange(24) == 3, 1000.0, 1.0)[:, None]
    before, after = (
        np.stack([weight * (luck.random((24, 1)) < rate), weight], axis=-1) for rate in (0.2, 0.8)
    )
    assert paired(before, after, ratio, width=1.0).warning == "dominated by 1 prompt"
    half = np.stack([np.zeros((24, 1)), (luck.random((24, 1)) < 0.5).astype(float)], axis=-1)
    assert "dominated" not in paired(half, half, ratio, width=1.0).warning


def test_no_fewer_prompts_are_called_enough_than_an_interval_needs() -> None:
    """Of fewer than ten each interval is marked as unreliable, so that no verdict is clear."""
    clear = paired(*two(24, 2, shift=50.0), ratio).spread
    assert more_samples(clear, 50.0).prompts == 10
    assert more_samples(paired(*two(9, 2, shift=50.0), ratio).spread, 50.0).samples is None


@pytest.mark.parametrize("name", ["continuous", "rate of 30 %", "skewed", "ratio of sums"])
@studies(150, 400)
def test_intervals_and_p_values_are_calibrated(name: str, trials: int) -> None:
    """24 prompts and 2 samples: shares within three standard errors."""
    found = calibrate(BY_NAME[name], 24, 2, trials=trials, resamples=199)
    assert 100 * (1 - allowed(0.07, trials)) <= found.covered
    assert found.covered <= 97 + 100 * (allowed(0.05, trials) - 0.05)
    assert found.rejected <= 100 * allowed(0.05, trials)
    assert found.reliable > 100 * (1 - allowed(0.07, trials))


@pytest.mark.parametrize("parts", [2, 6])
def test_statistics_from_moments_are_those_of_each_prompt(parts: int) -> None:
    """Sums of squares over prompts, and the influence value of each prompt: the same statistic."""
    generator = np.random.default_rng(parts)
    metric = get("rep_2" if parts == 2 else "diversity")
    a, b = (generator.uniform(5, 60, (30, parts)) for _ in range(2))
    for side in (a, b):
        side[:, 1::2] += 60
    swapped = generator.random((50, 30)) < 0.5
    quick = permutation._by_moments(a, b, metric.aggregate, swapped)
    plain = permutation._one_by_one(a, b, metric.aggregate, swapped)
    assert quick is not None
    np.testing.assert_allclose(quick, plain, rtol=1e-7, atol=1e-9)
    same = np.ones((30, parts))
    assert permutation._by_moments(same, same, metric.aggregate, swapped) is None


@studies(100, 400)
def test_a_changed_number_of_applicable_outputs_is_not_a_difference(trials: int) -> None:
    """A rate of 1 % under both versions, on 45 and 95 % of outputs: nothing differs."""
    setting = BY_NAME["rate of 1 %, unequal applicability"]
    generator = np.random.default_rng(3)
    found = []
    for trial in range(trials):
        before, after = (prompt_means(parts) for parts in setting.draw(generator, 30, 4, 0.0))
        found.append(sign_flip_test(before, after, ratio, draws=199, seed=trial))
    assert np.mean(np.array(found) <= 0.05) <= allowed(0.05, trials)


@studies(8, 20)
@pytest.mark.long
def test_false_discoveries_stay_at_their_rate(trials: int) -> None:
    found = discoveries(trials=trials, draws=499)
    assert found["holm_any_false_of_8_metrics"] <= 100 * allowed(0.05, trials)
    # The share of one study among 48 settings varies less than a yes or no: half its error.
    assert found["bh_false_share_of_48_settings"] <= 5 + 50 * (allowed(0.05, trials) - 0.05)
    assert found["bh_found_of_8_true"] > 90


@pytest.mark.parametrize("name", ["rep_4", "diversity", "self_perplexity", "loop_rate"])
def test_outputs_of_one_quotient_do_not_differ_however_long_they_are(name: str) -> None:
    """Their slopes are exact, so that no error of theirs passes for a spread of outputs."""
    generator = np.random.default_rng(8)
    metric = get(name)
    pairs = len(metric.measure(Output("a b c d e f g", logprobs=(-1.0,))).parts) // 2
    a, b = (
        np.repeat(generator.integers(30, 70, (24, 4, pairs)), 2, axis=2).astype(float)
        for _ in range(2)
    )
    test = paired(a, b, metric.aggregate, coupled=True)
    assert (test.estimate, test.error, test.effective_prompts, test.p) == (0, 0, 0, 1)
    assert test.warning == "no prompt differs"
    assert test.coupling.unknown == "no output differs"


@pytest.mark.parametrize("name", ["rep_2", "diversity", "self_perplexity", "loop_rate"])
def test_slopes_are_those_of_the_value(name: str) -> None:
    metric = get(name)
    pairs = len(metric.measure(Output("a b c d e f g", logprobs=(-1.0,))).parts) // 2
    mean = np.array([17.3, 41.9, 23.1, 39.7, 31.7, 37.3][: 2 * pairs])
    for part, slope in enumerate(gradient(mean, metric.aggregate)):
        # Wide enough for a value that is rounded on the way.
        step = np.eye(2 * pairs)[part] * 0.2
        rise = float(metric.aggregate(mean + step) - metric.aggregate(mean - step))
        assert slope == pytest.approx(rise / 0.4, rel=0.03)


@pytest.mark.parametrize(("prompts", "same"), [(24, 0), (24, 1), (100, 1), (100, 2)])
def test_what_nearly_all_prompts_show_is_clear(prompts: int, same: int) -> None:
    after = np.ones((prompts, 2))
    after[:same] = 0
    a, b = as_parts(np.zeros_like(after)), as_parts(after)
    test = paired(a, b, ratio, width=1.0)
    assert test.reliable
    assert 0.6 < test.low < test.estimate <= test.high <= 1
    assert test.p < 0.001
    assert test.minimum_detectable > 1 / prompts
    unbounded = paired(a, b, ratio)
    assert unbounded.has_zero_variance
    assert not unbounded.reliable


@pytest.mark.parametrize("all_of", [20, 24])
def test_bounds_without_spread_are_those_of_clopper_and_pearson(all_of: int) -> None:
    values = np.repeat([0.0, 1.0], [24 - all_of, all_of])
    theirs = scipy.stats.binomtest(all_of, 24).proportion_ci(0.95)
    assert bounded_mean(values, 0, 1, draws=40_000) == pytest.approx(tuple(theirs), abs=0.004)
    mirrored = bounded_mean(-values, -1, 0, draws=40_000)
    assert mirrored == pytest.approx((-theirs.high, -theirs.low), abs=0.004)


@pytest.mark.parametrize("rate", [0.9, 0.97])
def test_saturated_differences_are_covered_and_found(rate: float) -> None:
    generator = np.random.default_rng(11)
    held, clear = [], []
    for trial in range(150):
        after = (generator.random((40, 1)) < rate).astype(float)
        a, b = as_parts(np.zeros_like(after)), as_parts(after)
        test = paired(a, b, ratio, width=1.0, resamples=199, draws=199, seed=trial)
        held.append(test.low <= rate <= test.high)
        clear.append(test.reliable and test.low > 0 and test.p <= 0.05)
    assert np.mean(held) >= 0.93 - 3 * 0.0178
    assert all(clear)


def test_prompts_that_hardly_differ_do_not_say_that_all_would_have_been_seen() -> None:
    """Six of 24 prompts have to turn: the share that has so many four times in five."""
    nothing = as_parts(np.zeros((24, 2)))
    share = paired(nothing, nothing, ratio, width=1.0).minimum_detectable
    assert scipy.stats.binom.sf(5, 24, share) == pytest.approx(0.8)
    assert math.isnan(paired(nothing, nothing, ratio).minimum_detectable)
