"""Models fetched from object storage: whole or not at all, and nothing but a model's files."""

from __future__ import annotations

import errno
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.models.gguf_files import write_gguf

from ethogram.errors import BackendError, EthogramError, ModelError, SpecError, WriteError
from ethogram.models import ModelReference, identity, load, pull
from ethogram.models.transfer import local_files

fsspec = pytest.importorskip("fsspec")
LINKS = pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")


@pytest.fixture
def storage() -> Iterator[Any]:
    """fsspec's storage in memory, empty before and after."""
    system = fsspec.filesystem("memory")
    system.store.clear()
    yield system
    system.store.clear()


@pytest.fixture
def shared(storage: Any, checkpoint: Callable[..., Path]) -> str:
    """The address of a model in this storage."""
    for file in checkpoint("llama").iterdir():
        storage.pipe_file(f"/bucket/tiny/{file.name}", file.read_bytes())
    return "memory://bucket/tiny"


@pytest.fixture
def listing() -> Callable[..., list[str]]:
    """Makes a storage that lists what it is given; returns the paths that were fetched from it."""
    from fsspec import AbstractFileSystem

    def make(*names: str, kind: str = "file", **more: Any) -> list[str]:
        fetched: list[str] = []

        class Hostile(AbstractFileSystem):
            protocol = "hostile"

            def info(self, path: str, **_: Any) -> dict[str, Any]:
                return {"name": path, "type": "directory", "size": 0}

            def ls(self, path: str, detail: bool = True, **_: Any) -> list[dict[str, Any]]:
                return [
                    {"name": f"{path}/{name}", "type": kind, "size": 2} | more for name in names
                ]

            def get_file(self, path: str, local: str, **_: Any) -> None:
                fetched.append(path)
                Path(local).write_bytes(b"{}")

        fsspec.register_implementation("hostile", Hostile, clobber=True)
        return fetched

    return make


def left_in(folder: Path) -> list[str]:
    """Everything below a folder, hidden files too."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_a_fetched_folder_is_the_model(
    shared: str, checkpoint: Callable[..., Path], tmp_path: Path, model_cache: Path
) -> None:
    target = tmp_path / "models" / "tiny"
    assert pull(shared, to=target) == target
    assert left_in(tmp_path / "models") == sorted(
        ["tiny", *(f"tiny/{file.name}" for file in checkpoint("llama").iterdir())]
    )
    assert identity(ModelReference(str(target))) == identity(
        ModelReference(str(checkpoint("llama")))
    )
    with pytest.raises(ModelError, match="tiny: it exists already"):
        pull(shared, to=target)


def test_without_a_folder_it_goes_to_the_models_of_the_study(
    shared: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelError, match=r"current folder is not a study.*--to"):
        pull(shared)
    (tmp_path / "study.yaml").write_text("name: s\n")
    assert pull(shared) == Path("models/tiny")
    assert (tmp_path / "models/tiny/config.json").is_file()


def test_options_that_do_not_go_together(shared: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="--revision: an address has no revisions"):
        pull(shared, revision="main", to=tmp_path / "new")
    with pytest.raises(ModelError, match="--to: gpt2 is not an address"):
        pull("gpt2", to=tmp_path / "new")


@pytest.mark.parametrize("form", ["one", "folder", "parts"])
def test_gguf_files(
    form: str, storage: Any, checkpoint: Callable[..., Path], tmp_path: Path, model_cache: Path
) -> None:
    source = load(str(checkpoint("llama")), device="cpu")
    names = ["tiny.gguf"]
    if form == "parts":
        names = [f"tiny-0000{number}-of-00002.gguf" for number in (1, 2)]
    for number, name in enumerate(names, 1):
        part = (number, len(names)) if form == "parts" else None
        write_gguf(tmp_path / name, source, pre="smollm", part=part)
        storage.pipe_file(f"/bucket/{name}", (tmp_path / name).read_bytes())
    expected = identity(ModelReference(str(tmp_path / names[0])))
    address = "memory://bucket/tiny.gguf" if form == "one" else "memory://bucket"
    found = pull(address, to=tmp_path / "models")
    assert found == tmp_path / "models" / names[0]
    assert identity(ModelReference(str(found))) == expected
    assert left_in(tmp_path / "models") == names
    if form == "parts":
        with pytest.raises(ModelError, match="one of 2 parts"):
            pull(f"memory://bucket/{names[0]}", to=tmp_path / "other")
        assert left_in(tmp_path / "other") == []


@pytest.mark.fault("an object storage lists a path, a pickle, code or a link among a model's files")
@pytest.mark.parametrize(
    "name",
    [
        "../evil.json",
        "..",
        "deep/er.json",
        "/etc/evil.json",
        "a\\b.json",
        "C:evil.json",
        ".hidden.json",
        "x.bin",
        "x.pt",
        "x.pkl",
        "model.py",
        "x.safetensors.sh",
        "\u202etxt.json",
        "x\n.json",
        "x" * 300 + ".json",
    ],
)
def test_a_hostile_listing_is_refused_by_name(
    name: str, listing: Callable[..., list[str]], tmp_path: Path
) -> None:
    fetched = listing("config.json", name)
    with pytest.raises(ModelError, match=r"^hostile://bucket/m: '.*' is not a ") as caught:
        pull("hostile://bucket/m", to=tmp_path / "models/m")
    assert repr(name[:90])[1:-1] in caught.value.what
    assert "\n" not in str(caught.value)
    assert fetched == []
    assert left_in(tmp_path) == []


@pytest.mark.parametrize(
    "more", [{"kind": "directory"}, {"kind": "link"}, {"kind": "other"}, {"islink": True}]
)
def test_a_listed_link_or_folder_is_refused(
    more: dict[str, Any], listing: Callable[..., list[str]], tmp_path: Path
) -> None:
    fetched = listing("config.json", **more)
    with pytest.raises(ModelError, match=r"'config\.json' is a link or a folder"):
        pull("hostile://bucket/m", to=tmp_path / "models/m")
    assert (fetched, left_in(tmp_path)) == ([], [])


def test_a_name_that_is_listed_twice_is_refused(
    listing: Callable[..., list[str]], tmp_path: Path
) -> None:
    fetched = listing("config.json", "config.json")
    with pytest.raises(ModelError, match=r"'config\.json' is listed twice"):
        pull("hostile://bucket/m", to=tmp_path / "models/m")
    assert (fetched, left_in(tmp_path)) == ([], [])


@LINKS
def test_a_link_in_a_folder_that_is_fetched_is_refused(
    checkpoint: Callable[..., Path], tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(checkpoint("llama"), tmp_path / "there"))
    (tmp_path / "secret").write_text("{}")
    (folder / "notes.json").symlink_to(tmp_path / "secret")
    with pytest.raises(ModelError, match=r"'notes\.json' is a link"):
        pull(f"file://{folder}", to=tmp_path / "models/m")
    assert not (tmp_path / "models").exists()


@LINKS
def test_no_link_leads_out_of_a_folder_that_is_exported(
    checkpoint: Callable[..., Path], tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(checkpoint("llama"), tmp_path / "m"))
    (folder / "inside.json").symlink_to(folder / "config.json")
    names = {file.name for file in local_files(ModelReference(str(folder)))["model"]}
    assert "inside.json" in names
    (tmp_path / "secret").write_text("{}")
    (folder / "notes.json").symlink_to(tmp_path / "secret")
    with pytest.raises(ModelError, match=r"notes\.json: it is a link that leads out"):
        local_files(ModelReference(str(folder)))


@pytest.mark.parametrize(
    ("name", "keep", "said"),
    [
        ("model.safetensors", -7, "tiny/model.safetensors: it has"),
        ("model.safetensors", 4, "it is not a safetensors file"),
        ("config.json", 5, r"tiny/config\.json: it cannot be read"),
    ],
)
def test_a_damaged_model_is_not_kept(
    shared: str, storage: Any, tmp_path: Path, name: str, keep: int, said: str
) -> None:
    path = f"/bucket/tiny/{name}"
    storage.pipe_file(path, storage.cat_file(path)[:keep])
    with pytest.raises(ModelError, match=said) as caught:
        pull(shared, to=tmp_path / "models/m")
    assert str(tmp_path) not in str(caught.value), "the temporary folder is gone"
    assert left_in(tmp_path / "models") == []


def test_weights_that_the_model_does_not_name_are_checked_too(
    shared: str, storage: Any, tmp_path: Path
) -> None:
    storage.pipe_file("/bucket/tiny/other.safetensors", b"\xff" * 64)
    with pytest.raises(ModelError, match=r"tiny/other\.safetensors: it is not"):
        pull(shared, to=tmp_path / "models/m")
    assert left_in(tmp_path / "models") == []


@pytest.mark.parametrize(
    ("raised", "error", "said"),
    [
        (KeyboardInterrupt(), KeyboardInterrupt, None),
        (ConnectionError("gone\nfor good"), BackendError, "cannot be read: gone$"),
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), WriteError, "No space left"),
    ],
)
def test_what_ends_half_way_leaves_nothing(
    raised: BaseException,
    error: type[BaseException],
    said: str | None,
    shared: str,
    storage: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real, calls = type(storage).get_file, 0

    def broken(self: Any, path: str, local: str, **options: Any) -> None:
        nonlocal calls
        calls += 1
        real(self, path, local, **options)
        if calls == 3:
            raise raised

    monkeypatch.setattr(type(storage), "get_file", broken)
    with pytest.raises(error, match=said):
        pull(shared, to=tmp_path / "models/m")
    assert calls == 3
    assert left_in(tmp_path / "models") == []


@pytest.mark.fault("an object storage sends fewer bytes of a model than it stated")
def test_a_file_of_another_length_than_listed(
    shared: str, storage: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        type(storage), "get_file", lambda self, path, local: Path(local).write_bytes(b"{}")
    )
    with pytest.raises(BackendError, match=r"memory://bucket/tiny/\S+: 2 of [\d,]+ bytes arrived"):
        pull(shared, to=tmp_path / "models/m")
    assert left_in(tmp_path / "models") == []


@pytest.mark.parametrize(
    ("address", "error", "said"),
    [
        ("memory://bucket/none", ModelError, "nothing is at this address"),
        ("memory://bucket/words.txt", ModelError, "neither a folder nor a GGUF file"),
        ("memory://bucket/words", ModelError, r"config\.json is missing"),
        ("none://me:hunter2@host/m?signature=hunter2", SpecError, "^none://host/m: Protocol not"),
        ("ftp://me:hunter2@127.0.0.1:1/m", BackendError, "^ftp://127.0.0.1:1/m: cannot be"),
    ],
)
def test_addresses_without_a_model(
    address: str, error: type[EthogramError], said: str, storage: Any, tmp_path: Path
) -> None:
    storage.pipe_file("/bucket/words.txt", b"hello")
    storage.pipe_file("/bucket/words/words.txt", b"hello")
    with pytest.raises(error, match=said) as caught:
        pull(address, to=tmp_path / "models/m")
    assert "hunter2" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "models/m").exists()


def test_a_model_that_is_named_by_id_is_not_copied() -> None:
    for name in ("smollm2-135m-instruct", "gpt2"):
        with pytest.raises(ModelError, match=rf"^model {name}: it is named by id"):
            local_files(ModelReference(name))
