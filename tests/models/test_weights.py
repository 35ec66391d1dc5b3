"""Weights that do not fit their model: refused, or fixed with a note."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from tests.conftest import byte_level_tokenizer

from ethogram.engine import Engine
from ethogram.errors import ModelError, RequestError
from ethogram.models import ModelReference, identity, load
from ethogram.models.weights import plain_name
from ethogram.spec import Decoding, Request


@pytest.fixture(autouse=True)
def _own_cache(model_cache: Path) -> None:
    """No test here may touch the user's cache."""


@pytest.fixture
def folder(checkpoint: Callable[..., Path], tmp_path: Path) -> Path:
    """A copy of a tiny Qwen2, whose output matrix is its own."""
    return Path(shutil.copytree(checkpoint("qwen2"), tmp_path / "model"))


def _tensors(folder: Path) -> dict[str, torch.Tensor]:
    return dict(load_file(folder / "model.safetensors"))


def _save(folder: Path, tensors: Mapping[str, torch.Tensor], name: str = "model") -> None:
    save_file(dict(tensors), folder / f"{name}.safetensors", {"format": "pt"})


def _logits(model: Any) -> torch.Tensor:
    with torch.inference_mode():
        return torch.as_tensor(model(torch.tensor([[5, 6, 7, 8]])).logits)


@pytest.mark.parametrize(
    ("wrapped", "plain"),
    [
        ("_orig_mod.model.norm.weight", "model.norm.weight"),
        ("module.model.norm.weight", "model.norm.weight"),
        ("module._orig_mod.model.norm.weight", "model.norm.weight"),
        ("_orig_mod.module.model.norm.weight", "model.norm.weight"),
        ("model.layers.0._orig_mod.mlp.up_proj.weight", "model.layers.0.mlp.up_proj.weight"),
        ("model.layers.0._checkpoint_wrapped_module.x", "model.layers.0.x"),
        (
            "base_model.model._orig_mod.model.q.lora_A.weight",
            "base_model.model.model.q.lora_A.weight",
        ),
        ("base_model.model.module.model.q.lora_A.weight", "base_model.model.model.q.lora_A.weight"),
        ("model.module.weight", "model.module.weight"),
    ],
)
def test_prefixes_of_wrappers(wrapped: str, plain: str) -> None:
    assert plain_name(wrapped) == plain


@pytest.mark.parametrize("prefix", ["_orig_mod.", "module."])
def test_weights_of_a_wrapped_model_are_read_and_noted(
    prefix: str, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    plain = load(str(folder), device="cpu")
    _save(folder, {f"{prefix}{name}": tensor for name, tensor in _tensors(folder).items()})
    with caplog.at_level(logging.WARNING):
        loaded = load(str(folder), device="cpu")
    assert torch.equal(_logits(loaded.model), _logits(plain.model))
    assert loaded.eos_token_ids == plain.eos_token_ids
    assert "removed a wrapper's prefix" in caplog.text


def test_a_tensor_with_and_without_a_prefix(folder: Path) -> None:
    tensors = _tensors(folder)
    tensors["_orig_mod.model.norm.weight"] = tensors["model.norm.weight"].clone()
    _save(folder, tensors)
    with pytest.raises(ModelError, match=r"tensor model\.norm\.weight twice"):
        load(str(folder))


@pytest.mark.parametrize("prefix", ["other.", "_orig_mod.other."])
def test_missing_tensors_are_named(prefix: str, folder: Path) -> None:
    _save(folder, {f"{prefix}{name}": tensor for name, tensor in _tensors(folder).items()})
    with pytest.raises(ModelError, match=r"tensors of the model are not in its file") as caught:
        load(str(folder))
    assert "\n" not in str(caught.value)


def test_one_missing_tensor_is_named(folder: Path) -> None:
    tensors = _tensors(folder)
    del tensors["lm_head.weight"]
    _save(folder, tensors)
    with pytest.raises(ModelError, match=r"1 tensor of the model is not .* \(lm_head\.weight\)"):
        load(str(folder))


def test_an_unused_tensor_is_named(folder: Path) -> None:
    _save(folder, _tensors(folder) | {"score.weight": torch.zeros(2, 32)})
    with pytest.raises(ModelError, match=r"1 tensor of the file is not used .*score\.weight"):
        load(str(folder))


def test_harmless_leftovers_are_not_refused(folder: Path) -> None:
    leftover = {"model.layers.0.self_attn.rotary_emb.inv_freq": torch.zeros(4)}
    _save(folder, _tensors(folder) | leftover)
    assert load(str(folder), device="cpu").vocab_size > 0


def test_a_tensor_of_another_shape_is_named(folder: Path) -> None:
    tensors = _tensors(folder)
    tensors["model.norm.weight"] = torch.ones(16)
    _save(folder, tensors)
    with pytest.raises(ModelError, match=r"model\.norm\.weight has shape \(16,\) .* \(32,\)"):
        load(str(folder))


@pytest.mark.fault("weights are NaN or infinite")
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_refused(value: float, folder: Path) -> None:
    tensors = _tensors(folder)
    tensors["model.norm.weight"][3] = value
    _save(folder, tensors)
    with pytest.raises(ModelError, match=r"tensor model\.norm\.weight holds NaN or infinite"):
        load(str(folder))


def test_large_finite_weights_are_not_refused(folder: Path) -> None:
    tensors = _tensors(folder)
    tensors["lm_head.weight"][:, :8] = 3e38  # Their sum overflows.
    _save(folder, tensors)
    assert load(str(folder), device="cpu").vocab_size > 0


def _index(folder: Path, tensors: Mapping[str, torch.Tensor]) -> None:
    _save(folder, tensors, "model-00001-of-00001")
    names = dict.fromkeys(tensors, "model-00001-of-00001.safetensors")
    (folder / "model.safetensors.index.json").write_text(
        json.dumps({"metadata": {}, "weight_map": names})
    )


def test_shards_are_read_as_one_file_is(folder: Path) -> None:
    plain = _logits(load(str(folder), device="cpu").model)
    _index(folder, _tensors(folder))
    (folder / "model.safetensors").unlink()
    assert torch.equal(_logits(load(str(folder), device="cpu").model), plain)


def test_an_index_beside_other_weights_is_refused(folder: Path) -> None:
    _index(folder, _tensors(folder))
    for read in (lambda: load(str(folder)), lambda: identity(ModelReference(str(folder)))):
        with pytest.raises(ModelError, match="both exist and name different weights"):
            read()


def test_weights_that_transformers_would_read_instead_are_refused(folder: Path) -> None:
    (folder / "adapter_config.json").write_text("{}")
    with pytest.raises(ModelError, match="a model and an adapter"):
        identity(ModelReference(str(folder)))
    (folder / "adapter_config.json").unlink()
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"transformers_weights": "x"}))
    with pytest.raises(ModelError, match="it has other weights besides model"):
        load(str(folder))


def test_vocabularies_beside_a_missing_tokenizer_json_are_hashed(folder: Path) -> None:
    (folder / "source.spm").write_bytes(b"1")
    first = identity(ModelReference(str(folder)))
    (folder / "source.spm").write_bytes(b"2")
    assert identity(ModelReference(str(folder))) == first  # tokenizer.json is what is read
    (folder / "vocab.json").write_text("{}")
    (folder / "tokenizer.json").unlink()
    second = identity(ModelReference(str(folder)))
    (folder / "source.spm").write_bytes(b"3")
    assert identity(ModelReference(str(folder))) != second


def test_a_prompt_with_a_token_that_has_no_embedding(folder: Path) -> None:
    words = byte_level_tokenizer()
    words.add_tokens(["<extra>"])
    words.save_pretrained(folder)
    engine = Engine(load(str(folder), device="cpu"))
    greedy = Decoding(strategy="greedy", max_new_tokens=2)
    fine, strange = (Request(text, text, 0, text, greedy) for text in ("a b", "a <extra> b"))
    with pytest.raises(RequestError, match=r"has token '<extra>' \(300\), .* embeds only 300"):
        list(engine.generate([fine, strange]))
    assert len(list(engine.generate([fine]))) == 1


class TestAdapters:
    """LoRA adapters whose tensors are not those of the model."""

    @pytest.fixture
    def adapter(self, checkpoint: Callable[..., Path], tmp_path: Path) -> Path:
        peft = pytest.importorskip("peft")
        base = load(str(checkpoint("llama")), device="cpu")
        torch.manual_seed(0)
        settings = peft.LoraConfig(r=4, target_modules=["q_proj"], init_lora_weights=False)
        peft.get_peft_model(base.model, settings).save_pretrained(tmp_path / "adapter")
        return tmp_path / "adapter"

    @staticmethod
    def _rename(adapter: Path, change: Callable[[str], str]) -> None:
        tensors = load_file(adapter / "adapter_model.safetensors")
        _save(adapter, {change(name): each for name, each in tensors.items()}, "adapter_model")

    def test_the_prefix_of_a_wrapper_is_taken_off(
        self, adapter: Path, checkpoint: Callable[..., Path], caplog: pytest.LogCaptureFixture
    ) -> None:
        reference = ModelReference(str(checkpoint("llama")), adapter=str(adapter))
        plain = _logits(load(reference, device="cpu").model)
        self._rename(adapter, lambda name: name.replace("model.model", "model._orig_mod.model", 1))
        assert torch.equal(_logits(load(reference, device="cpu").model), plain)
        assert "removed a wrapper's prefix" in caplog.text

    def test_an_adapter_that_does_not_fit_is_refused(
        self, adapter: Path, checkpoint: Callable[..., Path]
    ) -> None:
        reference = ModelReference(str(checkpoint("llama")), adapter=str(adapter))
        self._rename(adapter, lambda name: name.replace("layers", "blocks"))
        with pytest.raises(ModelError, match="tensors of the adapter are not in its file"):
            load(reference)

    def test_an_unused_tensor_is_refused(
        self, adapter: Path, checkpoint: Callable[..., Path]
    ) -> None:
        tensors = dict(load_file(adapter / "adapter_model.safetensors"))
        tensors["base_model.model.model.layers.9.self_attn.q_proj.lora_A.weight"] = torch.ones(
            4, 32
        )
        _save(adapter, tensors, "adapter_model")
        reference = ModelReference(str(checkpoint("llama")), adapter=str(adapter))
        with pytest.raises(ModelError, match=r"1 tensor of the file is not used .*layers\.9"):
            load(reference)
