"""SIGKILL and SIGTERM while outputs are measured, judged and searched through."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.faults.commands import (
    KILLED,
    TERMINATED,
    call,
    ended,
    is_one_line,
    outputs,
    part_of,
    shorten,
    start,
    works,
)
from tests.judges import prefers_longer, serving

pytestmark = pytest.mark.long
STORED = "interrupted; everything generated so far is stored"
COMPARE = ("compare", "v0.0.1", "v0.1.0", "--metric", "reference_perplexity")
SWEEP = ("sweep", "v0.1.0", "--set", "decoding.temperature=0.5,1.5", "--goal", "words:higher")
JUDGE = ("judge", "v0.0.1", "v0.1.0", "--model", "small", "--concurrency", "1")
#: What a repeated command says of its own work, which is less than that of an undisturbed one.
OWN_WORK = ("generations", "tokens", "computed_tokens", "seconds", "cost")


def table(study: Path, name: str, key: str) -> dict[Any, tuple[Any, ...]]:
    """The rows of a table by their key, without times."""
    with closing(sqlite3.connect(study / ".ethogram/store.sqlite")) as store:
        store.row_factory = sqlite3.Row
        rows = store.execute(f"SELECT * FROM {name} ORDER BY {key}").fetchall()
    found = {
        tuple(row[each] for each in key.split(", ")): tuple(
            value
            for name, value in zip(row.keys(), tuple(row), strict=True)
            if name != "created_at"
        )
        for row in rows
    }
    assert len(found) == len(rows)
    return found


def scores(study: Path) -> dict[Any, tuple[Any, ...]]:
    return table(study, "scores", "generation, metric, metric_version, model, read")


def verdicts(study: Path) -> dict[Any, tuple[Any, ...]]:
    return table(study, "verdicts", "identity")


def result(text: str) -> dict[str, Any]:
    """A command's JSON without what it says of its own work."""
    return {name: value for name, value in json.loads(text).items() if name not in OWN_WORK}


@pytest.fixture
def scored(ran: Path) -> Path:
    """The study with a model that its outputs are measured by."""
    version = (ran / "versions/v0.0.1.yaml").read_text()
    model = version.split("model: ")[1].splitlines()[0]
    with (ran / "study.yaml").open("a") as settings:
        settings.write(f"scoring: {{reference: {model}}}\n")
    return ran


@pytest.mark.fault("SIGKILL while the scores of a metric are stored")
def test_killed_while_scores_are_stored(scored: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(scored, tmp_path / "other"))
    whole = works(other, *COMPARE, "--json")
    fault = "ethogram.store:Store.add_scores:2:SIGKILL"
    assert call(scored, *COMPARE, fault=fault)[0] == KILLED
    kept = scores(scored)
    assert 0 < len(kept) < len(scores(other))
    assert works(scored, *COMPARE, "--json") == whole
    assert scores(scored) == scores(other)
    assert kept.items() <= scores(scored).items()


@pytest.mark.fault("SIGTERM while outputs are measured")
def test_terminated_while_outputs_are_measured(scored: Path) -> None:
    fault = "ethogram.store:Store.add_scores:2:SIGTERM"
    is_one_line(call(scored, *COMPARE, fault=fault), "interrupted", code=TERMINATED)
    kept = scores(scored)
    assert kept
    works(scored, *COMPARE)
    assert kept.items() < scores(scored).items()


@pytest.mark.fault("a second process measures the same outputs at the same moment")
def test_measured_by_two_at_once(scored: Path) -> None:
    both = [start(scored, *COMPARE, "--json"), start(scored, *COMPARE, "--json")]
    results = [ended(process) for process in both]
    assert [code for code, _, _ in results] == [0, 0]
    assert results[0][1] == results[1][1]
    outputs_measured = {key[0] for key in scores(scored)}
    assert len(scores(scored)) == len(outputs_measured)


@pytest.fixture
def prepared(study: Path) -> Path:
    """The study with enough prompts for two halves; nothing is generated yet."""
    shorten(study, prompts=30, tokens=6)
    return study


@pytest.fixture
def searched(prepared: Path, tmp_path: Path) -> tuple[dict[str, Any], list[tuple[Any, ...]]]:
    """What a sweep that nothing disturbs finds and stores."""
    folder = Path(shutil.copytree(prepared, tmp_path / "searched"))
    return result(works(folder, *SWEEP, "--json")), outputs(folder)


@pytest.mark.fault("SIGKILL during a sweep")
@pytest.mark.parametrize("number", [3, 25])
def test_killed_sweep(prepared: Path, searched: Any, number: int) -> None:
    fault = f"ethogram.study.record:Recorder._take:{number * 3}:SIGKILL"
    assert call(prepared, *SWEEP, fault=fault)[0] == KILLED
    kept = outputs(prepared)
    assert len(kept) < len(searched[1])
    assert part_of(kept, searched[1])
    assert result(works(prepared, *SWEEP, "--json")) == searched[0]
    assert outputs(prepared) == searched[1]


@pytest.mark.fault("a second process sweeps the same settings at the same moment")
def test_two_sweeps_at_once(prepared: Path, searched: Any) -> None:
    both = [start(prepared, *SWEEP, "--json"), start(prepared, *SWEEP, "--json")]
    results = [ended(process) for process in both]
    assert [code for code, _, _ in results] == [0, 0]
    assert [result(out) for _, out, _ in results] == [searched[0]] * 2
    assert outputs(prepared) == searched[1]


@pytest.fixture
def judged(ran: Path, tmp_path: Path) -> tuple[dict[str, Any], int]:
    """What judging that nothing disturbs finds, and how many questions it asks."""
    folder = Path(shutil.copytree(ran, tmp_path / "judged"))
    with serving(prefers_longer) as judge:
        found = works(folder, *JUDGE, "--base-url", judge.url, "--json")
    return result(found), len(judge.asked)


def disturbed(ran: Path, judged: tuple[dict[str, Any], int], fault: str) -> tuple[int, str, str]:
    """Judge with a fault, then without; the first command's end."""
    with serving(prefers_longer) as judge:
        words = (*JUDGE, "--base-url", judge.url, "--json")
        first = call(ran, *words, fault=fault)
        kept = verdicts(ran)
        assert 0 < len(kept) < judged[1]
        asked = len(judge.asked)
        assert result(works(ran, *words)) == judged[0]
    assert len(judge.asked) - asked == judged[1] - len(kept)
    assert kept.items() < verdicts(ran).items()
    assert len(verdicts(ran)) == judged[1]
    return first


@pytest.mark.fault("SIGKILL while a judge's verdict is stored")
def test_killed_judging(ran: Path, judged: Any) -> None:
    fault = "ethogram.store.verdicts:Verdicts.add:4:SIGKILL"
    assert disturbed(ran, judged, fault)[0] == KILLED


@pytest.mark.fault("SIGTERM while a judge answers")
def test_terminated_judging(ran: Path, judged: Any) -> None:
    fault = "ethogram.store.verdicts:Verdicts.add:4:SIGTERM"
    is_one_line(disturbed(ran, judged, fault), STORED, code=TERMINATED)


@pytest.mark.fault("a second process asks the same judge at the same moment")
def test_two_judge_at_once(ran: Path, judged: Any) -> None:
    with serving(prefers_longer) as judge:
        words = (*JUDGE, "--base-url", judge.url, "--json")
        both = [start(ran, *words), start(ran, *words)]
        results = [ended(process) for process in both]
    assert [code for code, _, _ in results] == [0, 0]
    assert [result(out) for _, out, _ in results] == [judged[0]] * 2
    assert len(verdicts(ran)) == judged[1]
