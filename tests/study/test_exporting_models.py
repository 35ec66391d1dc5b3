"""Models exported: the files that loading reads and no others, and nothing that is half a model."""

from __future__ import annotations

import json
import shutil
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.models.gguf_files import write_gguf

from ethogram.errors import ModelError, SpecError, WriteError
from ethogram.models import load, pull
from ethogram.study import Study, export

VERSION = "v0.0.1"


@pytest.fixture
def storage() -> Iterator[Any]:
    """fsspec's storage in memory, empty before and after."""
    fsspec = pytest.importorskip("fsspec")
    system = fsspec.filesystem("memory")
    system.store.clear()
    yield system
    system.store.clear()


def names(storage: Any) -> list[str]:
    return sorted(path.removeprefix("/bucket/") for path in storage.store)


@pytest.fixture
def own(tiny_study: Path, checkpoint: Callable[..., Path]) -> Path:
    """The study with its model in models/tiny, beside files that loading does not read."""
    folder = tiny_study / "models/tiny"
    shutil.copytree(checkpoint("llama", chat=True), folder)
    for name in ("recipe.yaml", "README.md", "old.bin", "optimizer.safetensors", ".hidden.json"):
        (folder / name).write_bytes(b"x")
    (folder / "training.json").write_text('{"kind": "sft"}')
    names_model(tiny_study, "models/tiny")
    return tiny_study


def names_model(study: Path, model: str, more: str = "") -> None:
    """Write the model that the first version names."""
    version = study / f"versions/{VERSION}.yaml"
    lines = version.read_text().splitlines()
    lines = [f"model: {model}" if line.startswith("model:") else line for line in lines]
    version.write_text("\n".join([*lines, more, ""]))


def export_model(study: Path, target: str | Path, *versions: str) -> int:
    with Study(study) as opened:
        return export(opened, target, versions or (VERSION,), kind="model")


@pytest.fixture
def adapter(own: Path) -> Path:
    """An adapter in the study, without tensors."""
    folder = own / "models/polite"
    folder.mkdir()
    (folder / "adapter_config.json").write_text("{}")
    (folder / "adapter_model.safetensors").write_bytes(struct.pack("<Q", 2) + b"{}")
    (folder / "README.md").write_text("x")
    return folder


def test_only_what_loading_reads_is_copied(
    own: Path, checkpoint: Callable[..., Path], tmp_path: Path
) -> None:
    expected = {file.name for file in checkpoint("llama", chat=True).iterdir()} | {"training.json"}
    target = tmp_path / "out/tiny"
    assert export_model(own, target) == len(expected)
    assert {file.name for file in target.iterdir()} == expected
    for file in target.iterdir():
        assert file.read_bytes() == (own / "models/tiny" / file.name).read_bytes()
    load(str(target), device="cpu")
    with pytest.raises(SpecError, match="tiny: there is something here already"):
        export_model(own, target)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["tiny"]


def test_an_interrupted_copy_to_a_folder_leaves_nothing(
    own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(source: Path, target: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("ethogram.study.exporting_models.shutil.copyfile", interrupted)
    with pytest.raises(KeyboardInterrupt):
        export_model(own, tmp_path / "out/tiny")
    assert list((tmp_path / "out").iterdir()) == []


def test_an_interrupted_copy_to_an_address_is_not_taken_for_a_model(
    own: Path, storage: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = type(storage).put_file

    def interrupted(self: Any, file: str, path: str, **options: Any) -> None:
        if path.endswith("/config.json"):
            raise KeyboardInterrupt
        real(self, file, path, **options)

    address = "memory://bucket/tiny"
    with monkeypatch.context() as patched:
        patched.setattr(type(storage), "put_file", interrupted)
        with pytest.raises(KeyboardInterrupt):
            export_model(own, address)
    assert "tiny/model.safetensors" in names(storage)
    with pytest.raises(ModelError, match=r"^memory://bucket/tiny: config\.json is missing"):
        pull(address, to=tmp_path / "pulled")
    export_model(own, address)
    assert pull(address, to=tmp_path / "pulled").is_dir()
    with pytest.raises(SpecError, match=r"^memory://bucket/tiny: there is something here already"):
        export_model(own, address)


def test_a_model_is_not_written_over_another(own: Path, storage: Any) -> None:
    storage.pipe_file("/bucket/tiny/model-00001-of-00002.safetensors", b"x")
    with pytest.raises(SpecError, match="there is something here already"):
        export_model(own, "memory://bucket/tiny")
    assert len(storage.store) == 1


def test_a_model_with_an_adapter_makes_a_folder_of_each(
    own: Path, adapter: Path, storage: Any, tmp_path: Path
) -> None:
    names_model(own, "models/tiny", "adapter: models/polite")
    count = export_model(own, tmp_path / "out")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"model", "adapter"}
    assert count == len(list((tmp_path / "out").glob("*/*")))
    assert export_model(own, "memory://bucket/both") == count
    assert len(names(storage)) == count
    found = pull("memory://bucket/both/adapter", to=tmp_path / "pulled")
    assert {file.name for file in found.iterdir()} == {
        "adapter_config.json",
        "adapter_model.safetensors",
    }


def test_an_adapter_on_a_model_of_the_hub_is_copied_alone(
    own: Path, adapter: Path, tmp_path: Path
) -> None:
    names_model(own, "gpt2", "adapter: models/polite")
    assert export_model(own, tmp_path / "out") == 2
    assert (tmp_path / "out/adapter_config.json").is_file()


def test_a_gguf_file_goes_to_a_file_or_a_folder(
    own: Path, checkpoint: Callable[..., Path], storage: Any, tmp_path: Path
) -> None:
    file = own / "models/tiny.gguf"
    write_gguf(file, load(str(checkpoint("llama")), device="cpu"), pre="smollm")
    with pytest.raises(SpecError, match=r"v0.0.1 is not a single GGUF file"):
        export_model(own, tmp_path / "other.gguf")
    names_model(own, "models/tiny.gguf")
    for target in (tmp_path / "copy.gguf", tmp_path / "folder"):
        assert export_model(own, target) == 1
    assert export_model(own, "memory://bucket/copy.gguf") == 1
    expected = file.read_bytes()
    assert (tmp_path / "copy.gguf").read_bytes() == expected
    assert (tmp_path / "folder/tiny.gguf").read_bytes() == expected
    assert storage.cat_file("/bucket/copy.gguf") == expected


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("gpt2", "^model gpt2: it is named by id"),
        ("smollm2-135m-instruct", "^model smollm2-135m-instruct: it is named by id"),
        ("./models/none", "model folder not found"),
        ("openai:some", "at an endpoint"),
    ],
)
def test_models_that_are_not_here(own: Path, tmp_path: Path, model: str, said: str) -> None:
    names_model(own, json.dumps(model))
    with pytest.raises(ModelError, match=said):
        export_model(own, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_damaged_model_is_not_exported(own: Path, tmp_path: Path) -> None:
    weights = own / "models/tiny/model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    with pytest.raises(ModelError, match=r"it has .* bytes and should have"):
        export_model(own, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_written(own: Path) -> None:
    with pytest.raises(WriteError, match="cannot be written"):
        export_model(own, "/dev/null/out")


def test_options_that_do_not_go_together(own: Path, tmp_path: Path) -> None:
    target = tmp_path / "out"
    with Study(own) as study:
        for versions in (None, ["v0.0.1", "v0.1.0"]):
            with pytest.raises(SpecError, match="name one version"):
                export(study, target, versions, kind="model")
        with pytest.raises(SpecError, match="not written to standard output"):
            export(study, "-", [VERSION], kind="model")
        with pytest.raises(SpecError, match="--tag cannot be combined"):
            export(study, target, [VERSION], kind="model", tag="x")
        with pytest.raises(SpecError, match="--metric cannot be combined"):
            export(study, target, [VERSION], kind="model", metrics=["words"])
    assert not target.exists()
