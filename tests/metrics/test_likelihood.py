"""Likelihood: single forward passes of transformers, and brute force."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from tokenizers.processors import TemplateProcessing

from ethogram.engine.forward.teacher_forcing import ForcedSequence, TeacherForced
from ethogram.errors import RequestError, SpecError
from ethogram.metrics import NamedModels, Output, get, metrics_of
from ethogram.metrics.choices import Choices, multiple_choice, right_mass
from ethogram.metrics.likelihood import (
    judge,
    self_reinforcement,
)
from ethogram.models import load

from .stubs import StubModels

PROMPT, TEXT = "the old lighthouse", " keeper wrote a letter to the sea and the sea wrote back"


@pytest.fixture(scope="module")
def model(checkpoint: Callable[..., Path]) -> TeacherForced:
    """A tiny model whose tokenizer has a token that begins a text."""
    loaded = load(str(checkpoint("llama")))
    loaded.tokenizer.bos_token = "<eos>"
    return TeacherForced(loaded)


def logprobs_of(model: TeacherForced, ids: tuple[int, ...], count: int) -> np.ndarray:
    with torch.no_grad():
        rows = model._loaded.model(torch.tensor([ids])).logits[0].float().log_softmax(-1)
    return np.array([rows[p - 1, ids[p]].item() for p in range(len(ids) - count, len(ids))])


def test_perplexity_and_coherence_are_those_of_transformers(model: TeacherForced) -> None:
    models = StubModels(reference=model)
    ids = model.ids(TEXT)
    given_prompt = logprobs_of(model, model.start + model.ids(PROMPT) + ids, len(ids))
    by_itself = logprobs_of(model, model.start + ids, len(ids))
    expected = {
        "reference_perplexity": math.exp(-given_prompt.mean()),
        "reference_perplexity_alone": math.exp(-by_itself.mean()),
        "likelihood_coherence": given_prompt.mean(),
    }
    outputs = [Output("sea", prompt="the"), Output(TEXT, prompt=PROMPT), Output("", prompt="x")]
    for name, value in expected.items():
        scores = get(name).measure_batch(outputs, models)
        assert scores[1].value == pytest.approx(value, rel=1e-4)
        assert scores[2].value is None
        assert float(get(name).aggregate(np.array(scores[1].parts))) == pytest.approx(
            value, rel=1e-4
        )


def test_perplexity_weighs_tokens_and_coherence_outputs(model: TeacherForced) -> None:
    models = StubModels(reference=model)
    outputs = [Output(TEXT, prompt=PROMPT), Output("a", prompt=PROMPT)]
    judged = judge([o.text for o in outputs], model, [PROMPT, PROMPT])
    every = np.concatenate([j.logprobs for j in judged])
    parts = {
        name: np.array([s.parts for s in get(name).measure_batch(outputs, models)]).sum(axis=0)
        for name in ("reference_perplexity", "likelihood_coherence")
    }
    perplexity = get("reference_perplexity").aggregate(parts["reference_perplexity"])
    assert float(perplexity) == pytest.approx(math.exp(-every.mean()), rel=1e-4)
    coherence = get("likelihood_coherence").aggregate(parts["likelihood_coherence"])
    assert float(coherence) == pytest.approx(np.mean([j.logprobs.mean() for j in judged]))


def test_a_text_longer_than_the_context_is_fed_in_pieces(model: TeacherForced) -> None:
    text = TEXT * 12
    ids = model.ids(text)
    assert len(ids) > model.context_length
    (judged,) = judge([text], model, [PROMPT])
    assert len(judged.logprobs) == len(ids)
    whole = model.start + model.ids(PROMPT) + ids
    half = model.context_length // 2
    end = len(whole) - len(ids) + half
    assert judged.logprobs[:half] == pytest.approx(logprobs_of(model, whole[:end], half), abs=2e-4)
    second = whole[end + half - model.context_length : end + half]
    assert judged.logprobs[half : 2 * half] == pytest.approx(
        logprobs_of(model, second, half), abs=2e-4
    )


def test_without_a_beginning_the_first_token_is_not_scored(model: TeacherForced) -> None:
    plain = TeacherForced(model._loaded)
    begin, model._loaded.tokenizer.bos_token = model._loaded.tokenizer.bos_token, None
    try:
        assert plain.start == ()
        (judged, single) = judge([TEXT, "a"], plain)
        assert len(judged.logprobs) == len(judged.ids) - 1
        assert len(single.logprobs) == 0
        score = get("reference_perplexity").measure_batch(
            [Output("a")], StubModels(reference=plain)
        )
        assert score[0].value is None
    finally:
        model._loaded.tokenizer.bos_token = begin


def test_no_outputs_have_no_scores(model: TeacherForced) -> None:
    models = StubModels(reference=model)
    for metric in (m for m in metrics_of("output") if m.family == "likelihood"):
        assert metric.measure_batch([], models) == []


def test_self_reinforcement_is_that_of_single_passes(model: TeacherForced) -> None:
    sentences = ["the sea wrote back", "a letter"]
    found = self_reinforcement(model, sentences, repeats=3, prefix="the old")
    curves = []
    for sentence in sentences:
        ids = model.ids(f" {sentence}")
        before = model.start + model.ids("the old")
        rows = []
        for n in range(4):
            fed = before + ids * (n + 1)
            with torch.no_grad():
                logits = model._loaded.model(torch.tensor([fed])).logits[0].float()
            at = range(len(fed) - len(ids) - 1, len(fed) - 1)
            rows.append(
                (
                    [logits[p].softmax(-1)[fed[p + 1]].item() for p in at],
                    [logits[p].argmax().item() == fed[p + 1] for p in at],
                )
            )
        first = rows[0][0]
        curves.append(
            [
                (
                    np.mean(p),
                    np.mean([now > then for now, then in zip(p, first, strict=True)]),
                    np.mean(won),
                )
                for p, won in rows
            ]
        )
    expected = np.array(curves).mean(axis=0).T
    assert found.probability == pytest.approx(expected[0], rel=1e-3)
    assert found.increased == pytest.approx(expected[1])
    assert found.won == pytest.approx(expected[2])
    assert found.to_json()["sentences"] == 2
    with pytest.raises(RequestError, match="more than the context of 256; ask for fewer repeats"):
        self_reinforcement(model, sentences, repeats=200)
    with pytest.raises(RequestError, match="the sentence is empty"):
        self_reinforcement(model, [" "])


def test_choices_are_those_of_the_likelihoods(model: TeacherForced) -> None:
    question = Choices("the old lighthouse", ("keeper wrote", "sea"), ("a letter", "back to it"))
    answers = [*question.right, *question.wrong]
    sums = []
    for answer in answers:
        ids = model.ids(f" {answer}")
        fed = model.ids(question.prompt) + ids
        sums.append(logprobs_of(model, fed, len(ids)).sum())
    weights = np.exp(np.array(sums))
    found = multiple_choice([question], model)
    assert found.mc1 == (bool(sums[0] > max(sums[2:])),)
    assert found.mc2[0] == pytest.approx(weights[:2].sum() / weights.sum(), rel=1e-3)
    assert found.to_json()["mc2"] == found.mc2[0]
    lengths = [len(answer) for answer in answers]
    assert found.acc_norm == (bool(sums[0] / lengths[0] > max(np.divide(sums, lengths)[2:])),)
    assert multiple_choice([replace(question, prompt=question.prompt + " ")], model) == found
    assert multiple_choice([question], model, begin=False) == found
    assert multiple_choice([question], model, begin=True) != found
    with pytest.raises(SpecError, match=r"question 1 .*needs a correct and a wrong answer"):
        multiple_choice([Choices("q", (), ("a",))], model)


class Spaced:
    """A reference model that records what it is fed; its tokens are characters.

    As SentencePiece does, it puts a space before each text; `adds` is what it puts before that.
    """

    start, context_length = (1,), 100

    def __init__(self, prefix: tuple[int, ...] = ()) -> None:
        self.prefix, self.fed = prefix, list[str]()

    def ids(self, text: str) -> tuple[int, ...]:
        return tuple(ord(each) for each in f" {text}".replace(" \x01", "\x01"))

    def force(self, sequences: Any) -> list[ForcedSequence]:
        self.fed += ["".join(map(chr, ids)) for ids in sequences]
        zeros = [np.zeros(len(ids) - 1, np.float32) for ids in sequences]
        return [ForcedSequence(each, each.astype(np.int64)) for each in zeros]


@pytest.mark.parametrize(
    ("prefix", "begin", "prompt", "fed"),
    [
        ((), None, "Q:", " Q: a"),
        ((1,), None, "Q:", "\x01 Q: a"),
        ((), True, "Q:", "\x01 Q: a"),
        ((1,), False, "Q:", " Q: a"),
        ((1,), None, "Q:  ", "\x01 Q: a"),
        ((1,), None, "Q:\n", "\x01 Q:\n a"),
        ((1,), None, "\x01Q:", "\x01Q: a"),
        ((), None, "", "\x01  a"),
    ],
)
def test_what_choices_are_fed(
    prefix: tuple[int, ...], begin: bool | None, prompt: str, fed: str
) -> None:
    """As `_encode_pair` and `tok_encode` of lm-eval 0.4.13: the tokenizer decides on the start."""
    model = Spaced(prefix)
    choices = [Choices(prompt, ("a",), ("b",))]
    multiple_choice(choices, cast(Any, model), begin=begin)
    assert model.fed == [fed, fed[:-1] + "b"]


@pytest.mark.parametrize(("adds", "begins"), [(None, 0), ("$A <eos>", 0), ("<eos> $A", 1)])
def test_what_a_tokenizer_puts_before_a_text(
    checkpoint: Callable[..., Path], adds: str | None, begins: int
) -> None:
    loaded = load(str(checkpoint("llama")))
    end = loaded.tokenizer.convert_tokens_to_ids("<eos>")
    if adds:
        loaded.tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
            single=adds, special_tokens=[("<eos>", end)]
        )
    assert TeacherForced(loaded).prefix == (end,) * begins


@pytest.mark.model
def test_a_choice_of_the_built_in_model_is_lm_evals() -> None:
    """0.862749 is lm-eval's value; 0.943328 comes with the begin token in front."""
    question = Choices(
        "Question: Which gas do plants take in?\nAnswer:", ("carbon dioxide",), ("oxygen",)
    )
    model = NamedModels().reference
    assert multiple_choice([question], model).mc2[0] == pytest.approx(0.862749, abs=5e-4)
    begun = multiple_choice([question], model, begin=True)
    assert begun.mc2[0] == pytest.approx(0.943328, abs=5e-4)


def test_long_answers_do_not_vanish() -> None:
    assert np.exp(-2000.0) == 0  # What the plain formula would divide by.
    assert right_mass(np.array([-2000.0, -2001.0]), 1) == pytest.approx(1 / (1 + math.exp(-1)))
