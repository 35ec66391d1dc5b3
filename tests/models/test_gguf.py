"""GGUF files: one written here reads back as the model it was made of."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.models.gguf_files import write_gguf

from ethogram.engine import Engine
from ethogram.errors import ModelError
from ethogram.models import ModelReference, identity, load, locate
from ethogram.spec import Decoding, Request


@pytest.fixture
def gguf_file(checkpoint: Callable[..., Path], tmp_path: Path, model_cache: Path) -> Path:
    path = tmp_path / "tiny.gguf"
    write_gguf(path, load(str(checkpoint("llama")), device="cpu"), pre="smollm")
    return path


def test_a_gguf_file_is_the_model_it_was_made_of(
    gguf_file: Path, checkpoint: Callable[..., Path], model_cache: Path
) -> None:
    source = load(str(checkpoint("llama")), device="cpu")
    loaded = load(str(gguf_file), device="cpu")
    ids = torch.tensor([[7, 40, 41, 200, 99, 7]])
    with torch.inference_mode():
        torch.testing.assert_close(
            loaded.model(ids).logits, source.model(ids).logits, atol=1e-5, rtol=1e-5
        )
    text = "the old lighthouse wrote back, café 日本"
    assert loaded.tokenizer(text).input_ids == source.tokenizer(text).input_ids
    assert loaded.eos_token_ids == {1}
    assert loaded.context_length == 256


def test_a_gguf_file_is_converted_once(gguf_file: Path) -> None:
    first = locate(ModelReference(str(gguf_file)))
    made = (first / "model.safetensors").stat().st_mtime_ns
    assert locate(ModelReference(str(gguf_file))) == first
    assert (first / "model.safetensors").stat().st_mtime_ns == made
    assert identity(ModelReference(str(gguf_file))).startswith("gguf:")


@pytest.mark.fault("a GGUF file is cut off")
@pytest.mark.parametrize("keep", [0, 10, 3000, -100])
def test_a_truncated_gguf_file_is_named(gguf_file: Path, keep: int) -> None:
    gguf_file.write_bytes(gguf_file.read_bytes()[:keep])
    with pytest.raises(ModelError, match=r"tiny\.gguf: it is truncated"):
        load(str(gguf_file))


def test_a_missing_gguf_file(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="GGUF file not found"):
        load(str(tmp_path / "none.gguf"))


def test_every_end_token_that_a_file_names_ends_an_output(
    checkpoint: Callable[..., Path], tmp_path: Path, model_cache: Path
) -> None:
    source = load(str(checkpoint("llama")), device="cpu")
    write_gguf(tmp_path / "ends.gguf", source, pre="gpt-2", more={"eot": 40, "eom": 41})
    loaded = load(str(tmp_path / "ends.gguf"), device="cpu")
    assert loaded.eos_token_ids == {1, 40, 41}
    decoding = Decoding(strategy="greedy", max_new_tokens=5, logit_bias={40: 100})
    (made,) = Engine(loaded).generate([Request("a", "a", 0, "the sea", decoding)])
    assert (made.token_ids, made.finish_reason) == ((40,), "eos")
    assert made.text == ""


@pytest.mark.parametrize(
    ("name", "text", "pieces"),
    [
        ("gpt-2", "It's 12345 a", ["It", "'s", "Ġ12345", "Ġa"]),
        ("smollm", "in 1987", ["in", "Ġ", "1", "9", "8", "7"]),
        ("qwen2", "I'LL 123", ["I", "'LL", "Ġ", "1", "2", "3"]),
        ("stablelm2", "I'LL 123", ["I", "'LL", "Ġ", "1", "2", "3"]),
        ("llama-bpe", "a 12345", ["a", "Ġ", "123", "45"]),
        ("chatglm-bpe", "a 12345", ["a", "Ġ", "123", "45"]),
        ("deepseek-coder", "a 12\nb!", ["a", "Ġ", "1", "2", "Ċ", "b", "!"]),
        ("deepseek-llm", "ab 1234", ["ab", "Ġ", "1234"]),
        ("deepseek-v3", "x 12345", ["x", "Ġ", "123", "45"]),
        ("falcon", "a 12345!?", ["a", "Ġ", "123", "45", "!?"]),
        ("gpt-4o", "HelloWorld 1234", ["Hello", "World", "Ġ", "123", "4"]),
        ("tekken", "HelloWorld 12", ["Hello", "World", "Ġ", "1", "2"]),
        ("default", "a 12345!", ["a", "Ġ", "123", "45", "!"]),
        (None, "a 12345!", ["a", "Ġ", "123", "45", "!"]),
    ],
)
@pytest.mark.long
def test_words_are_split_as_the_file_means_it(
    name: str | None,
    text: str,
    pieces: list[str],
    checkpoint: Callable[..., Path],
    tmp_path: Path,
    model_cache: Path,
) -> None:
    source = load(str(checkpoint("llama")), device="cpu")
    write_gguf(tmp_path / "words.gguf", source, pre=name)
    tokenizer = load(str(tmp_path / "words.gguf"), device="cpu").tokenizer
    found = tokenizer.backend_tokenizer.pre_tokenizer.pre_tokenize_str(text)
    assert [piece for piece, _ in found] == pieces


def test_a_begin_token_is_added_where_the_vocabulary_has_one(
    checkpoint: Callable[..., Path], tmp_path: Path, model_cache: Path
) -> None:
    source = load(str(checkpoint("llama")), device="cpu")
    cases = (("llama-bpe", None, True), ("llama-bpe", False, False), ("gpt-2", None, False))
    for pre, says, begins in cases:
        path = tmp_path / f"{pre}-{says}.gguf"
        write_gguf(path, source, pre=pre, more={"bos": 0}, adds_bos=says)
        ids = load(str(path), device="cpu").tokenizer("the sea").input_ids
        assert (ids[0] == 0) == begins


def test_an_unknown_pre_tokenizer_is_refused_by_name(
    checkpoint: Callable[..., Path], tmp_path: Path, model_cache: Path
) -> None:
    source = load(str(checkpoint("llama")), device="cpu")
    write_gguf(tmp_path / "odd.gguf", source, pre="never-heard-of")
    for read in (load, lambda name: identity(ModelReference(name))):
        with pytest.raises(ModelError, match="pre-tokenizer 'never-heard-of' is unknown"):
            read(str(tmp_path / "odd.gguf"))


def test_identities_of_files_that_are_read_as_before(
    checkpoint: Callable[..., Path], tmp_path: Path, model_cache: Path
) -> None:
    source = load(str(checkpoint("llama")), device="cpu")
    for pre, number in (("smollm", 1), ("gpt-2", 1), ("qwen2", 1), ("falcon", 2), ("default", 2)):
        write_gguf(tmp_path / f"{pre}.gguf", source, pre=pre)
        assert f"#c{number}+" in identity(ModelReference(str(tmp_path / f"{pre}.gguf")))
    write_gguf(tmp_path / "eot.gguf", source, pre="smollm", more={"eot": 5})
    assert "#c2+" in identity(ModelReference(str(tmp_path / "eot.gguf")))


def test_a_missing_tensor_is_named(
    checkpoint: Callable[..., Path], tmp_path: Path, model_cache: Path
) -> None:
    source = load(str(checkpoint("llama")), device="cpu")
    write_gguf(tmp_path / "short.gguf", source, pre="gpt-2", without="model.norm.weight")
    with pytest.raises(ModelError, match=r"1 tensor of the model is not in its file .*norm"):
        load(str(tmp_path / "short.gguf"))


class TestSplitFiles:
    """A model in several files."""

    @pytest.fixture
    def parts(
        self, checkpoint: Callable[..., Path], tmp_path: Path, model_cache: Path
    ) -> list[Path]:
        source = load(str(checkpoint("llama")), device="cpu")
        files = [tmp_path / f"tiny-0000{n}-of-00003.gguf" for n in (1, 2, 3)]
        for number, file in enumerate(files):
            write_gguf(file, source, pre="smollm", part=(number, 3))
        return files

    def test_all_parts_are_read(self, parts: list[Path], checkpoint: Callable[..., Path]) -> None:
        source = load(str(checkpoint("llama")), device="cpu")
        ids = torch.tensor([[7, 40, 41, 200, 99, 7]])
        for part in (parts[0], parts[2]):
            loaded = load(str(part), device="cpu")
            with torch.inference_mode():
                torch.testing.assert_close(
                    loaded.model(ids).logits, source.model(ids).logits, atol=1e-5, rtol=1e-5
                )
        assert loaded.tokenizer("in 1987").input_ids == source.tokenizer("in 1987").input_ids

    def test_a_change_of_any_part_is_another_model(self, parts: list[Path]) -> None:
        names = [ModelReference(str(part)) for part in parts]
        (before,) = {identity(name) for name in names}
        content = bytearray(parts[1].read_bytes())
        content[-1] ^= 1
        parts[1].write_bytes(content)
        (after,) = {identity(name) for name in names}
        assert before != after

    def test_a_missing_part_is_named(self, parts: list[Path]) -> None:
        parts[1].unlink()
        with pytest.raises(ModelError, match=r"part tiny-00002-of-00003\.gguf is missing"):
            load(str(parts[0]))

    def test_a_part_under_another_name(self, parts: list[Path]) -> None:
        other = parts[0].rename(parts[0].with_name("model.gguf"))
        with pytest.raises(ModelError, match="is one of 3 parts, and its name does not say which"):
            load(str(other))


class TestScaledFrequencies:
    """Llama 3.1 and later: the file gives divisors of the rotary frequencies."""

    @staticmethod
    def _write(path: Path, source: Any, divisors: Any) -> None:
        values = np.asarray(divisors, np.float32)
        write_gguf(path, source, pre="llama-bpe", tensors={"rope_freqs.weight": values})

    def test_they_become_the_scaling_of_llama_3(
        self, checkpoint: Callable[..., Path], tmp_path: Path, model_cache: Path
    ) -> None:
        from transformers import LlamaForCausalLM

        base = load(str(checkpoint("llama")), device="cpu")
        config = copy.deepcopy(base.model.config)
        config.rope_parameters = {"rope_type": "default", "rope_theta": 500_000.0}
        source = replace(base, model=LlamaForCausalLM(config).eval())
        plain = source.model.model.rotary_emb.inv_freq
        config = copy.deepcopy(config)
        config.rope_parameters = {
            **config.rope_parameters,
            "rope_type": "llama3",
            "factor": 32.0,
            "low_freq_factor": 1.0,
            "high_freq_factor": 4.0,
            "original_max_position_embeddings": 8192,
        }
        scaled = LlamaForCausalLM(config).eval()
        scaled.load_state_dict(source.model.state_dict())
        self._write(tmp_path / "l.gguf", source, plain / scaled.model.rotary_emb.inv_freq)
        ids = torch.arange(3, 120).unsqueeze(0)
        with torch.inference_mode():
            made = load(str(tmp_path / "l.gguf"), device="cpu").model(ids).logits
            torch.testing.assert_close(made, scaled(ids).logits, atol=1e-4, rtol=1e-4)

    def test_other_divisors_are_refused(
        self, checkpoint: Callable[..., Path], tmp_path: Path, model_cache: Path
    ) -> None:
        source = load(str(checkpoint("llama")), device="cpu")
        self._write(tmp_path / "odd.gguf", source, [1.0, 2.0, 3.0, 4.0])
        with pytest.raises(ModelError, match="scaling of rotary frequencies is not supported"):
            load(str(tmp_path / "odd.gguf"))
