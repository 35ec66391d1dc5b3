"""Repetition, diversity, length and fluency against nltk, zlib, numpy and worked examples."""

import math
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nltk import ngrams

from ethogram.metrics import Metric, Output, all_metrics, get, metrics_of

WORDS = st.lists(st.sampled_from(["tide", "gull", "sand", "rope", "light"]), max_size=30)
TEXTS = WORDS.map(" ".join)


def corpus(name: str) -> Metric:
    return next(metric for metric in metrics_of("corpus") if metric.name == name)


@given(WORDS, st.sampled_from([2, 3, 4]))
def test_rep_n_leaves_the_last_ngram_away(words: list[str], n: int) -> None:
    grams = list(ngrams(words, n))[:-1]
    score = get(f"rep_{n}").measure(Output(" ".join(words)))
    assert score.parts == (len(grams) - len(set(grams)), len(grams))
    expected = 100 * (1 - len(set(grams)) / len(grams)) if grams else None
    assert score.value == pytest.approx(expected)


def test_rep_n_is_pooled_not_averaged() -> None:
    metric = get("rep_2")
    outputs = [Output("a b a b a b a b"), Output("c d e f g h i j k l m n o p")]
    parts = np.array([metric.measure(output).parts for output in outputs])
    # 2 of 6 and 12 of 12 distinct: pooled 14 of 18.
    assert float(metric.aggregate(parts.sum(axis=0))) == pytest.approx(100 * (1 - 14 / 18))


def test_diversity_rounds_before_the_product() -> None:
    parts = np.array([2.0, 3.0, 2.0, 3.0, 2.0, 3.0])
    value = float(get("diversity").aggregate(parts))
    assert value == pytest.approx(100 * (1 - 0.3333) ** 3, abs=1e-9)
    assert value != pytest.approx(100 * (2 / 3) ** 3, abs=1e-9)


def test_a_text_too_short_for_diversity_still_counts_in_the_pool() -> None:
    score = get("diversity").measure(Output("one two three four"))
    assert score.value is None
    assert score.parts == (2, 2, 1, 1, 0, 0)


@given(TEXTS)
def test_diversity_is_the_product_of_its_reps(text: str) -> None:
    score = get("diversity").measure(Output(text))
    reps = [get(f"rep_{n}").measure(Output(text)).value for n in (2, 3, 4)]
    if score.value is None:
        assert None in reps
    else:
        expected = math.prod(1 - round(rep or 0.0, 2) / 100 for rep in reps)
        assert score.value == pytest.approx(100 * expected)


def test_rep_evidence_is_what_was_said_before() -> None:
    text = "the sea is grey,  the sea\nis wide and the sea is old now"
    spans = get("rep_3").measure(Output(text)).spans
    found = [text[span.start : span.end].split() for span in spans]
    assert found == [["the", "sea", "is"], ["the", "sea", "is"]]
    assert all(span.start > 0 for span in spans)


@given(TEXTS)
def test_rep_evidence_covers_only_repeated_words(text: str) -> None:
    for span in get("rep_2").measure(Output(text)).spans:
        words = text[span.start : span.end].split()
        before = text[: span.end].split()[:-1]
        assert words[:2] in [before[i : i + 2] for i in range(len(before))]


@given(WORDS, st.sampled_from([1, 2, 3, 4]))
def test_seq_rep_is_one_minus_distinct(words: list[str], n: int) -> None:
    grams = list(ngrams(words, n))
    score = get(f"seq_rep_{n}").measure(Output(" ".join(words)))
    assert score.value == (pytest.approx(1 - len(set(grams)) / len(grams)) if grams else None)


def test_seq_rep_is_on_token_ids_where_known() -> None:
    output = Output("all words differ here", token_ids=(1, 1, 1, 1))
    assert get("seq_rep_1").measure(output).value == 0.75
    assert get("distinct_1").measure(output).value == 1.0


@given(st.lists(WORDS, max_size=5), st.sampled_from([1, 2, 3]))
def test_distinct_within_and_over_outputs(texts: list[list[str]], n: int) -> None:
    outputs = [Output(" ".join(words)) for words in texts]
    grams = [list(ngrams(words, n)) for words in texts]
    ratios = [len(set(found)) / len(found) for found in grams if found]
    metric = get(f"distinct_{n}")
    parts = np.array([metric.measure(output).parts for output in outputs]).reshape(-1, 2)
    mean = float(metric.aggregate(parts.sum(axis=0)))
    assert mean == (
        pytest.approx(np.mean(ratios)) if ratios else pytest.approx(np.nan, nan_ok=True)
    )
    pooled = [gram for found in grams for gram in found]
    expected = len(set(pooled)) / len(pooled) if pooled else math.nan
    value = corpus(f"corpus_distinct_{n}").measure_corpus(outputs)
    assert value == pytest.approx(expected, nan_ok=True)


@given(st.lists(st.text(max_size=40), min_size=1, max_size=6))
def test_corpus_compression_is_zlib_of_the_joined_texts(texts: list[str]) -> None:
    data = "\n".join(texts).encode()
    value = corpus("corpus_compression_ratio").measure_corpus(map(Output, texts))
    expected = len(data) / len(zlib.compress(data, 9)) if data else math.nan
    assert value == pytest.approx(expected, nan_ok=True)


def test_compression_of_a_loop_is_high_and_pooled_by_bytes() -> None:
    metric = get("compression_ratio")
    loop, prose = Output("round and " * 60), Output("Kelp drifts by.")
    scores = [metric.measure(output) for output in (loop, prose)]
    assert (scores[0].value or 0) > 5 > 1 > (scores[1].value or 9)
    total = np.array([score.parts for score in scores]).sum(axis=0)
    assert float(metric.aggregate(total)) == pytest.approx(total[0] / total[1])
    assert metric.measure(Output("")).value is None


def test_half_a_surrogate_pair_is_scored() -> None:
    for metric in all_metrics():
        metric.measure(Output("odd \ud800 text", prompt="What is odd?"))


@given(st.lists(st.floats(-20, 0), min_size=1, max_size=20))
def test_self_perplexity_is_exp_of_mean_nll(logprobs: list[float]) -> None:
    score = get("self_perplexity").measure(Output("x", logprobs=tuple(logprobs)))
    assert score.value == pytest.approx(math.exp(-np.mean(logprobs)))
    assert score.parts[1] == len(logprobs)


def test_self_perplexity_weighs_tokens_alike() -> None:
    metric = get("self_perplexity")
    parts = [
        metric.measure(Output("x", logprobs=values)).parts
        for values in ((-1.0,), (-3.0, -3.0, -3.0))
    ]
    assert float(metric.aggregate(np.array(parts).sum(axis=0))) == pytest.approx(math.exp(2.5))


@pytest.mark.parametrize(
    ("reason", "value"),
    [("eos", 1.0), ("stop", 1.0), ("length", 0.0), ("unknown", None), (None, None)],
)
def test_stop_rate(reason: str | None, value: float | None) -> None:
    assert get("stop_rate").measure(Output("x", finish_reason=reason)).value == value


def test_lengths() -> None:
    output = Output("  two words\n", token_ids=(4, 5, 6))
    assert get("words").measure(output).value == 2
    assert get("tokens").measure(output).value == 3
    assert get("tokens").measure(Output("two words")).value is None


@given(TEXTS, st.sampled_from([" ", "\n", "  \t"]))
def test_white_space_does_not_matter(text: str, gap: str) -> None:
    other = gap + text.replace(" ", gap) + gap
    for name in ("rep_2", "rep_4", "diversity", "distinct_2", "words", "loop_rate_exact"):
        metric = get(name)
        assert metric.measure(Output(text)).parts == metric.measure(Output(other)).parts


@given(st.text(max_size=60), st.text(max_size=60), st.sampled_from([None, "eos", "length"]))
def test_bounds_parts_and_spans_of_every_metric(text: str, prompt: str, reason: str | None) -> None:
    output = Output(
        text,
        prompt=prompt,
        token_ids=tuple(map(ord, text)) or None,
        logprobs=(-1.0,) * len(text) or None,
        finish_reason=reason,
        reference="yes",
    )
    for metric in all_metrics():
        score = metric.measure(output)
        if score.value is None:
            assert metric.name == "diversity" or not any(score.parts)
            continue
        assert float(metric.aggregate(np.array(score.parts))) == pytest.approx(score.value)
        if metric.unit.is_bounded:
            assert 0 <= score.value <= metric.unit.high
        assert all(0 <= span.start <= span.end <= len(text) for span in score.spans)


def test_aggregates_work_on_stacks_and_say_nothing_of_nothing() -> None:
    for metric in all_metrics():
        width = len(metric.measure(Output("")).parts)
        assert metric.aggregate(np.ones((4, 3, width))).shape == (4, 3)
        assert np.isnan(metric.aggregate(np.zeros(width)))
