"""SIGKILL while files are imported, a model is converted, and a store is upgraded."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.faults.commands import KILLED, call, ended, here, outputs, start, works
from tests.models.gguf_files import write_gguf

from ethogram.store.schema import SCHEMA_VERSION
from ethogram.store.upgrade import backup_path

pytestmark = pytest.mark.long
Rows = list[tuple[Any, ...]]
STORE = ".ethogram/store.sqlite"


@pytest.fixture
def theirs(study: Path) -> Path:
    """Outputs of another program."""
    rows = [{"prompt_id": f"p{n}", "prompt": f"Q{n}", "output": f"Answer {n}."} for n in range(20)]
    file = study / "theirs.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def imported(study: Path) -> list[str]:
    """The files that an import makes, without hidden ones."""
    folders = (study / name for name in ("outputs", "suites", "versions"))
    return sorted(f"{each.parent.name}/{each.name}" for f in folders for each in f.glob("v1.1.0*"))


@pytest.mark.fault("SIGKILL while outputs are imported")
@pytest.mark.parametrize("number", [1, 2, 3])
def test_killed_import(study: Path, theirs: Path, number: int) -> None:
    """The version is written last, so that there is none without its outputs."""
    fault = f"ethogram.files:Path.replace:{number}:SIGKILL"
    assert call(study, "import", theirs.name, fault=fault)[0] == KILLED
    assert len(imported(study)) == number - 1
    assert "v1.1.0" not in works(study, "ls")
    works(study, "import", theirs.name)
    assert len(imported(study)) == 3
    works(study, "run", "v1.1.0")
    found = outputs(study)
    assert [row[3] for row in sorted(found, key=lambda row: int(row[1][1:]))] == [
        f"Answer {n}." for n in range(20)
    ]


@pytest.mark.fault("a second process imports at the same moment")
def test_two_imports_at_once(study: Path, theirs: Path) -> None:
    """Both may take the same free name; then one set of whole files remains."""
    both = [start(study, "import", theirs.name), start(study, "import", theirs.name)]
    codes = [ended(process)[0] for process in both]
    assert 0 in codes
    assert set(codes) <= {0, 2}
    works(study, "run")
    made = [row for row in outputs(study) if row[3].startswith("Answer")]
    assert {row[3] for row in made} == {f"Answer {n}." for n in range(20)}


@pytest.fixture
def converting(study: Path, tmp_path: Path) -> Path:
    """A study whose model is a GGUF file that is not converted yet; the cache's folder."""
    from ethogram.models import load

    version = study / "versions/v0.0.1.yaml"
    model = version.read_text().split("model: ")[1].splitlines()[0]
    file = tmp_path / "tiny.gguf"
    write_gguf(file, load(model, device="cpu"), pre="smollm")
    version.write_text(version.read_text().replace(model, str(file)))
    (study / "versions/v1.0.0.yaml").unlink()  # The file has no chat template.
    return tmp_path / "cache"


def converted(cache: Path) -> list[Path]:
    return [each for each in cache.glob("gguf-*") if each.is_dir()]


@pytest.mark.fault("SIGKILL while a model is converted")
@pytest.mark.parametrize(
    "moment", ["ethogram.models.gguf:_save_config", "ethogram.cache:Path.rename"]
)
def test_killed_conversion(study: Path, converting: Path, moment: str) -> None:
    for _ in range(2):
        assert call(study, "run", fault=f"{moment}:1:SIGKILL")[0] == KILLED
        # No folder that looks whole, and one that the next try removes.
        (left,) = converted(converting)
        assert left.name.count(".") == 1
    works(study, "run")
    (folder,) = converted(converting)
    assert "." not in folder.name
    assert len(outputs(study)) == 12 + 24


@pytest.mark.fault("a second process converts the same model at the same moment")
def test_two_conversions_at_once(study: Path, converting: Path) -> None:
    both = [start(study, "run", "v0.0.1"), start(study, "run", "v0.1.0")]
    assert [ended(process)[0] for process in both] == [0, 0]
    (folder,) = converted(converting)
    assert "." not in folder.name
    assert len(outputs(study)) == 12 + 24


def make_old(study: Path) -> None:
    """Turn the store into one of schema 1, with its outputs."""
    with closing(sqlite3.connect(study / STORE)) as store, store:
        store.execute("ALTER TABLE generations DROP COLUMN selection")
        store.execute("DELETE FROM schema_version WHERE version > 1")


def schema_of(path: Path) -> int:
    with closing(sqlite3.connect(path)) as store:
        return int(store.execute("SELECT max(version) FROM schema_version").fetchone()[0])


@pytest.mark.fault("SIGKILL while a store is upgraded")
@pytest.mark.parametrize(
    ("fault", "is_backed_up"),
    [
        ("ethogram.store.upgrade:Path.replace:1:SIGKILL", False),
        ("ethogram.store.upgrade:migrate:1:SIGKILL", True),
        ("ethogram.store.schema:insert:5:SIGKILL", True),
    ],
    ids=["backup", "before", "between"],
)
def test_killed_upgrade(ran: Path, undisturbed: Rows, fault: str, is_backed_up: bool) -> None:
    make_old(ran)
    backup = backup_path(ran / STORE, 1)
    assert call(ran, "ls", fault=fault)[0] == KILLED
    assert schema_of(ran / STORE) == 1
    assert backup.exists() == is_backed_up
    works(ran, "ls")
    assert schema_of(ran / STORE) == SCHEMA_VERSION
    assert schema_of(backup) == 1
    assert not backup.with_name(f"{backup.name}.unfinished").exists()
    works(ran, "run")
    assert outputs(ran) == undisturbed


@pytest.mark.fault("a second process upgrades the same store at the same moment")
def test_two_upgrades_at_once(ran: Path, undisturbed: Rows) -> None:
    make_old(ran)
    both = [start(ran, "ls"), start(ran, "ls")]
    assert [ended(process)[0] for process in both] == [0, 0]
    assert schema_of(ran / STORE) == SCHEMA_VERSION
    assert schema_of(backup_path(ran / STORE, 1)) == 1
    assert here(ran, "store", "check")[0] == 0
    assert outputs(ran) == undisturbed
