"""Context: what every view of one server shares: the opened study, events and jobs."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ethogram.study.remarks import REMARKS_FILE
from ethogram.study.workspace import Study
from ethogram.ui.events import Events, StudyChanged
from ethogram.ui.jobs import Jobs
from ethogram.ui.model_host import ModelHost

#: Suffixes of files that make a study.
_WATCHED = (".yaml", ".yml", ".jsonl")


class Context:
    """The study that a server shows.

    Args:
        folder: of the study.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.events = Events()
        self.jobs = Jobs(self.events)
        self.models = ModelHost()
        #: Whether this process serves the page and does nothing else.
        self.owns_process = False
        #: Set when the server ends; threads of views end then.
        self.closed = threading.Event()
        self._lock = threading.RLock()
        self._study = Study(folder)
        self._seen = self._stamps()

    @property
    def name(self) -> str:
        """The study's name."""
        return self._study.name

    @contextmanager
    def study(self) -> Iterator[Study]:
        """The study as its files are now, for one reader at a time.

        Raises:
            SpecError: a file of the study is wrong; the page shows its one line.
        """
        with self._lock:
            stamps = self._stamps()
            if stamps != self._seen:
                self._study = self._study.reopened()
                self._seen = stamps
                self.events.publish(StudyChanged())
            yield self._study

    @contextmanager
    def own_study(self) -> Iterator[Study]:
        """The study opened once more, for a job: readers do not wait for it."""
        with Study(self.folder) as study:
            yield study

    def freeze(self) -> None:
        """Exempt what is loaded by now from garbage collection.

        A full collection looks at every object: modules, and after the findings the scores of all
        versions, for 200 ms in a study of 10⁶ outputs. Views that read many outputs cause one every
        few requests.
        """
        if self.owns_process:
            gc.freeze()

    def thaw(self) -> None:
        """Let it be collected again: the study changed, and what was read of it may be garbage."""
        if self.owns_process:
            gc.unfreeze()

    def close(self) -> None:
        """Stop the jobs, end the streams and close the store."""
        self.closed.set()
        self.jobs.close()
        self.events.close()
        self.models.close()
        with self._lock:
            self._study.close()

    def _stamps(self) -> dict[Path, tuple[int, int]]:
        """Time and size of each file that makes the study."""
        found = {}
        for folder in (self.folder, self.folder / "versions", self.folder / "suites"):
            if folder.is_dir():
                for path in folder.iterdir():
                    if path.suffix in _WATCHED and path.name != REMARKS_FILE:
                        stat = path.stat()
                        found[path] = stat.st_mtime_ns, stat.st_size
        return found
