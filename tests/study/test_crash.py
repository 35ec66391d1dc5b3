"""kill -9 in the middle of a run, and two runs at once: nothing is lost, nothing is doubled."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.interrupts import hears_interrupts

Stored = Callable[[Path], dict[str, Any]]


def start(folder: Path) -> subprocess.Popen[str]:
    """`ethogram run` in a process of its own."""
    environment: Mapping[str, str] = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-c", "from ethogram.cli import main; main()", "run", "--json"],
        cwd=folder,
        env={**environment, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=hears_interrupts,
    )


def rows(folder: Path, table: str = "generations") -> int:
    """Rows of a table of the store, read from outside."""
    try:
        uri = f"file:{folder / '.ethogram' / 'store.sqlite'}?mode=ro"
        with sqlite3.connect(uri, uri=True) as connection:
            return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
    except sqlite3.Error:
        return 0


@pytest.fixture
def long_study(tiny_study: Path) -> Path:
    """Enough work that a kill lands in the middle."""
    suite = tiny_study / "suites/prompts.jsonl"
    suite.write_text(
        "".join(f'{{"id": "p{i}", "text": "keeper number {i} said"}}\n' for i in range(150))
    )
    version = tiny_study / "versions/v0.0.1.yaml"
    version.write_text(version.read_text().replace("max_new_tokens: 24", "max_new_tokens: 120"))
    return tiny_study


@pytest.mark.fault("SIGKILL at a random moment of a run")
@pytest.mark.parametrize(
    ("prompts", "kills"),
    [pytest.param(50, 2, id="short"), pytest.param(150, 5, marks=pytest.mark.slow, id="full")],
)
@pytest.mark.long
def test_kill_9_in_the_middle(
    long_study: Path, tmp_path: Path, stored: Stored, prompts: int, kills: int
) -> None:
    suite = long_study / "suites/prompts.jsonl"
    suite.write_text("".join(suite.read_text().splitlines(keepends=True)[:prompts]))
    undisturbed = Path(shutil.copytree(long_study, tmp_path / "undisturbed"))
    process = start(undisturbed)
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    total = rows(undisturbed)
    assert total == prompts * 5

    moments = random.Random(11)
    killed = 0
    for number in range(kills):
        before = rows(long_study, "runs")
        # By what is stored, not by the clock: machines differ. Whole batches end together, so the
        # last moment leaves more than one of them.
        wanted = int(total * (number + moments.random()) / (kills + 3))
        process = start(long_study)
        while process.poll() is None and (
            rows(long_study, "runs") == before or rows(long_study) < wanted
        ):
            time.sleep(0.002)
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            killed += 1
        process.communicate()
        assert rows(long_study) <= total
    assert killed == kills
    assert rows(long_study) < total

    process = start(long_study)
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    assert '"made"' in out
    assert stored(long_study) == stored(undisturbed)


@pytest.mark.fault("a second process runs the same study at the same moment")
@pytest.mark.long
def test_two_runs_at_once_take_turns(tiny_study: Path) -> None:
    both = [start(tiny_study), start(tiny_study)]
    for process in both:
        _, err = process.communicate(timeout=300)
        assert process.returncode == 0, err
    assert rows(tiny_study) == 30


@pytest.mark.fault("Ctrl-C during a run")
@pytest.mark.long
def test_ctrl_c_stops_cleanly_and_keeps_what_is_done(long_study: Path) -> None:
    settings = long_study / "study.yaml"  # Far more than can be made before the signal comes.
    settings.write_text(settings.read_text().replace("samples: 2", "samples: 12"))
    process = start(long_study)
    while process.poll() is None and rows(long_study) == 0:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.strip() == "ethogram: interrupted; everything generated so far is stored"
    assert rows(long_study) > 0
