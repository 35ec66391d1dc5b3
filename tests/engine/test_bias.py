"""Logit bias and bad words: against a plain version, transformers, and what a model writes."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given, settings
from tests.engine import tiny
from tests.engine.scores import histories, make_scores, row_by_row
from tests.profiles import examples
from torch import Tensor
from transformers import NoBadWordsLogitsProcessor

from ethogram.engine import Engine
from ethogram.engine.steps import FUNCTIONS, History, apply_steps
from ethogram.engine.token_strings import StringIds, TokenStrings
from ethogram.errors import RequestError
from ethogram.spec import ORDER_PRESETS, Decoding, Generation

#: Sequences over the small alphabet of `histories`, ends of sequence (0 and 2) among them.
WORDS = st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=4), min_size=1, max_size=6)


def run(prompt: str, **settings: Any) -> Generation:
    decoding = Decoding(**{"max_new_tokens": 24, **settings})
    model = tiny.loaded("llama")
    (made,) = Engine(model, deterministic=False).generate([tiny.request(prompt, decoding)])
    return made


# --- logit bias -----------------------------------------------------------------------------------


@given(
    case=histories(),
    bias=st.dictionaries(st.integers(0, 2), st.floats(-100, 100, width=16), min_size=1),
)
@settings(max_examples=examples(60))
def test_logit_bias_equals_the_plain_version(
    case: tuple[Tensor, History], bias: dict[int, float]
) -> None:
    scores, history = case
    expected = scores.clone()
    for row in range(len(scores)):
        for token, value in bias.items():
            expected[row, token] = expected[row, token] + value
    before = scores.clone()
    ours = apply_steps(scores, Decoding(strategy="greedy", logit_bias=bias), history)
    assert torch.equal(ours, expected)
    assert torch.equal(scores, before)


@pytest.mark.parametrize("strategy", [{"strategy": "greedy"}, {}, {"num_beams": 3}])
def test_logit_bias_acts_under_every_strategy(strategy: dict[str, Any]) -> None:
    plain = run("the cat", **strategy).token_ids
    pushed = run("the cat", logit_bias={plain[0]: -100, 77: 100}, **strategy).token_ids
    assert plain[0] not in pushed
    assert 77 in pushed


def test_logit_bias_comes_before_or_after_the_penalties() -> None:
    """Score 2 biased by 2 and halved is 2; halved and biased it is 3."""
    scores, history = torch.full((1, 3), 2.0), History([[1]], [[]])
    both = {"logit_bias": {1: 2.0}, "repetition_penalty": 2.0, "strategy": "greedy"}
    given = {
        order: apply_steps(scores, Decoding(order=order, **both), history)[0, 1].item()
        for order in ("transformers", "llamacpp", "vllm")
    }
    assert given == {"transformers": 2.0, "llamacpp": 2.0, "vllm": 2.0}
    late = Decoding(order=("repetition_penalty", "logit_bias"), **both)
    assert apply_steps(scores, late, history)[0, 1].item() == 3.0


# --- bad words ------------------------------------------------------------------------------------


@given(case=histories(), bad=WORDS)
@settings(max_examples=examples(150))
def test_bad_words_equal_transformers_row_by_row(
    case: tuple[Tensor, History], bad: list[list[int]]
) -> None:
    scores, history = case
    history = History(
        history.prompts, history.outputs, history.eos_token_ids, StringIds(tuple(map(tuple, bad)))
    )
    before = scores.clone()
    ours = FUNCTIONS["bad_words"](scores, None, history)
    assert torch.equal(scores, before)
    left = [word for word in bad if word not in ([0], [2])]
    if not left:  # transformers refuses an empty list
        assert torch.equal(ours, scores)
        return
    processor = NoBadWordsLogitsProcessor([list(word) for word in bad], eos_token_id=[0, 2])
    assert torch.equal(ours, row_by_row(processor, scores, history))


def test_a_bad_word_may_begin_in_the_prompt() -> None:
    scores = torch.zeros(1, 6)
    words = StringIds(((3, 4, 5),))
    for prompt, output in (([3, 4], []), ([3], [4]), ([1], [3, 4])):
        ours = FUNCTIONS["bad_words"](scores, None, History([prompt], [output], words=words))
        assert ours[0].isinf().tolist() == [False] * 5 + [True]
    ours = FUNCTIONS["bad_words"](scores, None, History([[4]], [[]], words=words))
    assert torch.equal(ours, scores)


class Spelling:
    """A tokenizer that knows four words: "mess" has two tokens, " mess" one."""

    table: dict[str, list[int]] = {"mess": [1, 2], " mess": [3], "a": [4], " a": [4], "\n": [5]}  # noqa: RUF012

    def __call__(self, text: str, **_: Any) -> Any:
        return type("Encoded", (), {"input_ids": self.table.get(text, [9])})


@pytest.mark.parametrize(
    ("bad", "ids"),
    [
        (["mess"], ((1, 2), (3,))),  # the second has another length: vLLM would let it through
        (["  mess"], ((1, 2), (3,))),
        (["a"], ((4,),)),
        ([[7, 8], "a"], ((4,), (7, 8))),
        (["\n"], ((5,), (9,))),
    ],
)
def test_words_are_spelt_with_and_without_a_space(bad: list[Any], ids: Any) -> None:
    words = TokenStrings(Spelling()).resolve(Decoding(bad_words=bad))
    assert set(words.bad) == set(ids)


def test_words_of_a_decoding_without_any() -> None:
    assert TokenStrings(Spelling()).resolve(Decoding()) == StringIds()


@pytest.mark.parametrize("strategy", [{"strategy": "greedy"}, {}, {"num_beams": 3}])
def test_the_output_never_has_a_bad_word(strategy: dict[str, Any]) -> None:
    """Each two-token piece that the model writes is banned in turn; none comes back."""
    bad: list[tuple[int, ...]] = []
    for _ in range(4):
        ids = run("the cat sat", bad_words=bad, **strategy).token_ids
        pairs = list(pairwise(ids))
        assert not set(bad) & set(pairs)
        bad.append(pairs[len(pairs) // 2])


def test_a_bad_word_is_found_by_its_text() -> None:
    first = run("the cat sat", strategy="greedy")
    tokenizer = tiny.loaded("llama").tokenizer
    word = tokenizer.decode([first.token_ids[3]])
    assert word in first.text
    again = run("the cat sat", strategy="greedy", bad_words=[word])
    assert first.token_ids[3] not in again.token_ids


# --- ids that the model lacks ---------------------------------------------------------------------


@pytest.mark.parametrize("name", ["logit_bias", "bad_words"])
def test_an_id_outside_the_vocabulary_is_refused(name: str) -> None:
    vocab = tiny.loaded("llama").vocab_size
    value: Any = {vocab: 1.0} if name == "logit_bias" else [[1, vocab]]
    with pytest.raises(RequestError, match=rf"decoding.{name}: the model has no token {vocab}"):
        run("the", **{name: value})


@pytest.mark.parametrize("preset", ORDER_PRESETS)
def test_bans_leave_the_other_rows_scores_alone(preset: str) -> None:
    scores = make_scores("peaked", 40, seed=3)
    decoding = Decoding(order=preset, strategy="greedy", logit_bias={2: 5.0}, bad_words=[[1]])
    ours = apply_steps(scores, decoding, History([[0]] * 3, [[]] * 3, words=StringIds(((1,),))))
    rest = [i for i in range(40) if i not in (1, 2)]
    assert torch.equal(ours[:, rest], scores[:, rest])
