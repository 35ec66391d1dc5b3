"""`ethogram data`: every command once in words or JSON, and what it refuses."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.architectures import train_tokenizer

from benchmarks.broken_data import write_broken
from ethogram.cli import main
from ethogram.cli.data import convert_command
from ethogram.corpus import FORMATS, RULES, SHAPES

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
    assert "rule drop-bad-rows: used once" in out
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


def test_tokens_of_a_folder_with_a_tokenizer(run: Run, tmp_path: Path) -> None:
    path, folder = tmp_path / "a.jsonl", tmp_path / "tokenizer"
    tokenizer = train_tokenizer(["the sea wrote back to the sea"])
    tokenizer.save_pretrained(folder)
    texts = ["the sea", "the sea wrote back, über 日本"]
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    lengths = [len(tokenizer(text, add_special_tokens=False).input_ids) for text in texts]
    code, out, err = run("tokens", path, "--tokenizer", folder, "--context", 5, "--json")
    assert code == 0, err
    counts = json.loads(out)
    assert counts["rows"] == 2
    assert counts["tokens"] == sum(lengths)
    assert counts["characters"] == sum(map(len, texts))
    over = [max(length - 5, 0) for length in lengths]
    assert counts["cut_rows"] == sum(each > 0 for each in over) / 2
    assert counts["cut_tokens"] == pytest.approx(sum(over) / sum(lengths))
    code, out, _ = run("tokens", path, "--tokenizer", folder)
    assert code == 0
    assert f"2 rows, {sum(lengths)} tokens" in out
    path.write_text('{"text": "a"}\n{\n')
    code, _, err = run("tokens", path, "--tokenizer", folder)
    assert code == 2
    assert f"{path}:2: not valid JSON" in err
    code, _, err = run("tokens", path, "--tokenizer", tmp_path / "none")
    assert code == 2
    assert "Traceback" not in err


def test_a_broken_megabyte_is_reported_by_line(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "broken.jsonl"
    faults = write_broken(path, 2**20)
    code, out, err = run("inspect", path, "--json")
    assert (code, err) == (1, "")
    [survey] = json.loads(out)
    listed = [line for reason in survey["bad"] for line in reason["lines"]]
    assert sorted(listed) == sorted(faults)
    assert survey["rows"] == len(path.read_bytes().split(b"\n")) - 1 - len(faults)
    code, out, _ = run("inspect", path)
    assert code == 1
    assert f"broken.jsonl:{faults[0]}" in out


def test_choices_are_those_of_the_corpus() -> None:
    choices = {
        option.name: list(option.type.choices)
        for option in convert_command.params
        if isinstance(option.type, click.Choice)
    }
    assert choices == {"to": list(SHAPES), "format": list(FORMATS), "fixes": list(RULES)}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.binary(max_size=200),
    suffix=st.sampled_from([".jsonl", ".json", ".csv", ".tsv", ".txt", ".jsonl.gz"]),
    wide=st.booleans(),
)
def test_no_bytes_give_a_traceback(
    run: Run, tmp_path: Path, content: bytes, suffix: str, wide: bool
) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(b"\xff\xfe" * wide + content)
    for rules in ([], [part for name in RULES for part in ("--fix", name)]):
        code, out, err = run("inspect", path, *rules)
        assert code in (0, 1)
        assert "Traceback" not in out + err
        assert path.name in out
