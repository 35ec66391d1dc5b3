"""`ethogram trace --step` and `ethogram branch`: what they print, and their mistakes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.calls import Run, one_line, parsed


@pytest.fixture
def study(ethogram: Run, tiny_study: Path) -> str:
    parsed(ethogram("trace", "v0.1.0", "-p", "p1", "-j", "-C", str(tiny_study)))
    return str(tiny_study)


def test_a_step_as_data_and_as_a_table(ethogram: Run, study: str) -> None:
    data = parsed(ethogram("trace", "v0.1.0", "-p", "p1", "--step", "3", "-j", "-C", study))
    assert (data["step"], data["sample_index"], data["branch"]) == (2, 0, None)
    assert [stage["name"] for stage in data["stages"]] == ["model", "temperature", "top_p"]
    assert sum(token["chosen"] for token in data["tokens"]) == 1
    code, out, _ = ethogram("trace", "v0.1.0", "-p", "p1", "--step", "3", "-C", study)
    assert code == 0
    assert "prompt p1, sample 0, token 3" in out
    for words in ("model", "after temperature", "after top-p", "(final)", "all others", "removed"):
        assert words in " ".join(out.split())


def test_a_branch_from_its_making_to_its_use(ethogram: Run, study: str, tmp_path: Path) -> None:
    where = ("-C", study)
    new = ("branch", "new", "v0.1.0", "-p", "p1", "--at", "4")
    same = parsed(ethogram(*new, "-j", *where))
    assert same["parted_at"] is None
    changed = ("--set", "decoding.temperature=0.1", "--draw", "1")
    code, out, _ = ethogram(*new, *changed, *where)
    assert code == 0
    assert "branch 2  from token 4: temperature 0.1, other random numbers" in out
    assert "original" in out
    again = parsed(ethogram("branch", "new", "--from", "2", "--at", "6", "-j", *where))
    assert (again["parent"], again["parted_at"]) == (2, None)
    assert [one["id"] for one in parsed(ethogram("branch", "list", "-j", *where))] == [1, 2, 3]
    assert parsed(ethogram("branch", "undo", "-j", *where))["id"] == 3
    assert "temperature 0.1" in ethogram("branch", "list", *where)[1]
    assert parsed(ethogram("branch", "restore", "3", "-j", *where))["undone"] is False
    shown = parsed(ethogram("trace", "--branch", "2", "-j", *where))
    assert len(shown["tokens"]) == len(shown["tokens"])
    step = parsed(ethogram("trace", "--branch", "2", "--step", "5", "-j", *where))
    assert step["branch"] == 2
    assert step["token"] == shown["tokens"][4]["id"]
    file = tmp_path / "pairs.jsonl"
    assert parsed(ethogram("branch", "pair", "2", str(file), "-j", *where))["rows"] == 1
    assert set(json.loads(file.read_text())) == {"prompt", "chosen", "rejected", "prompt_id"}
    made = parsed(ethogram("branch", "version", "2", "v0.2.0", "-j", *where))
    assert "temperature: 0.1" in Path(made["file"]).read_text()


def test_mistakes_are_one_line(ethogram: Run, study: str) -> None:
    where = ("-C", study)
    one_line(ethogram("trace", *where), "name a version or a branch")
    one_line(ethogram("trace", "v0.1.0", "--branch", "1", *where), "name a version or a branch")
    one_line(ethogram("trace", "v0.1.0", "--text", "x", "--step", "1", *where), "--step", "suite")
    one_line(ethogram("trace", "v0.1.0", "-p", "p1", "--step", "99", *where), "only", "p1")
    one_line(ethogram("branch", "new", "--at", "1", *where), "VERSION and --prompt")
    one_line(ethogram("branch", "new", "v0.1.0", "-p", "p3", "--at", "1", *where), "p3", "trace")
    one_line(ethogram("branch", "undo", "7", *where), "no branch 7")
    assert "no branches" in ethogram("branch", "list", *where)[1]
    with_model = ("--at", "1", "--set", "model=x")
    one_line(ethogram("branch", "new", "v0.1.0", "-p", "p1", *with_model, *where), "--set model")
