"""`--log-format json`: every line on standard error is an object, results stay as they are."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ethogram.cli import structured
from ethogram.report.json_progress import JsonProgress

Run = Callable[..., tuple[int, str, str]]


def lines(err: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in err.splitlines()]


@pytest.mark.parametrize("where", ["before", "after", "variable"])
def test_an_error_is_one_object(
    where: str, ethogram: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flag = ["--log-format", "json"] if where != "variable" else []
    if where == "variable":
        monkeypatch.setenv(structured.VARIABLE, "json")
    command = ["run", "-C", str(tmp_path)]
    code, out, err = ethogram(*([*flag, *command] if where == "before" else [*command, *flag]))
    assert (code, out) == (2, "")
    (line,) = lines(err)
    assert line["event"] == "error"
    assert line["type"] == "SpecError"
    assert line["what"] == "no study.yaml here"
    assert line["where"] == str(tmp_path)
    assert "ethogram init" in line["hint"]
    assert line["exit_code"] == 2


@pytest.mark.parametrize("args", [("run", "--no-such-option"), ("rnu",), ("run", "--log-format")])
def test_a_mistaken_command_line_is_one_object_too(args: tuple[str, ...], ethogram: Run) -> None:
    code, _, err = ethogram("--log-format=json", *args)
    assert code == 2
    if args[-1] != "--log-format":  # Then there is no format to write in.
        assert [line["event"] for line in lines(err)] == ["error"]


def test_progress_is_written_beside_the_result(ethogram: Run, tiny_study: Path) -> None:
    code, out, err = ethogram("run", "--json", "--log-format", "json", "-C", str(tiny_study))
    assert code == 0
    assert json.loads(out)["made"] == 30
    found = lines(err)
    assert {"stage", "progress"} <= {line["event"] for line in found}
    last = [line for line in found if line["event"] == "progress"][-1]
    assert last["done"] == last["total"]
    assert all("time" in line for line in found)


def test_text_is_as_before(ethogram: Run, tiny_study: Path) -> None:
    _, _, err = ethogram("run", "--json", "-C", str(tiny_study))
    assert err == ""


@pytest.mark.parametrize(
    ("args", "moved"),
    [
        (["run", "--log-format", "json", "a"], ["--log-format", "json", "run", "a"]),
        (["run", "--log-format=json"], ["--log-format=json", "run"]),
        (["run", "--", "--log-format", "x"], ["run", "--", "--log-format", "x"]),
        (["run", "--log-format"], ["--log-format", "run"]),
        ([], []),
    ],
)
def test_the_option_may_come_anywhere(args: list[str], moved: list[str]) -> None:
    assert structured.moved_to_front(args) == moved


def test_events_of_a_task_come_now_and_then_and_at_its_end() -> None:
    now = [0.0]
    seen: list[tuple[str, dict[str, Any]]] = []
    with JsonProgress(lambda kind, **fields: seen.append((kind, fields)), lambda: now[0]) as bar:
        for done in range(101):
            now[0] = done / 40
            bar.update("a", done, 100)
    assert [fields["done"] for _, fields in seen] == [0, 40, 80, 100]
