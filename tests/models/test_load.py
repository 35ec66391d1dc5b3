"""Loading from local folders: architectures, adapters, identities, and broken folders."""

from __future__ import annotations

import json
import os
import shutil
import struct
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from ethogram.errors import MissingExtraError, ModelError, WriteError
from ethogram.models import ModelReference, available, describe, identity, load, pull
from ethogram.models.checkpoint import file_digest

KINDS = ("gpt2", "gpt_neox", "llama", "qwen2", "t5")


@pytest.fixture(autouse=True)
def _own_cache(model_cache: Path) -> None:
    """Keep the user's cache untouched."""


@pytest.fixture
def folder(checkpoint: Callable[..., Path], tmp_path: Path) -> Path:
    """A copy of a tiny GPT-2 that a test may break."""
    return Path(shutil.copytree(checkpoint("gpt2"), tmp_path / "model"))


@pytest.mark.parametrize("kind", KINDS)
def test_every_architecture_loads_from_a_folder(kind: str, checkpoint: Callable[..., Path]) -> None:
    loaded = load(str(checkpoint(kind)), device="cpu")
    assert loaded.is_encoder_decoder == (kind == "t5")
    assert loaded.context_length == (512 if kind == "t5" else 256)
    assert loaded.eos_token_ids == {1}
    assert not loaded.has_chat_template
    assert loaded.vocab_size == loaded.model.get_input_embeddings().num_embeddings
    assert not loaded.model.training
    assert next(loaded.model.parameters()).dtype == torch.float32


def test_bfloat16_and_chat_template(checkpoint: Callable[..., Path]) -> None:
    loaded = load(ModelReference(str(checkpoint("llama", chat=True)), dtype="bfloat16"))
    assert next(loaded.model.parameters()).dtype == torch.bfloat16
    assert loaded.has_chat_template


def test_an_adapter_changes_the_model_as_peft_would(
    checkpoint: Callable[..., Path], tmp_path: Path
) -> None:
    peft = pytest.importorskip("peft")
    base = load(str(checkpoint("llama")), device="cpu")
    torch.manual_seed(0)
    tuned = peft.get_peft_model(
        base.model, peft.LoraConfig(r=4, target_modules=["q_proj"], init_lora_weights=False)
    ).eval()
    tuned.save_pretrained(tmp_path / "adapter")
    ids = torch.tensor([[5, 6, 7, 8]])
    with torch.inference_mode():
        expected = tuned(ids).logits
        with tuned.disable_adapter():
            plain = tuned(ids).logits
    reference = ModelReference(str(checkpoint("llama")), adapter=str(tmp_path / "adapter"))
    with torch.inference_mode():
        got = load(reference, device="cpu").model(ids).logits
    torch.testing.assert_close(got, expected, atol=1e-4, rtol=1e-4)
    assert not torch.allclose(got, plain, atol=1e-3)
    assert identity(reference) != identity(ModelReference(reference.model))
    assert identity(reference).startswith(identity(ModelReference(reference.model)))


def test_a_missing_adapter(checkpoint: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="adapter folder not found"):
        load(ModelReference(str(checkpoint("llama")), adapter=str(tmp_path / "none")))
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelError, match=r"adapter_config\.json is missing"):
        load(ModelReference(str(checkpoint("llama")), adapter=str(tmp_path / "empty")))


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(ModelError, match=f"{name} is missing") as caught:
        load(str(folder))
    assert "\n" not in str(caught.value)


def test_a_missing_tokenizer_is_named(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()
    with pytest.raises(ModelError, match="no tokenizer"):
        load(str(folder))


@pytest.mark.fault("a safetensors file is cut off")
@pytest.mark.parametrize("keep", [0, 4, 20, 400, -1])
def test_a_truncated_weight_file_is_named(folder: Path, keep: int) -> None:
    weights = folder / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:keep])
    with pytest.raises(ModelError, match=r"model\.safetensors: it (is|has|'s)") as caught:
        load(str(folder))
    assert "fetch the model again" in str(caught.value)


def test_a_damaged_header_and_config(folder: Path) -> None:
    weights = folder / "model.safetensors"
    whole = bytearray(weights.read_bytes())
    whole[8:12] = b"\x00\x00\x00\x00"
    weights.write_bytes(whole)
    with pytest.raises(ModelError, match="header is damaged"):
        load(str(folder))
    (folder / "config.json").write_text("{broken")
    with pytest.raises(ModelError, match=r"config\.json: it cannot be read"):
        load(str(folder))
    (folder / "config.json").write_text("[1]")
    with pytest.raises(ModelError, match="no JSON object"):
        load(str(folder))
    (folder / "config.json").write_text("[" * 100_000)
    with pytest.raises(ModelError, match="nested too deep"):
        load(str(folder))


def test_a_header_nested_too_deep(folder: Path) -> None:
    nested = b'{"a":' * 100_000
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(nested)) + nested)
    with pytest.raises(ModelError, match="header is damaged"):
        load(str(folder))


def test_pickled_weights_are_never_loaded(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x04.")
    with pytest.raises(ModelError, match="is a pickle, which is never loaded"):
        load(str(folder))


def test_a_missing_shard_is_named(folder: Path) -> None:
    index = {"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    (folder / "model.safetensors").rename(folder / "model-1.safetensors")
    with pytest.raises(ModelError, match=r"model-2\.safetensors is missing"):
        load(str(folder))


def test_an_unknown_architecture_is_one_line(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    config["model_type"] = "no_such_architecture"
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match="cannot be loaded") as caught:
        load(str(folder))
    assert "\n" not in str(caught.value)


def test_code_in_a_model_folder_is_never_run(folder: Path, tmp_path: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    config["model_type"] = "custom"
    config["auto_map"] = {
        "AutoConfig": "evil.Config",
        "AutoModelForCausalLM": "evil.Model",
    }
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    with pytest.raises(ModelError):
        load(str(folder))
    assert not (tmp_path / "ran").exists()


def test_identity_follows_content_not_path(folder: Path, checkpoint: Callable[..., Path]) -> None:
    same = identity(ModelReference(str(folder)))
    assert same == identity(ModelReference(str(checkpoint("gpt2"))))
    assert same != identity(ModelReference(str(folder), dtype="bfloat16"))
    tokenizer = folder / "tokenizer_config.json"
    tokenizer.write_text(tokenizer.read_text() + "\n")
    assert identity(ModelReference(str(folder))) != same


def test_a_changed_file_is_hashed_again(folder: Path, model_cache: Path) -> None:
    file = folder / "config.json"
    first = file_digest(file)
    assert file_digest(file) == first
    assert len(list((model_cache / "digests").iterdir())) == 1
    file.write_text(file.read_text() + " ")
    assert file_digest(file) != first


def test_a_model_that_is_not_downloaded_names_the_command() -> None:
    for name in ("gpt2", "EleutherAI/pythia-70m"):
        with pytest.raises(ModelError, match=f"ethogram pull {name}"):
            load(name)
    with pytest.raises(ModelError, match="did you mean the built-in smollm2-135m-instruct"):
        identity(ModelReference("smollm2-135m-instuct"))
    with pytest.raises(ModelError, match="is not a built-in model"):
        load("not a model!")
    with pytest.raises(ModelError, match="is not a built-in model"):
        pull("not a model!")
    with pytest.raises(ModelError, match="model folder not found"):
        pull("./nowhere/at/all")


def test_a_whole_commit_needs_no_cache() -> None:
    commit = "607a30d783dfa663caf39e06633721c8d4cfcd7e"
    assert identity(ModelReference("gpt2", revision=commit)) == f"hub:gpt2@{commit}+float32"


def test_a_hub_model_loads_from_the_cache(
    checkpoint: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The layout of the hub cache: blobs left out, snapshots by commit, refs by branch."""
    from huggingface_hub import constants

    commit = "c0ffee" + "0" * 34
    cache = tmp_path / "hub"
    repository = cache / "models--someone--tiny-gpt2"
    shutil.copytree(checkpoint("gpt2"), repository / "snapshots" / commit)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(commit)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    reference = ModelReference("someone/tiny-gpt2")
    assert identity(reference) == f"hub:someone/tiny-gpt2@{commit}+float32"
    assert load(reference, device="cpu").vocab_size == 300
    with pytest.raises(ModelError, match="--revision v2"):
        load(ModelReference("someone/tiny-gpt2", revision="v2"))


def test_pulling_offline_is_one_line() -> None:
    with pytest.raises(ModelError, match="the model hub is unreachable"):
        pull("gpt2")
    with pytest.raises(ModelError) as caught:
        pull("smollm2-135m")
    message = str(caught.value)
    assert "unreachable (did you mean the built-in smollm2-135m-instruct?)" in message
    assert "Error" not in message


def test_the_catalogue_lists_built_ins_with_their_pin() -> None:
    infos = {info.name: info for info in available()}
    built_in = infos["smollm2-135m-instruct"]
    assert built_in.kind == "built-in"
    assert not built_in.ready
    assert "ethogram pull smollm2-135m-instruct" in str(built_in)
    assert built_in.sha256 is not None
    assert built_in.sha256 in identity(ModelReference("smollm2-135m-instruct"))


def test_a_missing_extra_is_named(
    checkpoint: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(MissingExtraError, match=r"pip install '\.\[engine\]'"):
        load(str(checkpoint("gpt2")))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_an_unwritable_cache_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tmp_path.chmod(0o500)
    monkeypatch.setenv("ETHOGRAM_CACHE", str(tmp_path / "cache"))
    with pytest.raises(WriteError, match="ETHOGRAM_CACHE"):
        pull("smollm2-135m-instruct")


@pytest.mark.parametrize("kind", ["gpt2", "llama", "t5"])
def test_a_description_equals_what_is_loaded(kind: str, checkpoint: Callable[..., Path]) -> None:
    reference = ModelReference(str(checkpoint(kind, chat=kind == "llama")))
    described, loaded = describe(reference), load(reference, device="cpu")
    assert described.model is None
    for name in (
        "reference",
        "context_length",
        "eos_token_ids",
        "is_encoder_decoder",
        "has_chat_template",
        "vocab_size",
    ):
        assert getattr(described, name) == getattr(loaded, name), name
    assert described.tokenizer.get_vocab() == loaded.tokenizer.get_vocab()


def test_the_description_of_what_cannot_be_read_is_one_line(
    checkpoint: Callable[..., Path], tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(checkpoint("llama"), tmp_path / "odd"))
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"model_type": "unheard-of"}))
    with pytest.raises(ModelError, match="cannot be loaded"):
        describe(ModelReference(str(folder)))
