"""Teacher forcing against single forward passes of transformers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.profiles import examples

from ethogram.engine.forward import teacher_forcing
from ethogram.engine.forward.teacher_forcing import TeacherForced
from ethogram.errors import ModelError, RequestError
from ethogram.models import load

IDS = st.lists(st.integers(2, 290), min_size=1, max_size=40).map(tuple)


@pytest.fixture(scope="module")
def forced(checkpoint: Callable[..., Path]) -> dict[str, TeacherForced]:
    return {kind: TeacherForced(load(str(checkpoint(kind)))) for kind in ("gpt2", "llama")}


def alone(model: TeacherForced, ids: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    with torch.no_grad():
        logits = model._loaded.model(torch.tensor([ids])).logits[0, :-1].float()
    targets = torch.tensor(ids[1:], dtype=torch.long)
    logprobs = logits.log_softmax(-1).gather(-1, targets.unsqueeze(-1)).squeeze(-1)
    return logprobs.numpy(), logits.argmax(-1).numpy()


@settings(max_examples=examples(25))
@given(st.lists(IDS, min_size=1, max_size=6), st.sampled_from(["gpt2", "llama"]))
def test_a_batch_gives_what_single_sequences_give(
    forced: dict[str, TeacherForced], sequences: list[tuple[int, ...]], kind: str
) -> None:
    model = forced[kind]
    model._known.clear()
    for ids, found in zip(sequences, model.force(sequences), strict=True):
        logprobs, argmax = alone(model, ids)
        assert found.logprobs == pytest.approx(logprobs, abs=2e-4)
        assert found.argmax.tolist() == argmax.tolist()
        assert len(found.logprobs) == len(ids) - 1


def test_sequences_share_batches_by_length_and_are_cached(
    forced: dict[str, TeacherForced], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = forced["llama"]
    model._known.clear()
    monkeypatch.setattr(teacher_forcing, "BATCH_TOKENS", 24)
    done: list[int] = []
    monkeypatch.setattr(model, "_on_sequences", done.append)
    sequences = [(5,) * 12, (6,) * 3, (7,) * 11, (6,) * 3]
    assert len(model.force(sequences)) == 4
    assert done == [2, 1]
    model.force(sequences)
    assert done == [2, 1]


@pytest.mark.parametrize("length", [0, 257])
def test_what_does_not_fit_the_context_is_an_error(
    forced: dict[str, TeacherForced], length: int
) -> None:
    with pytest.raises(RequestError, match=f"{length} tokens do not fit in a context of 256"):
        forced["gpt2"].force([(3,) * length])


def test_features_are_the_last_hidden_states_of_transformers(
    forced: dict[str, TeacherForced],
) -> None:
    model = forced["gpt2"]
    texts = ["the old lighthouse", "a letter to the sea and back", "odd \ud800"]
    found = model.features(texts, max_tokens=8)
    for text, feature in zip(texts, found, strict=True):
        ids = model.ids(text)[:8]
        with torch.no_grad():
            states = model._loaded.model(
                torch.tensor([ids]), output_hidden_states=True
            ).hidden_states[-1]
        assert feature == pytest.approx(states[0, -1].numpy(), abs=2e-4)
    with pytest.raises(RequestError, match="sequence 1: 0 tokens"):  # No token begins a text.
        model.features(["the", ""], max_tokens=8)


def test_models_that_are_not_causal_are_refused(
    checkpoint: Callable[..., Path], tmp_path: Path
) -> None:
    from transformers import AutoTokenizer, BertConfig, BertLMHeadModel

    with pytest.raises(ModelError, match=r"an encoder-decoder model .* name a decoder-only model"):
        TeacherForced(load(str(checkpoint("t5"))))
    words = AutoTokenizer.from_pretrained(checkpoint("gpt2"))
    words.save_pretrained(tmp_path)
    torch.manual_seed(2)
    BertLMHeadModel(
        BertConfig(
            vocab_size=len(words),
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=4,
            intermediate_size=64,
            initializer_range=0.5,
        )
    ).save_pretrained(tmp_path)
    with pytest.raises(ModelError, match="its tokens see those after them"):
        TeacherForced(load(str(tmp_path)))
