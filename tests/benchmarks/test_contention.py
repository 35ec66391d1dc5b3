"""The benchmark of a shared machine: its conditions and its table."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest

from benchmarks import contention_table
from benchmarks.conditions import CONDITIONS, QUIET, Condition, chosen, set_up


def test_the_quiet_machine_is_always_measured() -> None:
    assert [condition.name for condition in chosen("busy2, core")] == ["quiet", "busy2", "core"]
    assert chosen(None) == list(CONDITIONS)
    with pytest.raises(ValueError, match="no condition is called 'loud'"):
        chosen("loud")


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no affinity masks here")
def test_a_pinned_engine_sees_one_core() -> None:
    condition = Condition("core", "", cores=1)
    with set_up(condition) as enter:
        made = subprocess.run(
            [sys.executable, "-c", "import os; print(len(os.sched_getaffinity(0)))"],
            capture_output=True,
            text=True,
            check=True,
            preexec_fn=enter,
        )
    assert made.stdout.strip() == "1"
    assert condition.threads(8) == 1


def test_busy_processes_end_with_the_condition(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[bytes]] = []

    class Watched(subprocess.Popen[bytes]):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            started.append(self)

    monkeypatch.setattr(subprocess, "Popen", Watched)
    with set_up(Condition("busy2", "", busy=2)):
        assert [process.poll() for process in started] == [None, None]
    assert all(process.returncode is not None for process in started)


def turn(condition: str, peer: str, rate: float, others: float = 0.02) -> dict[str, Any]:
    names = {"condition": condition, "size": 48, "peer": peer}
    return {**names, "tokens_per_second": rate, "others": others}


def test_the_table_shows_every_turn_and_shares_of_the_quiet_mean() -> None:
    data = {
        "date": "2026-11-28T12:00:00",
        "machine": {"processor": "Some Processor"},
        "model": {"name": "tiny"},
        "threads": 2,
        "new_tokens": 32,
        "unavailable": {"quota": "no control group"},
        "turns": [
            *(turn(QUIET.name, "ours", rate) for rate in (400.0, 440.0)),
            *(turn("busy1", "ours", rate, others) for rate, others in ((200.0, 0.1), (220.0, 0.5))),
            turn(QUIET.name, "theirs", 50.0),
            {"condition": "busy1", "size": 48, "peer": "theirs", "failed": "it fell over"},
        ],
    }
    lines = contention_table.table(data).splitlines()
    assert "| alone | 400, 440 | 50.0 |" in lines
    assert "| beside 1 busy process | 200, 220* (0.50) | – |" in lines
    assert "| with a quota of 1.5 CPUs | not measured: no control group |  |" in lines
