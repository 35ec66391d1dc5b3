"""Coherence and samples: vectors that can be reckoned by hand, and scipy."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import scipy.linalg
import scipy.spatial.distance
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.profiles import examples

from ethogram.metrics import NamedModels, Output, get, metrics_of, read_outputs
from ethogram.metrics.coherence import ON_TOPIC, WINDOW, drift_curve, slope
from ethogram.metrics.samples import cut_alike, mean_pairwise_distance, vendi_score
from ethogram.metrics.text import sentence_spans

from .stubs import StubModels, WordVectors

MODELS = StubModels()
WORDS = ("sea", "ship.", "tide?", "moon,", "sun!")
TEXTS = st.lists(st.sampled_from(WORDS), max_size=90).map(" ".join)
VECTORS = st.integers(0, 2**32 - 1).map(
    lambda seed: (lambda x: x / np.linalg.norm(x, axis=1, keepdims=True))(
        np.random.default_rng(seed).normal(size=(2 + seed % 6, 5))
    )
)


def one(name: str, text: str, prompt: str = "") -> float | None:
    (score,) = get(name).measure_batch([Output(text, prompt=prompt)], MODELS)
    return score.value


def test_similarity_is_the_cosine_of_prompt_and_output() -> None:
    assert one("prompt_similarity", "the sea", "the sea") == pytest.approx(1)
    assert one("prompt_similarity", "the sea", "a ship") == pytest.approx(0)
    assert one("prompt_similarity", "the sea", "the ship") == pytest.approx(0.5)
    assert one("prompt_similarity", "", "the sea") is None
    assert one("prompt_similarity", "the sea") is None


def test_a_text_that_leaves_its_topic_drifts() -> None:
    near, far = "tide " * WINDOW, "moon " * WINDOW
    (curve,) = drift_curve([Output(near + near + far + "rest", prompt="tide")], MODELS)
    assert [part.cosine for part in curve] == pytest.approx([1, 1, 0])
    (score,) = get("topic_drift").measure_batch([Output(near + far, prompt="tide")], MODELS)
    assert score.value == pytest.approx(1)
    (span,) = score.spans
    assert (near + far)[span.start : span.end] == far.strip()
    assert span.label == "cosine 0.00 to the prompt, 1.00 at the start"
    assert one("topic_drift", near + near, "tide") == pytest.approx(0)
    assert one("topic_drift", far + near, "tide") == pytest.approx(-1)
    assert one("drift_slope", near + near + far, "tide") == pytest.approx(-0.5 * 100 / WINDOW)
    assert one("topic_drift", near, "tide") is None


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=9))
def test_slope_is_that_of_scipy(values: list[float]) -> None:
    expected = scipy.stats.linregress(range(len(values)), values).slope
    assert slope(values) == pytest.approx(expected, abs=1e-12)


def test_sentences_off_topic_are_shown() -> None:
    text = "The tide is out. My uncle sells cars. A tide turns."
    (score,) = get("on_topic_share").measure_batch([Output(text, prompt="tide")], MODELS)
    assert score.value == pytest.approx(2 / 3)
    (span,) = score.spans
    assert text[span.start : span.end] == "My uncle sells cars."


def test_adjacent_sentences() -> None:
    text = "The sea. The sea. A ship."
    (score,) = get("adjacent_coherence").measure_batch([Output(text)], MODELS)
    assert score.value == pytest.approx(0.5)
    (span,) = score.spans
    assert text[span.start : span.end] == "The sea. A ship."
    assert one("adjacent_coherence", "One sentence only.") is None


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ('He said "no." Then left', ['He said "no."', "Then left"]),
        ("1. First\n2. Second", ["1. First", "2. Second"]),
        ("a line\n\nanother", ["a line", "another"]),
        ("3.5 is one number", ["3.5 is one number"]),
        ("  \n ", []),
        ("", []),
    ],
)
def test_sentences(text: str, sentences: list[str]) -> None:
    assert [text[start:end] for start, end in sentence_spans(text)] == sentences


@given(st.text(max_size=80))
def test_sentences_cover_all_but_white_space(text: str) -> None:
    spans = sentence_spans(text)
    joined = "".join("".join(text[start:end].split()) for start, end in spans)
    assert joined == "".join(text.split())
    assert all(a[1] <= b[0] for a, b in pairwise(spans))


@pytest.mark.model
def test_the_bound_of_on_topic_is_what_answers_to_others_reach(
    released: Callable[[str], Path],
) -> None:
    file = released("self-instruct/text-davinci-003.jsonl")
    outputs = list(read_outputs(file))[::9]
    encoder = NamedModels().encoder
    prompts = encoder.encode([output.prompt for output in outputs])
    pairs = [
        (place, output.text[start:end])
        for place, output in enumerate(outputs)
        for start, end in sentence_spans(output.text)
    ]
    cosines = encoder.encode([text for _, text in pairs]) @ prompts.T
    own = np.array([place for place, _ in pairs])[:, None] == np.arange(len(outputs))
    assert np.quantile(cosines[~own], 0.95) == pytest.approx(ON_TOPIC, abs=0.03)
    assert np.mean(cosines[own] >= ON_TOPIC) > 0.6


@settings(max_examples=examples(30))
@given(TEXTS, TEXTS)
def test_bounds_and_company(text: str, prompt: str) -> None:
    output, other = Output(text, prompt=prompt), Output("sea tide. moon", prompt="sun")
    for metric in (m for m in metrics_of("output") if m.family == "coherence"):
        (score,) = metric.measure_batch([output], MODELS)
        together = metric.measure_batch([other, output, other], MODELS)[1]
        assert together.value == pytest.approx(score.value, abs=1e-5)
        assert all(0 <= span.start <= span.end <= len(text) for span in score.spans)
        if score.value is not None:
            assert -2 <= score.value <= (2 if metric.name != "drift_slope" else 2 * 100 / WINDOW)
            assert metric.aggregate(np.array(score.parts)) == pytest.approx(score.value)


@given(VECTORS)
def test_distances_are_those_of_scipy(vectors: np.ndarray) -> None:
    expected = scipy.spatial.distance.pdist(vectors, "cosine").mean()
    assert mean_pairwise_distance(vectors) == pytest.approx(expected)


@given(VECTORS)
def test_vendi_score_is_that_of_scipy(vectors: np.ndarray) -> None:
    # vendi_score.vendi.score_K: exp of the entropy of the eigenvalues of K/n.
    eigenvalues = scipy.linalg.eigvalsh(vectors @ vectors.T / len(vectors)).clip(0)
    expected = np.exp(scipy.stats.entropy(eigenvalues))
    assert vendi_score(vectors) == pytest.approx(expected)
    assert 1 - 1e-9 <= vendi_score(vectors) <= len(vectors) + 1e-9
    shuffled = vectors[::-1]
    assert vendi_score(shuffled) == pytest.approx(vendi_score(vectors))


def test_vendi_score_counts_different_rows() -> None:
    assert vendi_score(np.eye(4)) == pytest.approx(4)
    assert vendi_score(np.eye(4)[[0, 0, 0, 0]]) == pytest.approx(1)
    assert vendi_score(np.eye(4)[[0, 0, 1, 1]]) == pytest.approx(2)


def test_samples_of_a_prompt() -> None:
    groups = [
        [Output("the sea"), Output("the sea"), Output("a ship")],
        [Output("only one")],
        [Output("a tide"), Output("a tide")],
    ]
    distance = get("semantic_diversity").measure_groups(groups, MODELS)
    assert [score.value for score in distance] == [
        pytest.approx(2 / 3),
        None,
        pytest.approx(0, abs=1e-6),
    ]
    vendi = get("vendi_score").measure_groups(groups, MODELS)
    assert vendi[2].value == pytest.approx(1)
    for metric in (m for m in metrics_of("prompt") if m.family == "samples"):
        assert (
            metric.measure_groups([groups[0]], MODELS)[0]
            == metric.measure_groups(groups, MODELS)[0]
        )


def test_samples_are_cut_alike() -> None:
    texts = ["the sea is wide.", "the sea"]
    assert cut_alike(texts, WordVectors()) == ["the sea", "the sea"]
    assert cut_alike(["", "the sea"], WordVectors()) == []
    outputs = [Output(text) for text in texts]
    matched = get("semantic_diversity_matched").measure_groups([outputs], MODELS)[0]
    assert matched.value == pytest.approx(0, abs=1e-6)
    assert (
        get("vendi_score_matched").measure_groups([[Output(""), *outputs]], MODELS)[0].value is None
    )
