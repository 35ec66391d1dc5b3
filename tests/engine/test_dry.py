"""DRY against brute force: every end of the text tried at every place, breakers in plain words."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import pytest
import torch
import transformers
from hypothesis import given, settings
from tests.engine import tiny
from tests.profiles import examples
from torch import Tensor

from ethogram.engine import Engine
from ethogram.engine.steps import FUNCTIONS, History, apply_steps
from ethogram.engine.token_strings import StringIds, TokenStrings
from ethogram.spec import Decoding
from ethogram.spec.groups import Dry

VOCAB = 6


def brute_force(ids: list[int], value: Dry, breakers: set[int]) -> list[float]:
    """What each token loses; breakers are single ids."""
    if value.penalty_last_n >= 0:
        ids = ids[max(len(ids) - value.penalty_last_n, 0) :]
    unbroken = 0
    while unbroken < len(ids) and ids[-1 - unbroken] not in breakers:
        unbroken += 1
    lost = []
    for token in range(VOCAB):
        lengths = [
            length
            for length in range(value.allowed_length, unbroken + 1)
            if occurs([*ids[len(ids) - length :], token], ids)
        ]
        is_spared = token in breakers or not lengths
        power = 0 if is_spared else max(lengths) - value.allowed_length
        lost.append(0.0 if is_spared else value.multiplier * value.base**power)
    return lost


def occurs(part: list[int], whole: list[int]) -> bool:
    return any(whole[i : i + len(part)] == part for i in range(len(whole) - len(part) + 1))


@st.composite
def repetitive(draw: st.DrawFn) -> list[int]:
    """Ids that repeat: motifs of a small alphabet, some of them several times."""
    motifs = draw(st.lists(st.lists(st.integers(0, 4), min_size=1, max_size=5), min_size=1))
    times = draw(st.lists(st.integers(1, 4), min_size=len(motifs), max_size=len(motifs)))
    return [token for motif, n in zip(motifs, times, strict=True) for token in motif * n]


@given(
    rows=st.lists(repetitive(), min_size=1, max_size=4),
    split=st.integers(0, 30),
    value=st.builds(
        Dry,
        multiplier=st.floats(0.1, 3.0),
        base=st.floats(1.0, 3.0),
        allowed_length=st.integers(1, 4),
        penalty_last_n=st.sampled_from((-1, 3, 8, 64)),
        sequence_breakers=st.just(()),
    ),
    breakers=st.sets(st.integers(0, 4), max_size=2),
)
@settings(max_examples=examples(200))
def test_dry_equals_brute_force(
    rows: list[list[int]], split: int, value: Dry, breakers: set[int]
) -> None:
    prompts = [row[: max(1, min(split, len(row)))] for row in rows]
    outputs = [row[len(prompt) :] for row, prompt in zip(rows, prompts, strict=True)]
    words = StringIds(breakers=dict.fromkeys(breakers, ((),)))
    scores = torch.linspace(-2, 2, VOCAB).repeat(len(rows), 1)
    ours = FUNCTIONS["dry"](scores, value, History(prompts, outputs, words=words))
    lost = torch.tensor([brute_force(row, value, breakers) for row in rows])
    torch.testing.assert_close(ours, scores - lost, rtol=1e-5, atol=1e-5)
    assert torch.equal(ours == scores, lost == 0)


def dry(**changes: Any) -> Dry:
    """Settings under which every length counts and each further token doubles the penalty."""
    return Dry(
        **{"multiplier": 1.0, "base": 2.0, "penalty_last_n": -1, "sequence_breakers": (), **changes}
    )


def penalise(ids: list[int], **changes: Any) -> list[float]:
    value = dry(**changes)
    return (-FUNCTIONS["dry"](torch.zeros(1, VOCAB), value, History([ids], [[]])))[0].tolist()


def test_dry_by_hand() -> None:
    """The example in llama.cpp's source: a b c c b c y a b c."""
    a, b, c, y = 0, 1, 2, 3
    ids = [a, b, c, c, b, c, y, a, b, c]
    # `a b c` came before c (3 tokens), `b c` before y (2), `c` before b (1, allowed).
    assert penalise(ids) == [0, 0, 2.0, 1.0, 0, 0]
    assert penalise(ids, allowed_length=1) == [0, 1.0, 4.0, 2.0, 0, 0]
    assert penalise(ids, allowed_length=3) == [0, 0, 1.0, 0, 0, 0]
    assert penalise(ids, allowed_length=4) == [0] * VOCAB
    assert penalise(ids, penalty_last_n=8) == [0, 0, 0, 1.0, 0, 0]


def test_a_long_loop_is_ruled_out_and_does_not_overflow() -> None:
    lost = penalise([1, 2] * 600, base=1.75, multiplier=100.0)
    assert lost[1] == float("inf")
    assert [lost[0], *lost[2:]] == [0.0] * (VOCAB - 1)


def test_a_row_without_repetition_is_left_as_it_was() -> None:
    scores = torch.zeros(2, VOCAB)
    value = dry()
    assert FUNCTIONS["dry"](scores, value, History([[1, 2], [3]], [[], []])) is scores
    both = FUNCTIONS["dry"](scores, value, History([[1, 2, 3, 1, 2], [3]], [[], []]))
    assert both.tolist() == [[0, 0, 0, -1.0, 0, 0], [0] * VOCAB]


# --- breakers -------------------------------------------------------------------------------------


class Spelling:
    """A tokenizer of six tokens and of the strings that can remain of `##`."""

    texts = ("a", "x#", "##", "#", "y##z", "#b")

    def __call__(self, text: str, **_: Any) -> Any:
        return type("Encoded", (), {"input_ids": [self.texts.index(text)]})

    def __len__(self) -> int:
        return len(self.texts)

    def decode(self, ids: list[int], **_: Any) -> str:
        return "".join(self.texts[token] for token in ids)


def breakers_of(*strings: str) -> dict[int, tuple[tuple[int, ...], ...]]:
    decoding = Decoding(dry={"multiplier": 1.0, "sequence_breakers": strings})
    return dict(TokenStrings(Spelling()).resolve(decoding).breakers)


def test_a_breaker_lies_within_a_token_or_across_two() -> None:
    assert breakers_of("##") == {1: ((3,),), 2: ((),), 3: ((3,),), 4: ((),)}
    assert breakers_of("a") == {0: ((),)}
    assert breakers_of() == {}


def test_breakers_are_looked_up_only_for_dry() -> None:
    assert TokenStrings(None).resolve(Decoding()).breakers == {}


def test_a_breaker_across_tokens_ends_a_repetition() -> None:
    """`a x# # a ...`: the run after `x# #` alone counts; without its second half nothing breaks."""
    words = StringIds(breakers=breakers_of("##"))
    value = dry(allowed_length=1)
    broken, whole = [0, 1, 3, 0, 5, 0, 1, 3, 0], [0, 1, 4, 0, 5, 0, 1, 0]
    lost = -FUNCTIONS["dry"](torch.zeros(1, VOCAB), value, History([broken], [[]], words=words))
    # Of `0 1 3 0` only the last 0 follows the breaker: its continuations 1 and 5 cost base ** 0,
    # though 5 would lengthen a repetition of four tokens.
    assert lost.tolist() == [[0, 1.0, 0, 0, 0, 1.0]]
    free = -FUNCTIONS["dry"](torch.zeros(1, VOCAB), value, History([broken], [[]]))
    assert free.tolist() == [[0, 1.0, 0, 0, 0, 8.0]]
    ends = -FUNCTIONS["dry"](torch.zeros(1, VOCAB), value, History([whole], [[]], words=words))
    assert ends[0, 1] == 1.0


def test_the_breakers_of_a_real_tokenizer_are_the_tokens_that_spell_them() -> None:
    tokenizer = tiny.tokenizer()
    decoding = Decoding(dry={"multiplier": 1.0, "sequence_breakers": ["t", " "]})
    found = TokenStrings(tokenizer).resolve(decoding).breakers
    spelt = {i for i in range(len(tokenizer)) if set("t ") & set(tokenizer.decode([i]))}
    assert dict.fromkeys(spelt, ((),)) == found
    assert len(spelt) > 10


# --- as a whole -----------------------------------------------------------------------------------


class PlainDry(transformers.LogitsProcessor):
    """Brute force inside transformers `generate`."""

    def __init__(self, value: Dry, breakers: set[int]) -> None:
        self.value, self.breakers = value, breakers

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        scores = scores.clone()
        for row, ids in enumerate(input_ids.tolist()):
            for token in set(ids):
                lost = brute_force_one(ids, token, self.value, self.breakers)
                scores[row, token] -= lost
        return scores


def brute_force_one(ids: list[int], token: int, value: Dry, breakers: set[int]) -> float:
    unbroken = 0
    while unbroken < len(ids) and ids[-1 - unbroken] not in breakers:
        unbroken += 1
    for length in range(unbroken, value.allowed_length - 1, -1):
        if token not in breakers and occurs([*ids[len(ids) - length :], token], ids):
            return value.multiplier * value.base ** (length - value.allowed_length)
    return 0.0


@pytest.mark.parametrize("strategy", [{"strategy": "greedy"}, {"num_beams": 3}])
@pytest.mark.parametrize("prompt", ["a", "the cat sat on the mat; the cat sat", "0 1 2 0 1 2 0 1"])
def test_generation_equals_transformers_with_brute_force(
    strategy: dict[str, Any], prompt: str
) -> None:
    model = tiny.loaded("llama")
    decoding = Decoding(
        **strategy,
        max_new_tokens=32,
        dry={
            "multiplier": 3.0,
            "allowed_length": 1,
            "penalty_last_n": -1,
            "sequence_breakers": ["e"],
        },
    )
    breakers = {i for i in range(model.vocab_size) if "e" in model.tokenizer.decode([i])}
    extra = (PlainDry(decoding.step_value("dry"), breakers),)  # type: ignore[arg-type]
    expected = tiny.generate(model, prompt, decoding, extra)
    (made,) = Engine(model).generate([tiny.request(prompt, decoding)])
    assert list(made.token_ids) == expected
    assert expected != tiny.generate(model, prompt, decoding), "DRY changed nothing"


def test_dry_follows_the_penalties_in_every_order() -> None:
    """A repetition penalty of 2 halves 4 to 2 before DRY takes 1; the other way round gives 1.5."""
    scores, history = torch.full((1, VOCAB), 4.0), History([[1, 2, 3, 1, 2]], [[]])
    both = {"dry_multiplier": 1.0, "repetition_penalty": 2.0, "strategy": "greedy"}
    for order in ("transformers", "vllm", "llamacpp"):
        assert apply_steps(scores, Decoding(order=order, **both), history)[0, 3] == 1.0
    late = Decoding(order=("dry", "repetition_penalty"), **both)
    assert apply_steps(scores, late, history)[0, 3] == 1.5
