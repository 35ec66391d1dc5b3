"""Self-BLEU, Zipf, EAD, self-repetition and samples against their references."""

import math
import warnings
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nltk import ngrams
from nltk.metrics.distance import jaccard_distance
from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu
from scipy import stats
from tests.profiles import examples

from ethogram.metrics import Metric, Output, metrics_of
from ethogram.metrics.diversity import (
    distance_of_samples,
    distinct_of_samples,
    expectation_adjusted_distinct,
    zipf_coefficient,
)
from ethogram.metrics.self_bleu import self_bleu

WORDS = st.lists(st.sampled_from(["tide", "gull", "sand", "rope", "light"]), max_size=16)
SETS = st.lists(WORDS, min_size=2, max_size=6)


def corpus(name: str) -> Metric:
    return next(metric for metric in metrics_of("corpus") if metric.name == name)


def outputs_of(texts: list[list[str]]) -> list[Output]:
    return [Output(" ".join(words), prompt_id=f"p{i}") for i, words in enumerate(texts)]


def by_nltk(texts: list[list[str]], order: int) -> list[float]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [
            sentence_bleu(
                texts[:at] + texts[at + 1 :],
                text,
                weights=(1 / order,) * order,
                smoothing_function=SmoothingFunction().method1,
            )
            for at, text in enumerate(texts)
        ]


@given(SETS, st.sampled_from([1, 2, 3, 4, 5]))
def test_self_bleu_is_that_of_nltk(texts: list[list[str]], order: int) -> None:
    assert self_bleu(texts, order) == pytest.approx(by_nltk(texts, order), abs=1e-12)


@given(SETS)
def test_self_bleu_of_a_stream_is_the_mean_and_knows_no_order(texts: list[list[str]]) -> None:
    outputs = outputs_of(texts)
    value = corpus("self_bleu_4").measure_corpus(outputs)
    assert value == pytest.approx(np.mean(by_nltk(texts, 4)), abs=1e-12)
    assert 0 <= value <= 1
    assert corpus("self_bleu_4").measure_corpus(outputs[::-1]) == pytest.approx(value, abs=1e-12)


def test_equal_outputs_have_self_bleu_one_and_strangers_none() -> None:
    same = [Output("the tide comes in at six", prompt_id=str(i)) for i in range(3)]
    assert corpus("self_bleu_4").measure_corpus(same) == pytest.approx(1.0)
    strangers = [Output("one two three"), Output("four five six")]
    assert corpus("self_bleu_4").measure_corpus(strangers) == 0.0
    assert math.isnan(corpus("self_bleu_4").measure_corpus(same[:1]))


def test_self_bleu_draws_from_more_outputs_than_it_compares(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ethogram.metrics.self_bleu.MOST_OUTPUTS", 20)
    rng = np.random.default_rng(0)
    outputs = [
        Output(" ".join(rng.choice(list("abcdef"), size=9)), prompt_id=str(i)) for i in range(60)
    ]
    value = corpus("self_bleu_4").measure_corpus(outputs)
    shuffled = [outputs[i] for i in rng.permutation(60)]
    assert corpus("self_bleu_4").measure_corpus(shuffled) == pytest.approx(value, abs=1e-12)
    assert value != pytest.approx(corpus("self_bleu_4").measure_corpus(outputs[:20]), abs=1e-6)


@given(st.lists(st.integers(1, 500), min_size=2, max_size=80).map(lambda c: sorted(c)[::-1]))
def test_zipf_is_scipy_on_the_released_points(counts: list[int]) -> None:
    xs, ys = np.log(np.arange(1, len(counts) + 1)), np.log(counts)
    assert zipf_coefficient(counts) == pytest.approx(-stats.linregress(xs, ys).slope, abs=1e-9)


def test_zipf_of_a_law_is_its_exponent() -> None:
    counts = [round(1e9 / rank**0.93) for rank in range(1, 3001)]
    assert zipf_coefficient(counts) == pytest.approx(0.93, abs=1e-4)


@given(st.integers(1, 60), st.integers(1, 60), st.integers(2, 40))
def test_ead_is_the_formula(distinct: int, total: int, vocabulary: int) -> None:
    v = Fraction(vocabulary)
    expected = distinct / (v * (1 - ((v - 1) / v) ** total))
    value = expectation_adjusted_distinct(distinct, total, vocabulary)
    assert value == pytest.approx(float(expected))


def test_ead_does_not_fall_with_the_length_of_even_draws() -> None:
    rng = np.random.default_rng(1)
    ids = rng.integers(0, 50_257, size=40_000)
    few, many = (Output("x", token_ids=tuple(ids[:size])) for size in (4_000, 40_000))
    metric = corpus("expectation_adjusted_distinct")
    assert metric.measure_corpus([few]) == pytest.approx(1, abs=0.02)
    assert metric.measure_corpus([many]) == pytest.approx(1, abs=0.02)


@given(SETS)
def test_self_repetition_is_the_formula_of_the_package(texts: list[list[str]]) -> None:
    docs = [{" ".join(gram) for gram in ngrams(words, 4)} for words in texts]
    counts = Counter(gram for doc in docs for gram in doc)
    logs = [np.log(sum(counts[gram] for gram in doc) - len(doc) + 1) for doc in docs]
    value = corpus("self_repetition").measure_corpus(outputs_of(texts))
    assert value == pytest.approx(sum(logs) / len(texts), abs=1e-12)


def test_self_repetition_recorded_from_the_package() -> None:
    # diversity 0.3.1, self_repetition_score(texts, n=4).
    texts = [
        "the tide comes in at six and goes out at noon",
        "the tide comes in at six every day",
        "nobody knows when the tide comes in",
        "gulls",
    ]
    value = corpus("self_repetition").measure_corpus([Output(text) for text in texts])
    assert value == pytest.approx(1.0793720283840775, abs=1e-12)


@given(SETS)
@settings(max_examples=examples(60))
def test_samples_of_a_prompt(texts: list[list[str]]) -> None:
    outputs = outputs_of(texts)
    grams = [set(ngrams(words, 2)) for words in texts]
    pairs = [
        jaccard_distance(grams[i], grams[j]) if grams[i] | grams[j] else 0.0
        for i in range(len(texts))
        for j in range(i)
    ]
    distance = distance_of_samples(outputs)
    assert distance.value == pytest.approx(np.mean(pairs), abs=1e-12)
    assert distance_of_samples(outputs[::-1]).value == pytest.approx(distance.value, abs=1e-12)
    pooled = [gram for words in texts for gram in ngrams(words, 2)]
    distinct = distinct_of_samples(outputs).value
    assert distinct == (pytest.approx(len(set(pooled)) / len(pooled)) if pooled else None)


def test_mode_collapse_is_seen() -> None:
    same = [Output("the tide comes in")] * 4
    assert distance_of_samples(same).value == 0
    assert distinct_of_samples(same).value == 0.25
    assert distance_of_samples(same[:1]).value is None
    assert distinct_of_samples(same[:1]).value is None
    assert distance_of_samples([Output("a b c"), Output("d e f")]).value == 1


@given(SETS, st.sampled_from([1, 2]))
def test_sorting_in_by_and_by_changes_nothing(texts: list[list[str]], n: int) -> None:
    metric = corpus(f"corpus_distinct_{n}")
    whole = metric.measure_corpus(outputs_of(texts))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ethogram.metrics.diversity.MOST_WAITING", 3)
        parts = metric.measure_corpus(outputs_of(texts))
    assert parts == pytest.approx(whole, nan_ok=True)
