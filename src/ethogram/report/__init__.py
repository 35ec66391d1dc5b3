"""PROGRESS.md, self-contained HTML, terminal tables: what the store shows, written down."""

from ethogram.report.claims import Entry, Example, entries
from ethogram.report.page import write_html
from ethogram.report.progress import Problem, verify_progress, write_progress

__all__ = [
    "Entry",
    "Example",
    "Problem",
    "entries",
    "verify_progress",
    "write_html",
    "write_progress",
]
