"""Pages that are written from the code say what the code says."""

from __future__ import annotations

from scripts.metrics_page import PAGE, page


def test_the_metrics_page_is_that_of_the_code() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: make docs"
