"""The sampling kernel on scores that are no numbers, banned rows and the limits of fp32."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
import torch
from tests.engine.compiled import (
    both,
    outputs_of,
    sample_by_kernel,
)
from tests.engine.plain import exceptions
from tests.engine.scores import EMPTY

from ethogram.engine.steps import History
from ethogram.engine.token_strings import StringIds
from ethogram.spec import Decoding
from ethogram.spec.groups import Mirostat


def settings_of_all() -> Sequence[Decoding]:
    return (
        Decoding(strategy="greedy", repetition_penalty=1.5),
        Decoding(temperature=0.5),
        Decoding(top_k=3, top_p=0.5, min_p=0.1, typical_p=0.5, top_h=0.5),
        Decoding(epsilon_cutoff=0.1, eta_cutoff=0.1, top_n_sigma=1.0, temperature=3.0),
        Decoding(mirostat={"tau": 2.0}),
        Decoding(xtc={"probability": 1.0}),
    )


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("where", ["one", "half", "all"])
def test_scores_that_are_not_numbers_give_some_token(value: float, where: str) -> None:
    scores = torch.randn(1, 1000, generator=torch.Generator().manual_seed(1))
    scores[0, {"one": slice(7, 8), "half": slice(0, 500), "all": slice(None)}[where]] = value
    for decoding in settings_of_all():
        chosen = sample_by_kernel(scores, decoding, History([[1]], [[2]], keys=[5]), trace=True)
        assert 0 <= chosen.tokens[0] < 1000


def test_a_row_of_which_everything_is_banned_gives_some_token() -> None:
    words = StringIds(tuple((token,) for token in range(40)))
    history = History([[1]], [[2]], words=words, keys=[5])
    # What an earlier, wider row left in the kernel's memory must not be taken for a token.
    sample_by_kernel(
        torch.arange(600.0).unsqueeze(0), Decoding(top_k=1), History([[1]], [[2]], keys=[5])
    )
    for decoding in settings_of_all():
        banned = decoding.model_copy(update={"bad_words": ((1,),)})
        assert 0 <= sample_by_kernel(torch.zeros(1, 40), banned, history).tokens[0] < 40


def test_ids_beyond_the_logits_are_passed_over() -> None:
    """An end of sequence or a prompt's token may have no logit."""
    history = History([[1, 900]], [[2]], frozenset({5000}), keys=[1])
    decoding = Decoding(min_new_tokens=4, repetition_penalty=1.5, no_repeat_ngram_size=1)
    assert 0 <= sample_by_kernel(torch.zeros(1, 40), decoding, history).tokens[0] < 40


def test_extreme_scores_are_cut_as_by_their_definition() -> None:
    """Differences as small as fp32 has, and ranges that overflow it."""
    smallest = torch.arange(100, dtype=torch.int32).view(torch.float32).unsqueeze(0)
    wide = torch.linspace(-1.7e38, 1.7e38, 100).unsqueeze(0) * 2
    history = History([[1]], [[2]], keys=[5])
    for name, value in (("top_p", 0.5), ("typical_p", 0.5), ("top_k", 7)):
        decoding = Decoding(**{name: value})
        _, kept = both(smallest, decoding, EMPTY)
        exceptions(name, value, smallest, kept)
        seen = sample_by_kernel(wide, decoding, history, trace=True)
        assert seen.tokens[0] == 99
        assert seen.trace is not None
        assert seen.trace.kept[0, 0] == {"top_k": 7}.get(name, 1)


@pytest.mark.parametrize("tau", [1.0, 3.0])
def test_an_outputs_surprisal_limit_reaches_the_kernel(tau: float) -> None:
    decoding = Decoding(mirostat={"tau": tau})
    (output,) = outputs_of(decoding, History([[0]], [[]], keys=[1]), 1)
    assert output.surprisal_limit == 2 * tau == 2 * Mirostat(tau=tau, eta=0.1).tau
