"""Files that a version names lie in the study; only study.yaml and recipes name others."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ethogram.errors import SpecError
from ethogram.spec import load_study

PROMPT = '{"id": "p1", "text": "hi"}\n'


def study(folder: Path, version: str, settings: str = "") -> Path:
    """A study of one version."""
    (folder / "versions").mkdir(parents=True)
    (folder / "study.yaml").write_text(f"name: s\n{settings}")
    (folder / "suites").mkdir()
    (folder / "suites/own.jsonl").write_text(PROMPT)
    (folder / "versions/v0.0.1.yaml").write_text(f"title: t\nmodel: m\n{version}")
    return folder


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    file = tmp_path / "secret.jsonl"
    file.write_text(PROMPT)
    return file


@pytest.mark.parametrize("field", ["suite", "outputs"])
@pytest.mark.parametrize("form", ["relative", "absolute", "dots"])
def test_a_version_names_no_file_outside_its_study(
    tmp_path: Path, secret: Path, field: str, form: str
) -> None:
    named = {
        "relative": "../secret.jsonl",
        "absolute": str(secret),
        "dots": "suites/../../secret.jsonl",
    }[form]
    folder = study(tmp_path / "s", f"{field}: {named}\n")
    with pytest.raises(SpecError, match=r"v0\.0\.1\.yaml:3: .*outside the study's folder"):
        load_study(folder)


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
@pytest.mark.parametrize("linked", ["suites/link.jsonl", "more"])
def test_a_link_leads_a_version_nowhere_else(tmp_path: Path, secret: Path, linked: str) -> None:
    name = linked if linked.endswith("jsonl") else f"{linked}/secret.jsonl"
    folder = study(tmp_path / "s", f"suite: {name}\n")
    target = secret if linked.endswith("jsonl") else secret.parent
    (folder / linked).symlink_to(target)
    with pytest.raises(SpecError, match="outside the study's folder"):
        load_study(folder)


def test_files_of_the_study_and_those_that_it_names_itself_are_read(
    tmp_path: Path, secret: Path
) -> None:
    inside = study(tmp_path / "a", "suite: suites/own.jsonl\n")
    assert load_study(inside).suite("v0.0.1").prompts[0].id == "p1"
    named = study(tmp_path / "b", "", "suite: ../secret.jsonl\n")
    assert load_study(named).suite("v0.0.1").prompts[0].id == "p1"
