"""Progress on standard error: bars on a terminal, lines elsewhere."""

from __future__ import annotations

import io
import sys
import time
from contextlib import redirect_stderr

import pytest

from ethogram.report import bar as bars
from ethogram.report.bar import ProgressBar
from ethogram.stages import listening, over, stage


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bars, "_SILENCE", 0.05)
    monkeypatch.setattr(bars, "_PATIENCE", 0.02)
    monkeypatch.setattr(bars, "_PAUSE", 0.01)


@pytest.mark.usefixtures("impatient")
def test_long_work_speaks_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with ProgressBar() as bar, listening(bar.stage):
        stage("Compiling kernels")
        with redirect_stderr(io.StringIO()):  # As `quiet` does while a model is read.
            time.sleep(0.3)
        bar.update("v0.1.0", 3, 10, "3/10")
        time.sleep(0.3)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("Compiling kernels (")
    assert lines[-1].startswith("v0.1.0: 3/10 (")


@pytest.mark.usefixtures("impatient")
def test_what_is_over_is_no_longer_said(capsys: pytest.CaptureFixture[str]) -> None:
    with ProgressBar() as bar, listening(bar.stage):
        stage("Loading a model")
        time.sleep(0.2)
        over()
        assert "Loading a model" in capsys.readouterr().err
        time.sleep(0.2)
    assert capsys.readouterr().err == ""


def test_quick_work_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with ProgressBar() as bar, listening(bar.stage):
        stage("Scoring v0.1.0")
    assert capsys.readouterr().err == ""


@pytest.mark.usefixtures("impatient")
def test_quiet_is_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    with ProgressBar(quiet=True) as bar, listening(bar.stage):
        stage("Compiling kernels")
        time.sleep(0.2)
    assert capsys.readouterr().err == ""


class Terminal(io.StringIO):
    """A screen."""

    def isatty(self) -> bool:
        return True


def drawn_on(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """What standard error draws on; within a test, since pytest sets the stream before it."""
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    return screen


@pytest.mark.usefixtures("impatient")
def test_a_stage_that_was_given_up_draws_over_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = drawn_on(monkeypatch)
    with ProgressBar(transient=True) as bar, listening(bar.stage):
        stage("Loading a model")
        time.sleep(0.4)
        bar.end_stage()
        drawn = screen.getvalue()
        time.sleep(0.4)
        assert screen.getvalue() == drawn
        assert "Loading a model" in drawn
        stage("Loading another")
        time.sleep(0.4)
    assert "Loading another" in screen.getvalue()


@pytest.mark.usefixtures("impatient")
def test_a_terminal_shows_the_stage_and_then_the_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = drawn_on(monkeypatch)
    with ProgressBar(transient=True) as bar, listening(bar.stage):
        stage("Converting a-model-of-a-long-name")
        time.sleep(0.4)
        bar.update("8 versions", 3, 10, "3/10  120 tokens/s")
        time.sleep(0.2)
    assert "Converting a-model-of-a-long-name" in screen.getvalue()
    assert "3/10  120 tokens/s" in screen.getvalue()
