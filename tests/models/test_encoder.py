"""The sentence encoder against transformers and sentence-transformers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.profiles import examples

from ethogram.errors import ModelError
from ethogram.models import encoder, pull
from ethogram.models.encoder import SentenceEncoder, load_encoder

WORDS = (
    *("the", "old", "light", "house", "keeper", "wrote", "a", "letter"),
    *("to", "sea", "and", "back", "paris", "is", "in", "france"),
)
#: Cosines that sentence-transformers 6.2.0 gives on the weights of the built-in.
TEXTS = (
    "The old lighthouse keeper wrote a letter to the sea.",
    "A man who tended the light sent words to the ocean.",
    "Stock prices fell sharply on Tuesday.",
    "",
    "日本語のテキスト и русский",
    "word " * 400,
)
COSINES = (
    (1.0, 0.639211, -0.072459, 0.012392, 0.11526, 0.118321),
    (0.639211, 1.0, -0.099052, 0.03616, 0.153456, 0.138071),
    (-0.072459, -0.099052, 1.0, -0.056625, -0.003622, 0.065036),
    (0.012392, 0.03616, -0.056625, 1.0, 0.001223, 0.101199),
    (0.11526, 0.153456, -0.003622, 0.001223, 1.0, 0.025943),
    (0.118321, 0.138071, 0.065036, 0.101199, 0.025943, 1.0),
)


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny random BERT with a WordPiece tokenizer, whose folder sets the limit."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("bert")
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    vocab = {word: place for place, word in enumerate([*special, *WORDS, ".", "?"])}
    raw = Tokenizer(models.WordPiece(vocab, unk_token="[UNK]"))
    raw.normalizer = normalizers.Lowercase()
    raw.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    raw.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    words = PreTrainedTokenizerFast(
        tokenizer_object=raw,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
    )
    words.save_pretrained(folder)
    torch.manual_seed(4)
    config = BertConfig(
        vocab_size=len(vocab),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=64,
        initializer_range=0.4,
    )
    BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 16}')
    return folder


@pytest.fixture(scope="module")
def tiny(bert: Path) -> SentenceEncoder:
    return load_encoder(str(bert), dtype="float32")


def alone(folder: Path, text: str) -> np.ndarray:
    """Mean of the states of one text that transformers gives, scaled to length 1."""
    from transformers import AutoTokenizer, BertModel

    words = AutoTokenizer.from_pretrained(folder)
    model = BertModel.from_pretrained(folder, add_pooling_layer=False).eval()
    coded = words(text, truncation=True, max_length=16, return_tensors="pt")
    with torch.no_grad():
        states = model(**coded).last_hidden_state[0]
    mean = states.mean(0)
    return (mean / mean.norm()).numpy()


def test_vectors_are_the_mean_states_of_transformers(tiny: SentenceEncoder, bert: Path) -> None:
    texts = ["The old keeper.", "a letter to the sea and back", "", "paris " * 40, "x"]
    for text, vector in zip(texts, tiny.encode(texts), strict=True):
        assert vector == pytest.approx(alone(bert, text), abs=1e-5)


@settings(max_examples=examples(25))
@given(st.lists(st.lists(st.sampled_from([*WORDS, "?"]), max_size=20).map(" ".join), max_size=8))
def test_vectors_have_length_1_and_are_batch_invariant(
    tiny: SentenceEncoder, texts: list[str]
) -> None:
    tiny._known.clear()
    together = tiny.encode(texts)
    assert together.shape == (len(texts), 32)
    assert np.linalg.norm(together, axis=1) == pytest.approx(np.ones(len(texts)), abs=1e-5)
    for text, vector in zip(texts, together, strict=True):
        tiny._known.clear()
        assert tiny.encode([text])[0] == pytest.approx(vector, abs=1e-5)


@given(st.lists(st.integers(0, 400), max_size=600).map(lambda found: sorted(found, reverse=True)))
def test_batches_hold_every_text_once_with_little_padding(lengths: list[int]) -> None:
    cuts = list(encoder.batches_of_similar_length(lengths))
    assert [at for start, end in cuts for at in range(start, end)] == list(range(len(lengths)))
    for start, end in cuts:
        own = lengths[start:end]
        padded = max(1, own[0]) * len(own)
        assert padded <= encoder.BATCH_TOKENS
        if padded >= encoder.BUSY_TOKENS + own[0]:
            assert own[-1] >= encoder.LEAST_FILLED * own[0]


def test_a_text_is_computed_once(tiny: SentenceEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny._known.clear()
    fed: list[int] = []
    forward = tiny._forward

    def counted(rows: Any) -> Any:
        fed.append(len(rows))
        return forward(rows)

    monkeypatch.setattr(tiny, "_forward", counted)
    tiny.encode(["the sea", "the sea", "a letter"])
    tiny.encode(["a letter"])
    assert fed == [2]
    monkeypatch.setattr(encoder, "REMEMBERED", 2)
    tiny.encode(["paris", "france"])
    assert list(tiny._known) == ["paris", "france"]


def test_token_spans_match_the_text(tiny: SentenceEncoder) -> None:
    text = "The  old keeper \ud800."
    assert [text[start:end] for start, end in tiny.token_spans(text)][:3] == [
        "The",
        "old",
        "keeper",
    ]
    assert len(tiny.token_spans("sea " * 100)) == 100


@pytest.mark.parametrize(
    ("settings_", "words"),
    [
        ({"pooling_mode_max_tokens": True}, "pooling is pooling_mode_max_tokens"),
        ({"pooling_mode_mean_tokens": False}, "pooling is not stated"),
    ],
)
def test_other_poolings_are_refused(
    bert: Path, tmp_path: Path, settings_: dict[str, bool], words: str
) -> None:
    folder = tmp_path / "bert"
    folder.mkdir()
    for file in bert.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(settings_))
    with pytest.raises(ModelError, match=words):
        load_encoder(str(folder))
    (folder / "1_Pooling" / "config.json").write_text('{"pooling_mode_cls_token": true}')
    first = load_encoder(str(folder), dtype="float32")
    with torch.no_grad():
        ids = torch.tensor([first._tokenizer("the sea").input_ids])
        state = first.model(ids).last_hidden_state[0, 0]
    assert first.encode(["the sea"])[0] == pytest.approx((state / state.norm()).numpy(), abs=1e-5)


def test_a_language_model_is_refused(checkpoint: Callable[..., Path]) -> None:
    with pytest.raises(ModelError, match="it is not a sentence encoder"):
        load_encoder(str(checkpoint("t5")))


@pytest.mark.model
def test_the_built_in_is_that_of_sentence_transformers() -> None:
    pull("all-minilm-l6-v2")
    exact = load_encoder("all-minilm-l6-v2", dtype="float32").encode(TEXTS)
    assert exact @ exact.T == pytest.approx(np.array(COSINES), abs=2e-5)
    quick = load_encoder("all-minilm-l6-v2", dtype="bfloat16").encode(TEXTS)
    assert (exact * quick).sum(axis=1).min() > 0.999
