"""JSON progress: what a bar would show, as events with fields, for programs that read the log."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Any

from ethogram.report.bar import ProgressBar

#: Seconds between two events of a task; its last one always comes.
PAUSE = 1.0


class JsonProgress(ProgressBar):
    """A bar that writes events.

    Args:
        write: called with the kind of an event and its fields.
        clock: seconds.
    """

    def __init__(self, write: Callable[..., None], clock: Callable[[], float] = monotonic) -> None:
        super().__init__(quiet=True)
        self._write, self._clock = write, clock
        self._written: dict[str, float] = {}

    @property
    def visible(self) -> bool:
        """Counts are wanted too."""
        return True

    def stage(self, words: str) -> None:
        """Write what begins now."""
        if words:
            self._write("stage", message=words)

    def update(
        self, task: str, done: float, total: float | None, note: str = "", *, timed: bool = True
    ) -> None:
        """Write how far a task is, now and then."""
        now = self._clock()
        is_due = now - self._written.get(task, float("-inf")) >= PAUSE
        if is_due or done == total:
            self._written[task] = now
            fields: dict[str, Any] = {"task": task, "done": done, "total": total}
            self._write("progress", **fields, note=note or None)
