"""The sampling kernel keeps what torch and plain definitions of the steps keep."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given, settings
from tests.engine.compiled import (
    both,
    chain_of,
    kept_by_kernel,
    sample_by_kernel,
)
from tests.engine.plain import ROUNDING, exceptions, truncate
from tests.engine.scores import EMPTY, histories, make_scores, score_rows
from tests.profiles import examples
from torch import Tensor

from ethogram.engine.noise import draw
from ethogram.engine.steps import FUNCTIONS, History, apply_steps
from ethogram.engine.steps.mirostat import surprisal
from ethogram.engine.token_strings import StringIds
from ethogram.spec import ORDER_PRESETS, Decoding
from ethogram.spec.steps import STEPS

#: Settings of every step that can be alone in a decoding, by its name.
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "top_k": st.integers(1, 9) | st.integers(1, 6000),
    "top_p": st.floats(0.001, 0.9999) | st.sampled_from((0.25, 0.5, 0.9, 0.95, 0.999999)),
    "min_p": st.floats(0.0001, 0.999) | st.sampled_from((0.5, 0.05)),
    "typical_p": st.floats(0.001, 0.9999) | st.sampled_from((0.2, 0.5, 0.9, 0.999999)),
    "epsilon_cutoff": st.floats(1e-6, 0.99),
    "eta_cutoff": st.floats(1e-6, 0.99),
    "top_n_sigma": st.floats(0.01, 6.0),
    "top_h": st.floats(0.01, 1.0) | st.just(1.0),
}
HISTORY_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "repetition_penalty": st.floats(0.2, 4.0),
    "frequency_penalty": st.floats(-3, 3),
    "presence_penalty": st.floats(-3, 3),
    "no_repeat_ngram_size": st.integers(1, 4),
    "min_new_tokens": st.integers(1, 9),
    "logit_bias": st.dictionaries(st.integers(0, 2), st.floats(-20, 20, width=16), min_size=1),
    "dry": st.builds(dict, multiplier=st.floats(0.1, 3.0)),
    "bad_words": st.just(((1,), (2, 1), (0, 2, 1))),
}


def is_within_rounding(scores: Tensor, decoding: Decoding, history: History) -> bool:
    """Whether some step of the chain cuts so near a token that its side is a matter of rounding."""
    for name, value in decoding.steps:
        if name in VALUES or name == "mirostat":
            for row, before in enumerate(scores.numpy()):
                limit = history.surprisal_limits[row] if name == "mirostat" else value
                if truncate(name, limit, before)[1].min() < ROUNDING:
                    return True
        scores = FUNCTIONS[name](scores, value, history)
    return False


@pytest.mark.parametrize("name", VALUES)
@given(scores=score_rows(), data=st.data())
@settings(max_examples=examples(60))
def test_a_step_keeps_what_its_definition_keeps(
    name: str, scores: Tensor, data: st.DataObject
) -> None:
    value = data.draw(VALUES[name])
    _, kept = both(scores, Decoding(strategy="sample", **{name: value}), EMPTY)
    exceptions(name, value, scores, kept)


@pytest.mark.parametrize("shape", ["peaked", "bf16_ties", "with_minus_inf"])
@pytest.mark.parametrize("name", [*VALUES, "mirostat", "xtc"])
def test_kernel_and_torch_seldom_differ_by_rounding(name: str, shape: str) -> None:
    """Guards the comparison with definitions, which lets them: 40 rows, none or one differs."""
    scores = make_scores(shape, 2049, seed=3, rows=40) / 2
    value: dict[str, Any] = {
        "top_k": 30,
        "epsilon_cutoff": 1e-3,
        "eta_cutoff": 1e-3,
        "top_n_sigma": 2.0,
        "min_p": 0.02,
        "mirostat": {"tau": 4.0},
        "xtc": {"probability": 1.0, "threshold": 0.02},
    }
    history = History([], [], surprisal_limits=[4 + row / 10 for row in range(40)])
    history = History(
        [[0]] * 40, [[]] * 40, keys=range(40), surprisal_limits=history.surprisal_limits
    )
    decoding = Decoding(strategy="sample", **{name: value.get(name, 0.8)})
    by_torch, by_kernel = both(scores, decoding, history)
    assert int((by_torch != by_kernel).any(-1).sum()) <= 1
    assert 1 < by_kernel.sum(-1).float().mean() < 2049, "nothing was cut, or all"


@given(case=histories(), data=st.data(), order=st.sampled_from(tuple(ORDER_PRESETS)))
@settings(max_examples=examples(250))
@pytest.mark.long
def test_a_chain_of_any_steps_keeps_what_torch_keeps(
    case: tuple[Tensor, History], data: st.DataObject, order: str
) -> None:
    """Penalties, bans and truncations in each engine's order and in orders of one's own."""
    scores, plain = case
    steps = data.draw(
        st.fixed_dictionaries({}, optional=VALUES | HISTORY_VALUES | {"temperature": TEMPERATURES})
    )
    chain: Any = order
    if data.draw(st.booleans()):
        chain = tuple(data.draw(st.permutations(list(steps))))
    decoding = Decoding(strategy="sample", order=chain, **steps)
    words = StringIds(((1,), (2, 1), (0, 2, 1)), {0: ((),), 2: ((1,),)})
    rows = range(len(scores))
    history = History(plain.prompts, plain.outputs, plain.eos_token_ids, words, list(rows))
    edited = apply_steps(scores, decoding, history)
    if not bool((edited > -torch.inf).any(-1).all()):
        return  # every token of a row is banned
    by_torch, by_kernel = both(scores, decoding, history)
    if not is_within_rounding(scores, decoding, history):
        assert torch.equal(by_torch, by_kernel)
        drawn = sample_by_kernel(scores, decoding, history).tokens
        assert drawn.tolist() == draw(edited, history.keys, lengths(history)).tolist()


TEMPERATURES = st.floats(0.3, 3.0)


def lengths(history: History) -> list[int]:
    return [len(output) for output in history.outputs]


@given(scores=score_rows(), limit=st.floats(-1, 14), data=st.data())
@settings(max_examples=examples(60))
def test_mirostat_keeps_by_the_outputs_own_limit_and_returns_the_surprisal(
    scores: Tensor, limit: float, data: st.DataObject
) -> None:
    rows = len(scores)
    limits = [limit + row for row in range(rows)]
    history = History([[0]] * rows, [[]] * rows, keys=range(rows), surprisal_limits=limits)
    decoding = Decoding(mirostat={"tau": 3.0})
    _, kept = both(scores, decoding, history)
    exceptions("mirostat", limits, scores, kept)
    chosen = sample_by_kernel(scores, decoding, history)
    left = scores.masked_fill(~kept, -torch.inf)
    expected = surprisal(left, torch.from_numpy(chosen.tokens).long())
    assert chosen.surprisals.tolist() == pytest.approx(expected, abs=1e-5)


def test_xtc_acts_at_the_same_keys_as_in_torch() -> None:
    scores = torch.tensor([[0.5, 0.3, 0.15, 0.05]]).log().repeat(300, 1)
    history = History([[0]] * 300, [[1] * (row % 4) for row in range(300)], keys=range(300))
    decoding = Decoding(xtc={"probability": 0.4, "threshold": 0.1})
    by_torch, by_kernel = both(scores, decoding, history)
    assert torch.equal(by_torch, by_kernel)
    assert 80 < int((by_kernel.sum(-1) == 2).sum()) < 160


SOME: dict[str, Any] = {
    "top_k": 5,
    "no_repeat_ngram_size": 2,
    "min_new_tokens": 2,
    "logit_bias": {1: 2.0},
    "bad_words": ((1,),),
    "dry": {"multiplier": 0.5},
    "xtc": {"probability": 0.5},
    "mirostat": {"tau": 2.0},
    "response_format": {"type": "json_object"},
}


@pytest.mark.parametrize("name", STEPS)
def test_every_declared_step_has_a_kernel(name: str) -> None:
    """Guards the translation: a step without one raises rather than being left out."""
    history = History([[1]], [[2]], frozenset({0}), StringIds(((1,),)))
    chain = chain_of(Decoding(**{name: SOME.get(name, 0.5)}), history)
    assert chain.names == [name]
    with pytest.raises(KeyError):
        chain._append("unheard_of", 1.0)


# --- negative controls ----------------------------------------------------------------------------


def test_steps_in_another_order_would_be_caught() -> None:
    scores = make_scores("peaked", 300, seed=5) / 3
    decoding = Decoding(temperature=2.0, top_p=0.6, min_p=0.2)
    expected = apply_steps(scores, decoding, EMPTY) > -torch.inf
    swapped = chain_of(decoding, EMPTY)
    swapped.steps = swapped.steps[::-1].copy()
    assert not torch.equal(kept_by_kernel(scores, decoding, EMPTY, expected, swapped), expected)


def test_ties_dropped_at_the_cut_of_top_k_would_be_caught() -> None:
    scores = make_scores("integers", 300, seed=5)
    _, kept = both(scores, Decoding(top_k=20), EMPTY)
    assert int(kept.sum(-1).min()) > 20, "there is no tie to drop"
    exactly = torch.zeros_like(kept).scatter(1, scores.topk(20).indices, True)
    with pytest.raises(AssertionError, match="top_k 20"):
        exceptions("top_k", 20, scores, exactly)


@pytest.mark.parametrize(
    ("name", "value"),
    [("frequency_penalty", 1.5), ("presence_penalty", 1.5), ("repetition_penalty", 1.5)],
)
def test_a_prompt_or_padding_counted_wrongly_would_be_caught(name: str, value: float) -> None:
    """A count too many or too few lets another token win."""
    scores = torch.tensor([[4.3, 4.5, 5.0, 4.2, 0.0, 3.0]])
    decoding = Decoding(strategy="greedy", **{name: value})
    right = History([[2, 2]], [[1]])
    wrong = {
        "the prompt taken for output": History([[]], [[2, 2, 1]]),
        "the output taken for prompt": History([[2, 2, 1]], [[]]),
        "padding counted": History([[2, 2]], [[1, 0, 0, 0]]),
        "the prompt left out": History([[]], [[1]]),
    }

    def given_by(history: History) -> int:
        return int(sample_by_kernel(scores, decoding, history).tokens[0])

    assert given_by(right) == int(apply_steps(scores, decoding, right).argmax())
    seen = {name for name, history in wrong.items() if given_by(history) != given_by(right)}
    assert (
        seen
        == {
            "frequency_penalty": {"the prompt taken for output"},
            "presence_penalty": {"the prompt taken for output"},
            "repetition_penalty": {"padding counted", "the prompt left out"},
        }[name]
    )
