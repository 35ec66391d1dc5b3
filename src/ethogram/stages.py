"""Stages: what long work is doing just now, for whoever listens.

They are records of the logger `ethogram.stage` at level INFO: `Fetching smollm2-135m-instruct`.
A record without words says that what began last is over.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_log = logging.getLogger("ethogram.stage")


def stage(words: str) -> None:
    """Say what begins now and may take seconds."""
    _log.info(words)


def over() -> None:
    """Say that what began last is over, where nothing else begins."""
    _log.info("")


@contextmanager
def listening(on_stage: Callable[[str], None]) -> Iterator[None]:
    """Call `on_stage` with every stage that begins inside the block, with "" when one is over."""

    class Listener(logging.Handler):
        """Hands records over as words."""

        def emit(self, record: logging.LogRecord) -> None:
            on_stage(record.getMessage())

    listener, level, spread = Listener(), _log.level, _log.propagate
    _log.addHandler(listener)
    _log.setLevel(logging.INFO)
    _log.propagate = False
    try:
        yield
    finally:
        _log.removeHandler(listener)
        _log.setLevel(level)
        _log.propagate = spread
