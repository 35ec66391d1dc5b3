"""Truncations beyond top-k, top-p and min-p, each against transformers or a plain version."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from tests.engine import tiny
from tests.engine.plain import exceptions
from tests.engine.scores import EMPTY, make_scores, score_rows
from tests.profiles import examples
from torch import Tensor
from transformers import (
    EpsilonLogitsWarper,
    EtaLogitsWarper,
    GenerationConfig,
    LogitsProcessorList,
    MinPLogitsWarper,
    TemperatureLogitsWarper,
    TopHLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
    TypicalLogitsWarper,
)

from ethogram.engine.steps import FUNCTIONS, apply_steps, entropy, floors, mirostat
from ethogram.spec import ORDER_PRESETS, Decoding

#: In the order in which transformers applies them.
WARPERS: dict[str, Any] = {
    "temperature": TemperatureLogitsWarper,
    "top_h": TopHLogitsWarper,
    "top_k": TopKLogitsWarper,
    "top_p": TopPLogitsWarper,
    "min_p": MinPLogitsWarper,
    "typical_p": TypicalLogitsWarper,
    "epsilon_cutoff": EpsilonLogitsWarper,
    "eta_cutoff": EtaLogitsWarper,
}
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "temperature": st.floats(0.3, 3.0),
    "top_h": st.floats(0.01, 1.0) | st.sampled_from((0.4, 1.0)),
    "top_k": st.integers(1, 400),
    "top_p": st.floats(0.05, 0.999),
    "min_p": st.floats(0.001, 0.9),
    "typical_p": st.floats(0.001, 0.9999) | st.sampled_from((0.2, 0.5, 0.9, 0.95, 0.999999)),
    "epsilon_cutoff": st.floats(1e-6, 0.99) | st.sampled_from((3e-4, 0.25, 0.5)),
    "eta_cutoff": st.floats(1e-6, 0.99) | st.sampled_from((3e-4, 0.25, 0.5)),
}
NEW = ("typical_p", "epsilon_cutoff", "eta_cutoff", "top_h")
#: Steps whose cut depends neither on a sum over the sorted vocabulary nor on the order of ties.
EXACT = ("temperature", "top_k", "min_p", "epsilon_cutoff", "eta_cutoff")


def surprise_of_the_first(scores: Tensor) -> Tensor:
    tokens = torch.zeros(len(scores), dtype=torch.int64)
    return torch.tensor(mirostat.surprisal(scores, tokens), dtype=torch.float64)


def kept(scores: Tensor) -> list[list[int]]:
    return [torch.nonzero(row > -torch.inf).flatten().tolist() for row in scores]


@pytest.mark.parametrize("name", ["epsilon_cutoff", "eta_cutoff"])
@given(scores=score_rows(), data=st.data())
@settings(max_examples=examples(80))
def test_a_step_equals_the_warper_of_transformers(
    name: str, scores: Tensor, data: st.DataObject
) -> None:
    value, before = data.draw(VALUES[name]), scores.clone()
    assert torch.equal(FUNCTIONS[name](scores, value, EMPTY), WARPERS[name](value)(None, scores))
    assert torch.equal(scores, before), "the given scores were changed in place"


@pytest.mark.parametrize("name", ["typical_p", "top_h"])
@given(scores=score_rows(), data=st.data())
@settings(max_examples=examples(80))
def test_a_cut_by_a_sum_is_that_of_transformers_but_for_ties_and_rounding(
    name: str, scores: Tensor, data: st.DataObject
) -> None:
    value, before = data.draw(VALUES[name]), scores.clone()
    ours = FUNCTIONS[name](scores, value, EMPTY)
    exceptions(name, value, scores, ours > -torch.inf)
    theirs = WARPERS[name](value)(None, scores) > -torch.inf
    exceptions(name, value, scores, theirs, ties=name == "top_h")
    assert torch.equal(scores, before), "the given scores were changed in place"


@pytest.mark.parametrize(("name", "value"), [("typical_p", 0.9), ("top_h", 0.7), ("top_p", 0.9)])
def test_cuts_by_a_sum_seldom_differ_by_rounding(name: str, value: float) -> None:
    """Guards the test above, which lets them: 300 rows of bf16 scores."""
    scores = (torch.randn(300, 2000, generator=torch.Generator().manual_seed(6)) * 3).bfloat16()
    scores = scores.float()
    theirs = WARPERS[name](value)(None, scores) > -torch.inf
    assert exceptions(name, value, scores, theirs, ties=name != "typical_p") <= 6
    assert exceptions(name, value, scores, FUNCTIONS[name](scores, value, EMPTY) > -torch.inf) <= 1


@given(
    scores=score_rows(),
    values=st.fixed_dictionaries({}, optional={name: VALUES[name] for name in EXACT}),
)
@settings(max_examples=examples(80))
def test_a_chain_equals_the_warpers_of_transformers_in_order(
    scores: Tensor, values: dict[str, Any]
) -> None:
    decoding = Decoding(strategy="sample", **values)
    chain = LogitsProcessorList([WARPERS[name](values[name]) for name in WARPERS if name in values])
    assert torch.equal(apply_steps(scores, decoding, EMPTY), chain(None, scores))


def test_another_order_is_seen() -> None:
    """Negative control of the chain: typical before top-h keeps other tokens."""
    scores = make_scores("peaked", 300, seed=2) / 3
    values = {"typical_p": 0.6, "top_h": 0.5}
    ours = apply_steps(scores, Decoding(**values), EMPTY)
    swapped = LogitsProcessorList([WARPERS[name](values[name]) for name in ("typical_p", "top_h")])
    assert kept(ours) != kept(swapped(None, scores))


def test_typical_drops_the_best_token_and_keeps_ties() -> None:
    """0.4 on one token, the rest on 32 equal ones: entropy 2.75, surprisals 0.92 and 3.98 nats."""
    scores = torch.tensor([[0.4] + [0.6 / 32] * 32]).log()
    assert kept(FUNCTIONS["typical_p"](scores, 0.3, EMPTY)) == [list(range(1, 33))]


def test_top_h_sees_a_hundred_tokens() -> None:
    """With the whole entropy allowed, the 100 best of 300 stay, and the best alone with none."""
    scores = torch.linspace(0, 0.1, 300).unsqueeze(0)
    assert kept(FUNCTIONS["top_h"](scores, 1.0, EMPTY)) == [list(range(200, 300))]
    assert kept(FUNCTIONS["top_h"](scores, 1e-9, EMPTY)) == [[299]]


def plain_top_n_sigma(row: list[float], n: float) -> list[int]:
    """Tang et al. 2024, algorithm 1, over the tokens that are in; fp64."""
    values = [value for value in row if value > -np.inf]
    mean = sum(values) / len(values)
    sigma = (sum((value - mean) ** 2 for value in values) / len(values)) ** 0.5
    return [i for i, value in enumerate(row) if -np.inf < value >= max(values) - n * sigma]


@given(scores=score_rows(), n=st.floats(0.01, 6.0))
@settings(max_examples=examples(80))
def test_top_n_sigma_equals_the_plain_version(scores: Tensor, n: float) -> None:
    rows = scores[:, :400]
    if bool((rows > -torch.inf).any(-1).all()):
        ours = FUNCTIONS["top_n_sigma"](rows, n, EMPTY)
        assert kept(ours) == [plain_top_n_sigma(row, n) for row in rows.tolist()]
        assert torch.equal(ours[ours > -torch.inf], rows[ours > -torch.inf])


def test_top_n_sigma_divides_by_the_population_and_ignores_what_is_out() -> None:
    """Scores 0, 2, 4: sd 1.633 of the population, 2 of a sample; -inf tokens move neither."""
    scores = torch.tensor([[0.0, 2.0, 4.0, -torch.inf, -torch.inf]])
    assert kept(FUNCTIONS["top_n_sigma"](scores, 1.1, EMPTY)) == [[2]]  # 4 - 1.1 * 2 would keep 2.0
    assert kept(FUNCTIONS["top_n_sigma"](scores, 1.3, EMPTY)) == [[1, 2]]


def test_top_n_sigma_keeps_the_same_tokens_at_any_temperature() -> None:
    scores = make_scores("peaked", 300, seed=4)
    masks = {
        str(kept(apply_steps(scores, Decoding(temperature=temperature, top_n_sigma=1.5), EMPTY)))
        for temperature in (0.5, 1.0, 2.0)
    }
    assert len(masks) == 1


@pytest.fixture
def threads() -> Iterator[None]:
    """As many as a large machine has: torch splits a single long row among them."""
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("vocab", [3000, 49_152])
@pytest.mark.parametrize(("name", "value"), [*((n, 0.3) for n in NEW), ("top_n_sigma", 1.0)])
def test_truncation_is_batch_invariant(name: str, value: float, vocab: int) -> None:
    shapes = ("flat", "peaked", "integers", "with_minus_inf")
    scores = torch.cat([make_scores(shape, vocab, 7) for shape in shapes])
    together = FUNCTIONS[name](scores, value, EMPTY)
    for row in range(len(scores)):
        assert torch.equal(FUNCTIONS[name](scores[row : row + 1], value, EMPTY)[0], together[row])


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("measure", [entropy.entropy, floors.deviation, surprise_of_the_first])
def test_the_sums_behind_cuts_are_batch_invariant(measure: Any) -> None:
    """A cut seldom shows a last bit; the figure behind it does."""
    scores = torch.cat([make_scores(shape, 49_152, 3, 20) for shape in ("flat", "peaked")])
    together = measure(scores)
    for size in (1, 2, 3, 7):
        apart = torch.cat([measure(part) for part in scores.split(size)])
        assert torch.equal(apart, together), size


def test_the_preset_is_the_order_in_which_transformers_builds_its_chain() -> None:
    """All settings that it shares with us at once, in the chain that `generate` would run."""
    names = {
        "SequenceBiasLogitsProcessor": "logit_bias",
        "RepetitionPenaltyLogitsProcessor": "repetition_penalty",
        "NoRepeatNGramLogitsProcessor": "no_repeat_ngram_size",
        "NoBadWordsLogitsProcessor": "bad_words",
        "MinNewTokensLengthLogitsProcessor": "min_new_tokens",
        **{warper.__name__: name for name, warper in WARPERS.items()},
    }
    config = GenerationConfig(
        do_sample=True,
        sequence_bias=[[[3], 1.0]],
        repetition_penalty=1.2,
        no_repeat_ngram_size=3,
        bad_words_ids=[[4]],
        min_new_tokens=2,
        eos_token_id=1,
        temperature=0.5,
        top_h=0.5,
        top_k=5,
        top_p=0.5,
        min_p=0.1,
        typical_p=0.5,
        epsilon_cutoff=0.1,
        eta_cutoff=0.1,
    )
    model = tiny.loaded("llama").model
    model._prepare_special_tokens(config, device="cpu")
    chain = model._get_logits_processor(config, input_ids_seq_length=3, device="cpu")
    theirs = [names[type(step).__name__] for step in chain]
    assert theirs == [name for name in ORDER_PRESETS["transformers"] if name in theirs]
    assert sorted(theirs) == sorted(names.values())
