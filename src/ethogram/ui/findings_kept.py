"""The findings of all versions, made beside the requests and kept until the study changes.

A study of many versions takes seconds to read, and minutes where nobody tested its pairs yet. The
work is done in steps, between which other views are answered.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Literal

from ethogram.errors import EthogramError
from ethogram.report.claims import metrics_for
from ethogram.report.findings import find
from ethogram.study.aims import aim_metrics
from ethogram.study.columns import Against
from ethogram.study.difference import comparable
from ethogram.study.measure import measure, metric_names
from ethogram.study.stale import has_results, results_of
from ethogram.study.workspace import Study
from ethogram.ui.context import Context
from ethogram.ui.events import Event
from ethogram.ui.findings import FindingsInfo, findings_info

#: Seconds that an answer waits for findings that are being made: those of a small study come at
#: once, and a page need not show that it waits.
PATIENCE = 0.15
#: Seconds between two events of one reading.
_PAUSE = 0.25


class FindingsRead(Event):
    """How far the findings are; they can be loaded when all versions are read.

    Attributes:
        done: versions that were read.
        total: versions of the study.
        ready: whether they are made, or will not be: loading them says which.
    """

    type: Literal["findings"] = "findings"
    done: int
    total: int
    ready: bool


class KeptFindings:
    """The findings of the study that a server shows.

    Args:
        context: of the server.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._lock = threading.Lock()
        self._reading: _Reading | None = None

    def answer(self) -> FindingsInfo:
        """The findings as the study is now; where they are not made yet, how far they are.

        Raises:
            EthogramError: a file of the study is wrong, or outputs cannot be read.
            Exception: whatever else happened while they were made.
        """
        with self._lock:
            reading = self._reading
            if reading is None or reading.is_over(self._context):
                if reading:
                    self._context.thaw()
                reading = self._reading = _Reading(self._context)
                reading.start()
        return reading.answer()


class _Reading(threading.Thread):
    """Makes the findings once."""

    def __init__(self, context: Context) -> None:
        super().__init__(name="ethogram-findings", daemon=True)
        self._context = context
        self._ended = threading.Event()
        self._found: FindingsInfo | None = None
        self._error: Exception | None = None
        self._of: Any = None
        self._done, self._total = 0, 0

    def is_over(self, context: Context) -> bool:
        """Whether it ended, and was of another state of the study."""
        if not self._ended.is_set():
            return False
        with context.study() as study:
            return bool(_state(study) != self._of)

    def answer(self) -> FindingsInfo:
        """What it found, or how far it is."""
        self._ended.wait(PATIENCE)
        if self._error:
            raise self._error
        if self._found:
            return self._found
        return FindingsInfo.unread(self._done, self._total)

    def run(self) -> None:
        """Read every version, then find."""
        try:
            self._read_all()
            with self._context.study() as study:
                self._of = _state(study)
                self._found = findings_info(find(study, examples=False))
        except Exception as error:  # The request that asks next answers with it.
            self._error = error
            if not self._context.closed.is_set():
                with suppress(EthogramError), self._context.study() as study:
                    self._of = _state(study)
        finally:
            self._context.freeze()
            self._ended.set()
            self._tell(ready=True)

    def _read_all(self) -> None:
        with self._context.study() as study:
            names = list(study.versions)
            columns = metrics_for(study, names)
        self._total, last = len(names), time.monotonic()
        for self._done, name in enumerate(names):
            if self._context.closed.is_set():
                return
            self._read(name, columns)
            if time.monotonic() - last > _PAUSE:
                self._tell(ready=False)
                last = time.monotonic()
        self._done = self._total

    def _read(self, name: str, columns: Sequence[str]) -> None:
        """Read the scores of a version, and test it against its parent."""
        with self._context.study() as study:
            against = _against(study, name, columns)
            if against is None or against.is_tested:
                return
            against.prepare()
        _ = against.differences  # Not of the study: other views are answered meanwhile.

    def _tell(self, *, ready: bool) -> None:
        event = FindingsRead(done=self._done, total=self._total, ready=ready)
        self._context.events.publish(event)


def _against(study: Study, name: str, columns: Sequence[str]) -> Against | None:
    """A version against its parent; None without one that it can be compared with.

    Args:
        study: opened.
        name: of the version.
        columns: metrics that the findings need of every version.
    """
    if name not in study.versions or not has_results(study, name):
        return None
    parent = study.versions[name].parent
    sides = [name, *([parent] if parent in study.versions and has_results(study, parent) else [])]
    scores = {side: measure(study, side, columns, accept="earlier") for side in sides}
    if len(sides) < 2 or parent is None or not comparable(scores[parent], scores[name]):
        return None
    metrics = dict.fromkeys([*metric_names(study), *aim_metrics(study, name)])
    return Against(study, parent, name, scores[parent], scores[name], list(metrics))


def _state(study: Study) -> tuple[Study, list[tuple[str, tuple[str, ...], str]]]:
    """What the findings follow from: the files, as opened, and which outputs are stored."""
    results = [(name, results_of(study, name)) for name in study.versions]
    return study, [(name, each.identities, each.stale) for name, each in results]
