"""The doctor: what it finds in a sound installation and study, and in broken ones."""

from __future__ import annotations

import shutil
import sqlite3
import sys
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

import pytest

from ethogram.errors import StoreError
from ethogram.store.inspect import inspect_store
from ethogram.study import Study, doctor, run
from ethogram.study.doctor import Diagnosis, diagnose


def named(found: Diagnosis, section: str) -> dict[str, doctor.Finding]:
    return {each.name: each for each in found.findings if each.section == section}


def test_a_sound_study_has_nothing_to_fix(tiny_study: Path) -> None:
    before = named(diagnose(tiny_study, measure=False), "Study")
    assert before["store"].value == "empty: nothing was run yet"
    run(tiny_study)
    found = diagnose(tiny_study)
    assert not found.errors
    study = named(found, "Study")
    assert study["generations"].value == "30"
    assert study["runs"].value == "3"
    assert "30 outputs" in study["made on"].value
    assert "GFLOP/s" in named(found, "Processor")["float32"].value
    assert named(found, "Extras")["engine"].state == "ok"
    assert found.to_json()["ok"]


def test_looking_does_not_upgrade_an_old_store(tiny_study: Path) -> None:
    run(tiny_study, ["v0.0.1"])
    path = tiny_study / ".ethogram/store.sqlite"
    with sqlite3.connect(path) as plain:
        plain.execute("delete from schema_version where version > 9")
        plain.execute("drop table processors")
    plain.close()
    study = named(diagnose(tiny_study, measure=False), "Study")
    assert study["schema"].value.startswith("9 of ")
    assert "upgrades" in study["schema"].hint
    assert inspect_store(path).schema == 9


@pytest.mark.parametrize("data", [b"no database at all" * 99, b""])
def test_a_broken_store_is_an_error_with_a_hint(data: bytes, tiny_study: Path) -> None:
    path = tiny_study / ".ethogram/store.sqlite"
    path.parent.mkdir()
    path.write_bytes(data)
    found = diagnose(tiny_study, measure=False)
    assert [each.name for each in found.errors] == ["store"]
    with pytest.raises(StoreError):
        inspect_store(path)


def test_a_wrong_study_file_and_a_wrong_variable(
    tiny_study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tiny_study / "versions/v0.0.1.yaml").write_text("decoding: {temperatur_: 1}\n")
    monkeypatch.setenv("ETHOGRAM_THREADS", "many")
    found = diagnose(tiny_study, measure=False)
    assert [(each.section, each.name) for each in found.errors] == [
        ("Processor", "threads"),
        ("Study", "files"),
    ]
    assert "v0.0.1.yaml:1" in found.errors[1].value


def test_missing_and_old_parts_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    versions = {"click": "3.0", "torch": None}
    real = metadata.version

    def version(name: str) -> str:
        if name not in versions:
            return real(name)
        if versions[name] is None:
            raise metadata.PackageNotFoundError(name)
        return str(versions[name])

    monkeypatch.setattr(metadata, "version", version)
    monkeypatch.setenv("CXX", "no-such-compiler")
    monkeypatch.setattr(shutil, "which", lambda name: None)
    found = diagnose(tmp_path, measure=False)
    (wrong,) = found.errors
    assert (wrong.name, wrong.value) == ("click", "3.0 is not >=8.1")
    engine = named(found, "Extras")["engine"]
    assert engine.state == "missing"
    assert "torch is not installed" in engine.value
    assert "pip install '.[engine]'" in engine.hint
    assert named(found, "Compiler")["C++"].state == "warning"


def test_without_the_engine_nothing_of_it_is_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        doctor, "find_spec", lambda name: None if name == "torch" else find_spec(name)
    )
    monkeypatch.setitem(sys.modules, "torch", None)
    for name in [each for each in sys.modules if each.startswith("ethogram.engine")]:
        monkeypatch.delitem(sys.modules, name)
    found = diagnose(tmp_path)
    assert named(found, "Compiler")["kernels"].state == "missing"
    assert "float32" not in named(found, "Processor")


def test_several_kinds_of_processors_are_a_warning(tiny_study: Path) -> None:
    from dataclasses import replace

    with Study(tiny_study) as study:
        run(study, ["v0.0.1"])
        (one, *_) = study.generations("v0.0.1")
        study.store.add([replace(one, identity="0" * 64, processor="elsewhere")], model="m")
    kinds = [
        each for each in diagnose(tiny_study, measure=False).findings if each.name == "made on"
    ]
    assert [each.state for each in kinds] == ["warning", "warning"]
    assert kinds[1].value == "elsewhere: 1 outputs"
