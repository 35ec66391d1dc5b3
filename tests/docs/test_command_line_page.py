"""docs/command-line.md says what `--help` says."""

from __future__ import annotations

from scripts.command_line_page import PAGE, page


def test_the_page_is_that_of_the_help() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python scripts/command_line_page.py"
