"""The commands that read and write files of other tools, as a user types them."""

from __future__ import annotations

import json
from pathlib import Path

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
