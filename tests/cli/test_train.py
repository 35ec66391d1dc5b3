"""`ethogram train` at a shell."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.interrupts import hears_interrupts
from tests.train.studies import BASE, write_study

from ethogram.cli import cli

QUICK = BASE.replace("steps: 12", "steps: 3").replace("every: 4", "every: 3")
pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ETHOGRAM_THREADS", "1")


def test_a_recipe_or_a_list_is_wanted(tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, ["train", "-C", str(tmp_path)])
    assert result.exit_code == 2
    assert "name a recipe file" in result.output


def test_a_mistake_names_its_line(tmp_path: Path) -> None:
    from ethogram.errors import SpecError

    write_study(tmp_path, BASE.replace("steps: 12", "stepz: 12"))
    result = CliRunner().invoke(cli, ["train", "base.yaml", "-C", str(tmp_path)])
    assert isinstance(result.exception, SpecError)
    assert "base.yaml:7" in str(result.exception)
    assert "steps" in str(result.exception)


@pytest.mark.long
def test_train_then_list(tmp_path: Path) -> None:
    write_study(tmp_path, QUICK)
    run = CliRunner()
    result = run.invoke(cli, ["train", "base.yaml", "-C", str(tmp_path)], catch_exceptions=False)
    assert result.exit_code == 0
    assert "Trained in" in result.output
    assert "version v1.0.0 names it" in " ".join(result.output.split())
    listed = run.invoke(cli, ["train", "--list", "-C", str(tmp_path)], catch_exceptions=False)
    assert "base (pretrain)" in listed.output
    assert "3/3" in listed.output
    assert "finished" in listed.output
    again = run.invoke(cli, ["train", "base.yaml", "-j", "-C", str(tmp_path)])
    (found,) = json.loads(again.output)
    assert found["repeated"] is True
    assert found["finished"]["version"] == "v1.0.0"
    assert json.loads(run.invoke(cli, ["train", "--list", "-j", "-C", str(tmp_path)]).output)


@pytest.mark.fault("Ctrl-C during a training")
@pytest.mark.long
def test_an_interruption_says_how_to_go_on(tmp_path: Path) -> None:
    write_study(tmp_path, BASE.replace("steps: 12", "steps: 100000"))
    command = "import sys; from ethogram.cli import main; sys.argv[0] = 'ethogram'; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", command, "train", "base.yaml", "-C", str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
        preexec_fn=hears_interrupts,
    )
    assert process.stdout
    for line in process.stdout:
        if line.startswith("step 4"):  # The second look.
            break
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 130
    *before, last = errors.strip().splitlines()
    assert all(line.startswith("base: step ") for line in before)  # How far it was, now and then.
    assert "the same command continues from the last checkpoint" in last
