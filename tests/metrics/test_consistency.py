"""Consistency: SelfCheckGPT and semantic entropy against recorded values and plain arithmetic."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from ethogram.metrics import Output, get
from ethogram.metrics.consistency import (
    cluster,
    cluster_entropy,
    likelihood_entropy,
    ngram_surprise,
    nli_same,
)

from .stubs import StubModels, StubNli

SAMPLES = (
    "Ada Lovelace was born in London. She wrote the first program, for Babbage's engine.",
    "Ada Lovelace was born in London in 1815. She was a poet's daughter!",
    "Lovelace was born in Paris. Nobody knows why.",
)
IDS = st.lists(st.integers(0, 4), min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("n", "values"),
    [
        (1, (3.4820678062091224, 3.828641396489095, 3.828641396489095)),
        (2, (3.828641396489095, 3.828641396489095, 3.828641396489095)),
    ],
)
def test_surprise_is_that_of_selfcheckgpt(n: int, values: tuple[float, ...]) -> None:
    # avg_max_neg_logprob of selfcheckgpt 0.1.7, modeling_ngram.py, with spaCy replaced by this
    # module's splitting into sentences and words.
    assert ngram_surprise(SAMPLES, n) == pytest.approx(values)


def test_samples_that_agree_surprise_less() -> None:
    metric = get("selfcheck_unigram")
    agreeing = metric.measure_groups([[Output("It is Paris.")] * 3], StubModels())[0]
    assert agreeing.value == pytest.approx(math.log(4))
    differing = metric.measure_groups(
        [[Output(f"It is {c}.") for c in ("x", "y", "z")]], StubModels()
    )[0]
    assert differing.value == pytest.approx(math.log(12))
    assert (
        metric.measure_groups([[Output("It is Paris."), Output("")]], StubModels())[0].value is None
    )
    assert metric.measure_groups([[Output("one")]], StubModels())[0].value is None


def test_selfcheck_nli_is_the_mean_share_of_contradiction() -> None:
    nli = StubNli(lambda a, b: (0.1, 0.6, 0.3) if ("No" in a) != ("No" in b) else (0.8, 0.2, 0.0))
    group = [Output("Yes. Yes yes."), Output("No."), Output("Yes.")]
    score = get("selfcheck_nli").measure_groups([group], StubModels(nli=nli))[0]
    shares = [0.75 if ("No" in a) != ("No" in b) else 0.0 for a, b in nli.asked]
    assert score.value == pytest.approx(np.mean(shares))
    assert sorted(Counter(a for a, _ in nli.asked).items()) == [
        ("No.", 2),
        ("Yes yes.", 2),
        ("Yes.", 4),
    ]


def test_entropy_of_the_worked_example() -> None:
    assert cluster_entropy([0, 1, 2, 1]) == pytest.approx(1.0397208, abs=1e-7)
    assert cluster_entropy([0, 0, 0]) == 0


@given(IDS)
def test_entropy_is_that_of_scipy(ids: list[int]) -> None:
    expected = scipy.stats.entropy(list(Counter(ids).values()))
    assert cluster_entropy(ids) == pytest.approx(expected, abs=1e-12)
    assert likelihood_entropy(ids, [-1.5] * len(ids)) == pytest.approx(expected, abs=1e-12)
    assert 0 <= cluster_entropy(ids) <= math.log(len(ids)) + 1e-12


@given(st.lists(st.tuples(st.integers(0, 3), st.floats(-900, 0)), min_size=1, max_size=8))
def test_likelihoods_are_summed_by_meaning(rows: list[tuple[int, float]]) -> None:
    ids, logprobs = zip(*rows, strict=True)
    # logsumexp_by_id and predictive_entropy_rao of jlko/semantic_uncertainty, written out.
    total = np.logaddexp.reduce(logprobs)
    sums = [
        np.logaddexp.reduce([lp for i, lp in rows if i == meaning]) - total
        for meaning in sorted(set(ids))
    ]
    expected = -sum(math.exp(s) * s for s in sums)
    assert likelihood_entropy(ids, logprobs) == pytest.approx(expected, abs=1e-9)


def test_clusters_compare_with_their_first_member() -> None:
    chain = [[True, True, False], [True, True, True], [False, True, True]]
    assert cluster(chain) == [0, 0, 1]
    assert cluster([]) == []


def test_a_later_cluster_claims_what_it_equals() -> None:
    """The released code has [0, 1, 1, 0] here, and 0.693 nats; first come, first served 0.562."""
    alike = [[True, False, True, True], [False, True, True, False], [True] * 3 + [False]]
    alike.append([True, False, False, True])
    assert cluster(alike) == [0, 1, 1, 0]
    texts = ["a", "b", "ab", "a!"]  # NLI that sees the same letter as the same meaning.
    nli = StubNli(lambda a, b: (1.0, 0.0, 0.0) if {*a} & {*b} else (0.0, 0.0, 1.0))
    metric = get("semantic_entropy_discrete")
    score = metric.measure_groups([[Output(text) for text in texts]], StubModels(nli=nli))[0]
    assert score.value == pytest.approx(math.log(2))


@given(
    st.integers(0, 7).flatmap(
        lambda n: st.lists(st.lists(st.booleans(), min_size=n, max_size=n), min_size=n, max_size=n)
    )
)
def test_clusters_are_those_of_the_released_rule(rows: list[list[bool]]) -> None:
    alike = [
        [rows[i][k] or rows[k][i] or i == k for k in range(len(rows))] for i in range(len(rows))
    ]
    # What get_semantic_ids of jlko/semantic_uncertainty comes to: an output that equals no earlier
    # first is a first itself, and each output belongs to the last first that it equals.
    firsts: list[int] = []
    for place in range(len(alike)):
        if not any(alike[first][place] for first in firsts):
            firsts.append(place)
    expected = [
        max(number for number, first in enumerate(firsts) if first <= place and alike[first][place])
        for place in range(len(alike))
    ]
    assert cluster(alike) == expected


@pytest.mark.parametrize(
    ("there", "back", "loose", "strict"),
    [
        ("e", "e", True, True),
        ("e", "n", True, False),
        ("n", "n", False, False),
        ("e", "c", False, False),
        ("n", "c", False, False),
    ],
)
def test_equivalence(there: str, back: str, loose: bool, strict: bool) -> None:
    rows = {"e": (0.8, 0.1, 0.1), "n": (0.1, 0.8, 0.1), "c": (0.1, 0.1, 0.8)}
    nli = StubNli(lambda a, b: rows[there if (a, b) == ("x", "y") else back])
    assert nli_same(["x", "y"], nli) == [[True, loose], [loose, True]]
    assert nli_same(["x", "y"], nli, strict=True) == [[True, strict], [strict, True]]


def test_semantic_entropy_of_a_prompt() -> None:
    nli = StubNli(lambda a, b: (1.0, 0.0, 0.0) if a[0] == b[0] else (0.0, 0.0, 1.0))
    models = StubModels(nli=nli)
    group = [
        Output(text, logprobs=(-value,) * 2)
        for text, value in (("a", 1.0), ("b", 2.0), ("c", 1.0), ("b b", 2.0))
    ]
    discrete = get("semantic_entropy_discrete").measure_groups([group], models)[0]
    assert discrete.value == pytest.approx(1.0397208, abs=1e-7)
    weights = np.exp([-1, -2, -1])
    weights[1] *= 2
    weighed = get("semantic_entropy").measure_groups([group], models)[0]
    assert weighed.value == pytest.approx(scipy.stats.entropy(weights / weights.sum()))
    scores = get("semantic_entropy").measure_groups([[Output("a"), Output("b")], group], models)
    assert scores[0].value is None
    assert scores[1] == weighed
    assert get("semantic_entropy_discrete").measure_groups([group[:1]], models)[0].value is None


def test_entropies_without_an_nli_model() -> None:
    group = [Output("The Sea!"), Output("sea"), Output("A ship."), Output("the ship of the sea")]
    answers = get("answer_entropy").measure_groups([group], StubModels())[0]
    assert answers.value == pytest.approx(1.0397208, abs=1e-7)
    vectors = get("semantic_entropy_by_vectors").measure_groups(
        [[Output("a sea"), Output("a sea"), Output("ship")], [Output("x")]], StubModels()
    )
    assert vectors[0].value == pytest.approx(scipy.stats.entropy([2, 1]))
    assert vectors[1].value is None


@pytest.mark.parametrize(
    ("texts", "counts"),
    [
        (("5 km", "5.km", "5km"), [1, 2]),
        (("C", "C++", "c"), [3]),
        (("£5", "5", "5!"), [1, 2]),  # Only ASCII punctuation goes, as in SQuAD's script.
        (("the sea", "a SEA", "sea", "", "the"), [3, 1, 1]),
    ],
)
def test_answers_are_alike_as_squad_compares_them(texts: Sequence[str], counts: list[int]) -> None:
    found = get("answer_entropy").measure_groups([[Output(text) for text in texts]], StubModels())[
        0
    ]
    assert found.value == pytest.approx(scipy.stats.entropy(counts))
