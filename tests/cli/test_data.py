"""`ethogram data`: every command once in words or JSON, and what it refuses."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ethogram.cli import main

TURNS = [{"role": "user", "content": "Hi?"}, {"role": "assistant", "content": "Hello."}]

Run = Callable[..., tuple[int, str, str]]


def call(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: object
) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["ethogram", "data", *map(str, arguments)])
    with pytest.raises(SystemExit) as stopped:
        main()
    out, err = capsys.readouterr()
    return int(stopped.value.code or 0), out, err


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    return lambda *arguments: call(monkeypatch, capsys, *arguments)


def written(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_inspect_names_bad_rows_by_line(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(
        b'{"instruction": "Hi?", "output": "Hello.", "license": "MIT"}\n'
        b'{"text": "caf\xe9"}\n{"text": \n{"text": \n\n{"instruction": "HI", "output": "hello"}\n'
    )
    code, out, err = run("inspect", path)
    assert (code, err) == (1, "")
    assert "jsonl, 5 rows, 3 of them bad" in out
    assert "duplicates  1 rows (50.0%)" in out
    assert "bad: 2 × not valid JSON" in out
    assert "a.jsonl:3-4" in out
    assert "[--fix decode-latin1]" in out
    code, out, _ = run("inspect", path, "--json")
    [survey] = json.loads(out)
    assert survey["shapes"] == {"Alpaca": 2}
    assert survey["licences"] == {"MIT": 1, "": 1}
    assert [each["lines"] for each in survey["bad"]] == [[3, 4], [2]]


def test_convert_refuses_bad_rows_and_writes_nothing(run: Run, tmp_path: Path) -> None:
    path, out_file = tmp_path / "a.jsonl", tmp_path / "out.jsonl"
    path.write_text('{"prompt": "Hi?", "completion": "Hello.", "license": "MIT", "id": 3}\n{\n')
    code, _, err = run("convert", path, "--to", "messages", "-o", out_file)
    assert code == 2
    assert f"{path}:2: not valid JSON" in err
    assert not out_file.exists()
    code, out, _ = run(
        "convert", path, "--to", "messages", "-o", out_file, "--fix", "drop-bad-rows"
    )
    assert code == 0
    assert "a.jsonl:2" in out
    assert "rule drop-bad-rows: used 1 times" in out
    assert written(out_file) == [{"messages": TURNS, "license": "MIT", "id": 3}]
    code, _, err = run("convert", path, "--to", "text", "-o", out_file, "--fix", "magic")
    assert code == 2


def test_dedupe_and_split(run: Run, tmp_path: Path) -> None:
    path, unique = tmp_path / "a.jsonl", tmp_path / "u.jsonl"
    texts = ["One tale.", "one  TALE", *(f"Story {number} of {number * 7}" for number in range(40))]
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    code, out, _ = run("dedupe", path, "-o", unique)
    assert code == 0
    assert f"{path}:2 equals {path}:1" in out
    assert len(written(unique)) == 41
    code, out, _ = run("split", unique, "--held-out", 0.3, "-o", tmp_path / "s", "--json")
    sides = json.loads(out)
    assert sides["train"] + sides["held-out"] == 41
    assert len(written(tmp_path / "s" / "held-out.jsonl")) == sides["held-out"] > 0
    code, _, err = run("split", unique, "--by", "chat", "-o", tmp_path / "s")
    assert code == 2
    assert "no field 'chat'" in err
