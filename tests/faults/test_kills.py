"""SIGKILL and SIGTERM in the middle of each command that writes."""

from __future__ import annotations

import random
import time
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

pytestmark = pytest.mark.long
Rows = list[tuple[Any, ...]]
TAKE = "ethogram.study.record:Recorder._take"
WRITE = "ethogram.files:Path.replace"
STORED = "interrupted; everything generated so far is stored"


@pytest.mark.fault("SIGKILL between two outputs of a run")
def test_killed_between_two_outputs(study: Path, undisturbed: Rows) -> None:
    number = random.Random(time.time_ns()).randint(6, len(undisturbed) // 3)
    code, _, _ = call(study, "run", fault=f"{TAKE}:{number}:SIGKILL")
    assert code == KILLED
    kept = outputs(study)
    assert len(kept) < len(undisturbed)
    assert part_of(kept, undisturbed)
    works(study, "run")
    assert outputs(study) == undisturbed


@pytest.mark.fault("SIGTERM during a run")
def test_terminated_run(study: Path, undisturbed: Rows) -> None:
    is_one_line(call(study, "run", fault=f"{TAKE}:7:SIGTERM"), STORED, code=TERMINATED)
    kept = outputs(study)
    assert 0 < len(kept) < len(undisturbed)
    assert part_of(kept, undisturbed)
    works(study, "run")
    assert outputs(study) == undisturbed


@pytest.mark.fault("SIGKILL after a run is entered and before its first output")
def test_killed_before_the_first_output(study: Path, undisturbed: Rows) -> None:
    assert call(study, "run", fault=f"{TAKE}:1:SIGKILL")[0] == KILLED
    assert outputs(study) == []
    works(study, "run")
    assert outputs(study) == undisturbed


@pytest.mark.fault("SIGKILL after the last output, before the run is marked as finished")
def test_killed_before_the_end_is_noted(study: Path, undisturbed: Rows) -> None:
    fault = "ethogram.store:Store.finish_run:1:SIGKILL"
    assert call(study, "run", fault=fault)[0] == KILLED
    assert part_of(outputs(study), undisturbed)
    works(study, "run")
    assert outputs(study) == undisturbed
    works(study, "log")
    works(study, "verify")


@pytest.mark.fault("SIGKILL while a killed run is resumed")
def test_killed_while_resuming(study: Path, undisturbed: Rows) -> None:
    before = 0
    for _ in range(3):
        assert call(study, "run", fault=f"{TAKE}:6:SIGKILL")[0] == KILLED
        kept = outputs(study)
        assert len(kept) > before
        assert part_of(kept, undisturbed)
        before = len(kept)
    works(study, "run")
    assert outputs(study) == undisturbed


@pytest.mark.fault("a killed run is resumed by two processes at once")
def test_resumed_twice_at_once(study: Path, undisturbed: Rows) -> None:
    assert call(study, "run", fault=f"{TAKE}:6:SIGKILL")[0] == KILLED
    both = [start(study, "run"), start(study, "run")]
    assert [ended(process)[0] for process in both] == [0, 0]
    assert outputs(study) == undisturbed


@pytest.mark.fault("SIGKILL while the log is written")
def test_killed_while_the_log_is_written(ran: Path) -> None:
    works(ran, "log")
    old = (ran / "PROGRESS.md").read_bytes()
    (ran / "PROGRESS.md").write_bytes(old + b"\nA line of mine.\n")
    version = ran / "versions/v1.0.0.yaml"
    version.write_text(version.read_text() + "learned: [It talks.]\n")
    assert call(ran, "log", fault=f"{WRITE}:1:SIGKILL")[0] == KILLED
    assert (ran / "PROGRESS.md").read_bytes() == old + b"\nA line of mine.\n"
    works(ran, "log")
    text = (ran / "PROGRESS.md").read_text()
    assert "A line of mine." in text
    assert "It talks." in text
    works(ran, "verify")


@pytest.mark.fault("SIGTERM while the log is written")
def test_terminated_log(ran: Path) -> None:
    is_one_line(call(ran, "log", fault=f"{WRITE}:1:SIGTERM"), "interrupted", code=TERMINATED)
    assert not (ran / "PROGRESS.md").exists()
    assert not list(ran.glob(".PROGRESS*"))
    works(ran, "log")
    works(ran, "verify")


@pytest.mark.fault("SIGKILL while an export is written")
def test_killed_export(ran: Path) -> None:
    whole = outputs(ran)
    works(ran, "export", "whole.jsonl")
    target = ran / "some.jsonl"
    target.write_text("old\n")
    assert call(ran, "export", target.name, fault=f"{WRITE}:1:SIGKILL")[0] == KILLED
    assert target.read_text() == "old\n"
    works(ran, "export", target.name)
    assert target.read_bytes() == (ran / "whole.jsonl").read_bytes()
    assert outputs(ran) == whole


@pytest.mark.fault("SIGKILL while a store is copied")
def test_killed_copy(ran: Path) -> None:
    source, fault = ".ethogram/store.sqlite", "ethogram.store.copying:insert_new:4:SIGKILL"
    assert call(ran, "store", "copy", source, "copy.sqlite", fault=fault)[0] == KILLED
    works(ran, "store", "copy", source, "copy.sqlite")
    assert_copied(ran)


@pytest.mark.fault("SIGTERM while a store is copied")
def test_terminated_copy(ran: Path) -> None:
    source, fault = ".ethogram/store.sqlite", "ethogram.store.copying:insert_new:4:SIGTERM"
    result = call(ran, "store", "copy", source, "copy.sqlite", fault=fault)
    is_one_line(result, "interrupted", code=TERMINATED)
    works(ran, "store", "copy", source, "copy.sqlite")
    assert_copied(ran)


def assert_copied(ran: Path) -> None:
    """The copy has every row, and is a store as good as the first."""
    whole = outputs(ran)
    (ran / "copy.sqlite").rename(ran / ".ethogram/store.sqlite")
    for rest in (ran / ".ethogram").glob("store.sqlite-*"):
        rest.unlink()
    assert outputs(ran) == whole
    assert '"made"' not in works(ran, "store", "check", "--json")


@pytest.fixture
def swept(study: Path) -> Path:
    """The study with enough prompts for two halves."""
    shorten(study, prompts=30, tokens=6)
    works(study, "run")
    return study


SWEEP = ("sweep", "v0.1.0", "--set", "decoding.temperature=0.5,1.5", "--goal", "distinct_2")


@pytest.mark.fault("SIGTERM during a sweep")
def test_terminated_sweep(swept: Path) -> None:
    before = len(outputs(swept))
    result = call(swept, *SWEEP, fault=f"{TAKE}:9:SIGTERM")
    is_one_line(result, STORED, code=TERMINATED)
    assert len(outputs(swept)) > before
    works(swept, *SWEEP)


@pytest.mark.fault("a second process writes the same log at the same moment")
def test_two_logs_at_once(ran: Path) -> None:
    both = [start(ran, "log"), start(ran, "log")]
    assert [ended(process)[0] for process in both] == [0, 0]
    works(ran, "verify")


@pytest.mark.fault("a second process exports to the same file at the same moment")
def test_two_exports_at_once(ran: Path) -> None:
    both = [start(ran, "export", "a.jsonl"), start(ran, "export", "a.jsonl")]
    assert [ended(process)[0] for process in both] == [0, 0]
    works(ran, "export", "b.jsonl")
    assert (ran / "a.jsonl").read_bytes() == (ran / "b.jsonl").read_bytes()


@pytest.mark.fault("a second process copies into the same store at the same moment")
def test_two_copies_at_once(ran: Path) -> None:
    words = ("store", "copy", ".ethogram/store.sqlite", "copy.sqlite")
    both = [start(ran, *words), start(ran, *words)]
    assert [ended(process)[0] for process in both] == [0, 0]
    assert_copied(ran)


@pytest.mark.fault("stored times go back and forth by days during a run")
def test_the_clock_jumps(study: Path, undisturbed: Rows) -> None:
    assert call(study, "run", fault="clock")[0] == 0
    assert outputs(study) == undisturbed
    assert call(study, "log", fault="clock")[0] == 0
    works(study, "verify")
