"""Each decoding step against the processor of transformers that has its name, or its formula."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from tests.engine.plain import exceptions
from tests.engine.scores import EMPTY, histories, make_scores, row_by_row, score_rows
from tests.profiles import examples
from torch import Tensor
from transformers import (
    LogitsProcessorList,
    MinNewTokensLengthLogitsProcessor,
    MinPLogitsWarper,
    NoRepeatNGramLogitsProcessor,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from ethogram.engine.steps import FUNCTIONS, History, apply_steps
from ethogram.engine.steps.registry import step
from ethogram.spec import ORDER_PRESETS, Decoding
from ethogram.spec.steps import STEPS

WARPERS: dict[str, Any] = {
    "temperature": TemperatureLogitsWarper,
    "top_k": lambda k: TopKLogitsWarper(int(k)),
    "top_p": TopPLogitsWarper,
    "min_p": MinPLogitsWarper,
}


def settings_of(name: str) -> st.SearchStrategy[float]:
    return {
        "temperature": st.floats(0.05, 5.0),
        "top_k": st.integers(1, 6000).map(float) | st.integers(1, 8).map(float),
        "top_p": st.floats(0.001, 0.9999) | st.sampled_from((0.5, 0.25, 0.9, 0.95, 0.999999)),
        "min_p": st.floats(0.0001, 0.999) | st.sampled_from((0.5, 0.05)),
    }[name]


@pytest.mark.parametrize("name", ["top_k", "min_p", "temperature"])
@given(scores=score_rows(), data=st.data())
@settings(max_examples=examples(60))
def test_a_step_equals_the_warper_of_transformers(
    name: str, scores: Tensor, data: st.DataObject
) -> None:
    value = data.draw(settings_of(name))
    before = scores.clone()
    ours = FUNCTIONS[name](scores, value, EMPTY)
    assert torch.equal(ours, WARPERS[name](value)(None, scores))
    assert torch.equal(scores, before), "the given scores were changed in place"


@given(scores=score_rows(), p=settings_of("top_p"))
@settings(max_examples=examples(100))
def test_top_p_keeps_what_transformers_keeps_but_for_ties(scores: Tensor, p: float) -> None:
    before = scores.clone()
    ours = FUNCTIONS["top_p"](scores, p, EMPTY)
    kept = ours > -torch.inf
    assert torch.equal(ours[kept], before[kept])
    assert torch.equal(scores, before), "the given scores were changed in place"
    exceptions("top_p", p, scores, kept)
    exceptions("top_p", p, scores, TopPLogitsWarper(p)(None, scores) > -torch.inf, ties=True)


@pytest.mark.parametrize("p", [0.3, 0.8, 0.9, 0.95, 0.99])
def test_top_p_and_transformers_seldom_differ_by_rounding(p: float) -> None:
    """Guards the test above, which lets them: 300 rows, bf16, the cut among single tokens."""
    scores = (torch.randn(300, 2000, generator=torch.Generator().manual_seed(2)) * 3).bfloat16()
    scores = scores.float()
    theirs = TopPLogitsWarper(p)(None, scores) > -torch.inf
    assert exceptions("top_p", p, scores, theirs, ties=True) <= 6
    assert exceptions("top_p", p, scores, FUNCTIONS["top_p"](scores, p, EMPTY) > -torch.inf) == 0


def test_of_equal_scores_at_the_cut_of_top_p_the_lowest_ids_stay() -> None:
    scores = torch.tensor([[0.0, 1.0, 0.0, 1.0, 0.0, 0.0]])
    for p, stay in ((0.28, [1]), (0.5, [1, 3]), (0.68, [0, 1, 3]), (0.7, [0, 1, 2, 3])):
        kept = FUNCTIONS["top_p"](scores, p, EMPTY)[0] > -torch.inf
        assert torch.nonzero(kept).flatten().tolist() == stay


@given(scores=score_rows(), data=st.data())
@settings(max_examples=examples(60))
def test_a_chain_equals_the_warpers_of_transformers_in_order(
    scores: Tensor, data: st.DataObject
) -> None:
    values = {name: data.draw(settings_of(name)) for name in ("temperature", "top_k", "min_p")}
    values["top_k"] = int(values["top_k"])
    decoding = Decoding(strategy="sample", **values)
    chain = LogitsProcessorList([WARPERS[name](values[name]) for name in values])
    assert torch.equal(apply_steps(scores, decoding, EMPTY), chain(None, scores))


def test_top_k_keeps_ties_at_the_last_place() -> None:
    scores = torch.tensor([[3.0, 2.0, 2.0, 2.0, 1.0]])
    kept = FUNCTIONS["top_k"](scores, 2, EMPTY) > -torch.inf
    assert kept.tolist() == [[True, True, True, True, False]]


def test_the_order_of_steps_changes_what_is_kept() -> None:
    """Temperature before or after top-p, and top-p before or after min-p."""
    scores = torch.tensor([[0.5, 0.25, 0.15, 0.1]]).log()
    hot = {"temperature": 3.0, "top_p": 0.7}
    kept = {
        order: int((apply_steps(scores, Decoding(order=order, **hot), EMPTY) > -torch.inf).sum())
        for order in ("transformers", "llamacpp")
    }
    assert kept == {"transformers": 3, "llamacpp": 2}
    # min-p first leaves .5/.75 and .25/.75, of which the best alone has the mass 0.6; top-p first
    # keeps two, and both pass min-p.
    both = {"top_p": 0.6, "min_p": 0.4}
    vllm = apply_steps(scores, Decoding(order="vllm", **both), EMPTY) > -torch.inf
    ours = apply_steps(scores, Decoding(**both), EMPTY) > -torch.inf
    assert (int(ours.sum()), int(vllm.sum())) == (2, 1)


def test_a_custom_order_is_followed() -> None:
    scores = torch.tensor([[0.5, 0.25, 0.15, 0.1]]).log()
    base = {"top_p": 0.6, "min_p": 0.4}
    vllm = apply_steps(scores, Decoding(order="vllm", **base), EMPTY)
    assert torch.equal(apply_steps(scores, Decoding(order=("min_p", "top_p"), **base), EMPTY), vllm)


@pytest.mark.parametrize("preset", ORDER_PRESETS)
def test_each_preset_orders_all_steps_once(preset: str) -> None:
    assert sorted(ORDER_PRESETS[preset]) == sorted(STEPS)
    positions = [getattr(step.order, preset) for step in STEPS.values()]
    assert len(set(positions)) == len(positions), "two steps at one position have no order"


def test_every_declared_step_has_a_function() -> None:
    assert set(FUNCTIONS) == set(STEPS)
    with pytest.raises(KeyError):

        @step
        def unheard_of(scores: torch.Tensor, value: float, history: History) -> torch.Tensor:
            return scores


def test_neutral_settings_run_no_step() -> None:
    scores = make_scores("peaked", 50, seed=1)
    assert apply_steps(scores, Decoding(strategy="sample"), EMPTY) is scores


# --- penalties ------------------------------------------------------------------------------------


@given(case=histories(), penalty=st.floats(0.1, 5.0))
@settings(max_examples=examples(80))
def test_repetition_penalty_equals_transformers(
    case: tuple[Tensor, History], penalty: float
) -> None:
    scores, history = case
    reference = row_by_row(RepetitionPenaltyLogitsProcessor(penalty), scores, history)
    assert torch.equal(FUNCTIONS["repetition_penalty"](scores, penalty, history), reference)


@given(case=histories(), size=st.integers(1, 5))
@settings(max_examples=examples(80))
def test_no_repeat_ngram_equals_transformers(case: tuple[Tensor, History], size: int) -> None:
    scores, history = case
    reference = row_by_row(NoRepeatNGramLogitsProcessor(size), scores, history)
    assert torch.equal(FUNCTIONS["no_repeat_ngram_size"](scores, size, history), reference)


@given(case=histories(), minimum=st.integers(1, 15))
@settings(max_examples=examples(80))
def test_min_new_tokens_equals_transformers(case: tuple[Tensor, History], minimum: int) -> None:
    scores, history = case
    expected = []
    for row, (prompt, output) in enumerate(zip(history.prompts, history.outputs, strict=True)):
        processor = MinNewTokensLengthLogitsProcessor(
            len(prompt), minimum, sorted(history.eos_token_ids)
        )
        ids = torch.tensor([[*prompt, *output]])
        expected.append(processor(ids, scores[row : row + 1].clone()))
    assert torch.equal(FUNCTIONS["min_new_tokens"](scores, minimum, history), torch.cat(expected))


@given(
    case=histories(),
    frequency=st.floats(-3.0, 3.0, width=16),
    presence=st.floats(-3.0, 3.0, width=16),
)
@settings(max_examples=examples(80))
def test_count_penalties_equal_the_formula_of_vllm(
    case: tuple[Tensor, History], frequency: float, presence: float
) -> None:
    """logits -= frequency * counts, then logits -= presence * (counts > 0), output tokens only."""
    scores, history = case
    counts = torch.zeros_like(scores)
    for row, output in enumerate(history.outputs):
        for token in output:
            counts[row, token] += 1
    reference = scores - frequency * counts
    reference = reference - presence * (counts > 0).float()
    ours = FUNCTIONS["frequency_penalty"](scores, frequency, history)
    ours = FUNCTIONS["presence_penalty"](ours, presence, history)
    assert torch.equal(ours, reference)


@pytest.mark.parametrize("name", ["repetition_penalty", "frequency_penalty", "presence_penalty"])
def test_a_short_row_is_not_penalised_for_its_padding(name: str) -> None:
    """Alone and beside a longer row, a row gets the same scores; only its own ids change."""
    scores = torch.full((2, 6), 2.0)
    history = History([[5], [5, 4]], [[1], [1, 2, 3, 3, 3, 2]])
    both = FUNCTIONS[name](scores, 1.5, history)
    alone = FUNCTIONS[name](scores[:1], 1.5, History([[5]], [[1]]))
    assert torch.equal(both[:1], alone)
    touched = {"repetition_penalty": [1, 5]}.get(name, [1])
    assert np.flatnonzero(both[0].numpy() != 2.0).tolist() == touched


def test_count_penalties_ignore_the_prompt() -> None:
    scores = torch.zeros(1, 4)
    history = History([[0, 0, 1]], [[]])
    for name in ("frequency_penalty", "presence_penalty"):
        assert torch.equal(FUNCTIONS[name](scores, 2.0, history), scores)


def test_min_new_tokens_without_an_end_of_sequence_changes_nothing() -> None:
    scores = torch.zeros(1, 4)
    assert FUNCTIONS["min_new_tokens"](scores, 5, History([[1]], [[]])) is scores
