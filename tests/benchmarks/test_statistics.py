"""The statistics' benchmarks without their simulations: tables and the page they go to."""

from __future__ import annotations

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from benchmarks import calibration, coupling
from benchmarks.page import STATISTICS, replace
from benchmarks.simulated_studies import SETTINGS
from ethogram import stats
from ethogram.metrics.base import ratio


def test_a_table_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- x:begin -->\nold\n<!-- x:end -->\nafter\n")
    for _ in range(2):
        replace(page, "x", "| new |")
    assert page.read_text() == "before\n<!-- x:begin -->\n\n| new |\n\n<!-- x:end -->\nafter\n"
    with pytest.raises(ValueError, match="no place for y"):
        replace(page, "y", "")


def test_the_page_shows_the_stored_calibration() -> None:
    """The table of the documentation is the one of the results beside it."""
    import json

    rows = json.loads(calibration.RESULTS.read_text())["rows"]
    shown = calibration.table([calibration.Calibration(**row) for row in rows])
    assert shown in STATISTICS.read_text()


def test_coverage_is_counted_over_all_studies_and_over_those_not_marked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of 100 scripted studies 20 have no interval, 20 a marked one and 60 one to rely on."""
    scripted = {
        "none": SimpleNamespace(low=math.nan, high=math.nan, p=math.nan, reliable=False),
        "wrong, marked": SimpleNamespace(low=1.0, high=2.0, p=0.01, reliable=False),
        "wrong": SimpleNamespace(low=-2.0, high=-1.0, p=0.05, reliable=True),
        "right": SimpleNamespace(low=-1.0, high=1.0, p=0.9, reliable=True),
    }
    order = ["none", "wrong, marked", "wrong", "right", "right"]

    def paired(*_: Any, seed: int, **__: Any) -> SimpleNamespace:
        return scripted[order[seed % 5]]

    monkeypatch.setattr(calibration, "paired", paired)
    found = calibration.calibrate(SETTINGS[0], 2, 1, trials=100)
    assert (found.covered, found.rejected, found.reliable) == (60.0, 40.0, 60.0)
    assert found.covered_if_reliable == 66.7
    assert calibration.calibrate(SETTINGS[0], 2, 1, trials=80).covered_if_reliable is None
    cells = calibration.table([found]).splitlines()
    assert cells[0].split(" | ")[2:6] == ["covers", "p ≤ 0.05", "marked `?`", "covers where no `?`"]
    assert cells[2].split(" | ")[2:6] == ["60.0", "40.0", "40.0", "66.7"]


def test_an_interval_that_could_not_be_made_is_marked() -> None:
    one_prompt = np.ones((1, 3, 2))
    silent = np.zeros((30, 2, 2))
    for before, after in ((one_prompt, one_prompt), (silent, silent), (silent, silent + 1)):
        test = stats.paired(before, after, ratio)
        assert math.isnan(test.low)
        assert not test.reliable


def test_a_row_of_coupling_is_a_metric_a_column() -> None:
    row = {"task": "t", "other": "o", "ratio": 0.5, "low": 0.25, "high": 1.0}
    shown = coupling.table([{**row, "metric": "words"}, {**row, "metric": "rep_4"}])
    assert shown.splitlines()[0] == "| task | base against | words | rep_4 |"
    assert shown.splitlines()[2] == "| t | o | 0.50 [0.25, 1.00] | 0.50 [0.25, 1.00] |"
