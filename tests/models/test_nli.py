"""Models of natural language inference: labels, batches, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from ethogram.errors import ModelError
from ethogram.models import nli
from ethogram.models.nli import NliClassifier, load_nli


@pytest.fixture(scope="module")
def classifier(
    checkpoint: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Path]:
    """A tiny random classifier with the given names of its classes."""
    from transformers import AutoTokenizer, GPT2Config, GPT2ForSequenceClassification

    def make(*names: str) -> Path:
        folder = tmp_path_factory.mktemp("nli")
        words = AutoTokenizer.from_pretrained(checkpoint("gpt2"))
        words.save_pretrained(folder)
        torch.manual_seed(6)
        config = GPT2Config(
            vocab_size=len(words),
            n_positions=256,
            n_embd=32,
            n_layer=2,
            n_head=4,
            pad_token_id=0,
            id2label=dict(enumerate(names)),
            label2id={name: place for place, name in enumerate(names)},
            initializer_range=0.5,
        )
        GPT2ForSequenceClassification(config).save_pretrained(folder)
        return folder

    return make


PAIRS = [("the sea wrote", "a letter"), ("a letter " * 90, "yes"), ("", "no"), ("odd \ud800", "x")]


def test_probabilities_are_those_of_transformers(classifier: Callable[..., Path]) -> None:
    model = load_nli(str(classifier("CONTRADICTION", "neutral", "Entailment")))
    for pair, found in zip(PAIRS, model.judge(PAIRS), strict=True):
        plain = [text.encode("utf-8", "replace").decode() for text in pair]
        coded = model._tokenizer(
            *([text] for text in plain),
            truncation="longest_first",
            max_length=256,
            return_tensors="pt",
        )
        with torch.no_grad():
            row = model._model(**coded).logits[0].softmax(-1).tolist()
        said = (found.contradiction, found.neutral, found.entailment)
        assert said == pytest.approx(row, abs=1e-5)
        assert sum(said) == pytest.approx(1)


def test_pairs_are_scored_once_and_in_batches(
    classifier: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = load_nli(str(classifier("entailment", "contradiction")))
    fed: list[int] = []
    forward = NliClassifier._forward

    def counted(self: NliClassifier, pairs: Any) -> Any:
        fed.append(len(pairs))
        return forward(self, pairs)

    monkeypatch.setattr(NliClassifier, "_forward", counted)
    monkeypatch.setattr(nli, "BATCH_TOKENS", 300)
    found = model.judge([*PAIRS, PAIRS[0]])
    assert found[0] == found[-1]
    assert fed == [1, 3]
    assert all(judgement.neutral == 0 for judgement in found)


def test_other_classifiers_are_refused(classifier: Callable[..., Path]) -> None:
    with pytest.raises(ModelError, match="its classes are good, bad, not entailment"):
        load_nli(str(classifier("good", "bad")))
