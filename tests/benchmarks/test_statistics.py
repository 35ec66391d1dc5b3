"""The statistics' benchmarks without their simulations: tables and the page they go to."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import calibration, coupling
from benchmarks.page import STATISTICS, replace


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


def test_a_row_of_coupling_is_a_metric_a_column() -> None:
    row = {"task": "t", "other": "o", "ratio": 0.5, "low": 0.25, "high": 1.0}
    shown = coupling.table([{**row, "metric": "words"}, {**row, "metric": "rep_4"}])
    assert shown.splitlines()[0] == "| task | base against | words | rep_4 |"
    assert shown.splitlines()[2] == "| t | o | 0.50 [0.25, 1.00] | 0.50 [0.25, 1.00] |"
