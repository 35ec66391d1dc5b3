"""The commands that read and write files of other tools, as a user types them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.cli.calls import Run
from tests.formats import samples as made


def test_files_where_versions_are_meant(ethogram: Run, tmp_path: Path) -> None:
    files = []
    for name, text in (("a", "and on " * 20), ("b", "one two")):
        file = tmp_path / f"{name}.json"
        results = [made.promptfoo_result(index, f"{index} {text}") for index in range(6)]
        file.write_text(json.dumps(made.promptfoo(*results)))
        files.append(str(file))
    code, out, _ = ethogram("compare", *files, "--metric", "loop_rate", "--json")
    assert (code, json.loads(out)["differences"][0]["after"]) == (0, 0)
    code, out, _ = ethogram("compare", *files)
    assert code == 0
    assert "temperature" not in out
    bound = ("--expect", "loop_rate < 0.5")
    code, out, _ = ethogram("check", files[0], *bound, "--strict")
    assert (code, "loop" in out) == (1, True)
    code, out, _ = ethogram("check", files[1], *bound, "--json", "--github")
    assert code == 0
    assert ethogram("check", files[0])[0] == 2
    code, _, err = ethogram("compare", files[0], "missing.json")
    assert (code, err) == (2, "ethogram: missing.json: no such file\n")
    code, _, err = ethogram("score", files[0], "--select", "nobody")
    assert (code, err.count("\n")) == (2, 1)


LOOP = "and on " * 20


def promptfoo_file(path: Path, text: str) -> Path:
    results = [made.promptfoo_result(index, f"{index} {text}") for index in range(6)]
    path.write_text(json.dumps(made.promptfoo(*results)))
    return path


def inspect_file(path: Path, text: str) -> Path:
    return made.inspect_archive(path, *(made.inspect_sample(f"p{n}", text) for n in range(6)))


def lm_eval_file(path: Path, text: str) -> Path:
    path.write_text(made.lines(*(made.lm_eval(doc, text) for doc in range(6))))
    return path


@pytest.mark.parametrize(
    ("make", "suffix"),
    [(promptfoo_file, ".json"), (inspect_file, ".eval"), (lm_eval_file, ".jsonl")],
)
def test_files_of_a_tool_in_two_commands(
    ethogram: Run,
    tmp_path: Path,
    make: Callable[[Path, str], Path],
    suffix: str,
) -> None:
    files = [make(tmp_path / f"{name}{suffix}", text) for name, text in (("a", LOOP), ("b", "yes"))]
    bound = ("--expect", "loop_rate < 0.5", "--expect", "words > 0")
    code, out, err = ethogram("check", *map(str, files), *bound, "--strict")
    assert (code, err) == (1, "")
    assert f"a{suffix}" in out
    code, out, err = ethogram("compare", *map(str, files))
    assert (code, err) == (0, "")
    assert out.startswith(f"a{suffix} → b{suffix}")
    assert "6 prompts; 6 and 6 outputs" in out
    assert "Loop rate 100.0 → 0.0" in out


def test_a_version_and_a_file(ethogram: Run, tmp_path: Path) -> None:
    folder, rows = tmp_path / "study", tmp_path / "rows.jsonl"
    at = ("--study", str(folder))
    assert ethogram("init", str(folder))[0] == 0
    said = [{"id": f"q{n}", "prompt": f"{n}?", "output": LOOP, "tags": ["t"]} for n in range(8)]
    rows.write_text(made.lines(*said))
    assert ethogram("import", str(rows), "--as", "v1.0.0", *at)[0] == 0
    theirs = tmp_path / "theirs.jsonl"
    theirs.write_text(made.lines(*({"prompt": f"{n}?", "output": "yes"} for n in range(6, 12))))
    code, out, _ = ethogram("compare", "v1.0.0", str(theirs), *at)
    assert code == 0
    assert "2 prompts shared, of 8 and 6; 8 and 6 outputs" in out
    by_tag = ("compare", "v1.0.0", str(theirs), "--by", "tag", "--json", "-m", "loop_rate", *at)
    code, out, _ = ethogram(*by_tag)
    assert (code, json.loads(out)["tags"]["t"][0]["after"]) == (0, 0)
    code, _, err = ethogram("compare", "v1.0.0", "v9.0.0", "--select", "x", *at)
    assert (code, err.count("\n")) == (2, 1)


def test_import_and_export(ethogram: Run, tmp_path: Path) -> None:
    folder = tmp_path / "study"
    at = ("--study", str(folder))
    assert ethogram("init", str(folder))[0] == 0
    rows = tmp_path / "rows.jsonl"
    rows.write_text(made.lines({"id": "a", "prompt": "x", "output": "y"}, {"id": "b"}))
    code, _, err = ethogram("import", str(rows), *at)
    assert (code, "rows.jsonl:2: no output text" in err) == (2, True)
    code, out, err = ethogram("import", str(rows), "--skip-bad", "--json", *at)
    assert (code, json.loads(out)["version"], err.count("left out")) == (0, "v0.3.0", 1)
    rows.write_text(made.lines({"id": "a", "prompt": "x", "output": "y"}))
    code, out, _ = ethogram("import", str(rows), "--suite", "theirs", *at)
    assert (code, "suites/theirs.jsonl" in out) == (0, True)
    assert ethogram("import", str(rows), "--each", "--as", "v9.0.0", *at)[0] == 2
    code, out, _ = ethogram("import", str(rows), "--each", "--json", *at)
    assert (code, json.loads(out)[0]["version"]) == (0, "v0.4.0")
    code, out, _ = ethogram("export", "-", "v0.3.0", *at)
    assert (code, json.loads(out)["output"]) == (0, "y")
    csv = tmp_path / "out.csv"
    assert ethogram("export", str(csv), "v0.3.0", "--metric", "words", *at)[0] == 0
    assert csv.read_text().startswith("version,identity,")
    prompts = str(tmp_path / "tests.jsonl")
    assert ethogram("export", prompts, "--as", "promptfoo", *at)[0] == 0
