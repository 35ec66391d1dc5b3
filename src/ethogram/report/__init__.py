"""PROGRESS.md and terminal tables: what the store shows, written down."""

from ethogram.report.claims import Entry, entries
from ethogram.report.examples import Example
from ethogram.report.log import Log, log
from ethogram.report.progress import Problem, Verification, verify, write_progress

__all__ = [
    "Entry",
    "Example",
    "Log",
    "Problem",
    "Verification",
    "entries",
    "log",
    "verify",
    "write_progress",
]
