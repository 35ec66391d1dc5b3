"""Text encoders: ids without special tokens, and what a tokenizer cannot write."""

from pathlib import Path

import pytest
from tests.architectures import tiny_config, train_tokenizer

from ethogram.errors import ModelError
from ethogram.models.text_encoder import text_encoder

TEXTS = ["the sea wrote back", "über 日本"]


def test_no_special_tokens_and_no_limit_of_length(tmp_path: Path) -> None:
    tokenizer = train_tokenizer(TEXTS, adds_eos=True)
    tokenizer.model_max_length = 2
    tokenizer.save_pretrained(tmp_path)
    coder = text_encoder(str(tmp_path))
    found = [list(ids) for ids in coder.encode(TEXTS)]
    assert [tokenizer.decode(ids) for ids in found] == TEXTS
    assert all(1 not in ids for ids in found)
    assert max(map(len, found)) > 2
    assert coder.unknown is None
    assert coder.byte_tokens == frozenset()


def test_unknown_and_byte_tokens(tmp_path: Path) -> None:
    tokenizers = pytest.importorskip("tokenizers")
    transformers = pytest.importorskip("transformers")
    vocab = {"<unk>": 0, "<eos>": 1, "<0x0A>": 2, "sea": 3}
    raw = tokenizers.Tokenizer(tokenizers.models.WordLevel(vocab, unk_token="<unk>"))
    raw.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    fast = transformers.PreTrainedTokenizerFast
    fast(tokenizer_object=raw, unk_token="<unk>", eos_token="<eos>").save_pretrained(tmp_path)
    coder = text_encoder(str(tmp_path))
    assert [list(ids) for ids in coder.encode(["sea land"])] == [[3, 0]]
    assert coder.unknown == 0
    assert coder.byte_tokens == {2}
    # An end token that is also named as unknown is not counted as unknown.
    fast(tokenizer_object=raw, unk_token="<eos>", eos_token="<eos>").save_pretrained(tmp_path)
    assert text_encoder(str(tmp_path)).unknown is None


def test_damaged_folders_are_one_line(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text("{")
    with pytest.raises(ModelError, match="its tokenizer cannot be loaded"):
        text_encoder(str(tmp_path))
    tiny_config("gpt2", 300).save_pretrained(tmp_path)
    with pytest.raises(ModelError):
        text_encoder(str(tmp_path))
