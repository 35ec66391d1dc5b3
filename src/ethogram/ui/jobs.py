"""Jobs: long work that the server owns. A tab may close, reload or lose its connection meanwhile.

A job runs in a thread. What it has made so far (progress, rows, texts of lanes) is kept whole in
the job, and every addition is also an event: a tab reads a job once and then follows the events.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import JsonValue

from ethogram.errors import EthogramError
from ethogram.ui.events import Event, Events
from ethogram.ui.models import Answer, Text, clean

State = Literal["running", "done", "failed", "stopped"]
#: Finished jobs that are kept.
KEPT = 50
#: Seconds between two events of a job's progress, and of one lane's text.
PROGRESS_SECONDS, TEXT_SECONDS = 0.1, 0.05


class JobStoppedError(Exception):
    """Raised in a job's thread once somebody asked it to stop."""


class JobInfo(Answer):
    """A job, without what it made.

    Attributes:
        id: random.
        kind: what it does, such as `run`.
        title: for people.
        state: running, done, failed or stopped.
        words: what it is doing now, or why it failed.
        done: units of work done.
        total: units of work; None if nobody knows.
        rate: units a second; None before the first.
        seconds_left: at that rate; None if nobody knows.
        started_at: UTC, ISO 8601.
        finished_at: the same; None while it runs.
        result: what it returned.
    """

    id: str
    kind: str
    title: Text
    state: State
    words: Text = ""
    done: int = 0
    total: int | None = None
    rate: float | None = None
    seconds_left: float | None = None
    started_at: str
    finished_at: str | None = None
    result: JsonValue = None


class JobDetail(Answer):
    """A job with all that it made so far.

    Attributes:
        job: the job.
        lanes: name of a lane to its text so far.
        rows: in order; what they hold is up to the kind of job.
    """

    job: JobInfo
    lanes: dict[str, Text]
    rows: list[JsonValue]


class JobChanged(Event):
    """A job began, progressed or ended."""

    type: Literal["job"] = "job"
    job: JobInfo


class JobText(Event):
    """A lane's text grew.

    Attributes:
        at: characters that it had before. A tab whose text is longer already has this part.
    """

    type: Literal["job_text"] = "job_text"
    id: str
    lane: str
    at: int
    text: Text


class JobRow(Event):
    """A job has one more row.

    Attributes:
        index: its place, from 0.
    """

    type: Literal["job_row"] = "job_row"
    id: str
    index: int
    row: JsonValue


class Job:
    """One running or finished job; its thread calls these methods to say what it does.

    Args:
        events: where additions are published.
        kind: what it does.
        title: for people.
        clock: seconds.
    """

    def __init__(
        self, events: Events, kind: str, title: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.id, self.kind, self.title = secrets.token_hex(6), kind, title
        self._events, self._clock = events, clock
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._state: State = "running"
        self._words, self._done, self._total = "", 0, None
        self._began, self._said = clock(), -1.0
        self._started_at, self._finished_at = _now(), None
        self._result: Any = None
        self._lanes: dict[str, _Lane] = {}
        self._rows: list[Any] = []

    _words: str
    _total: int | None
    _finished_at: str | None

    @property
    def info(self) -> JobInfo:
        """The job as it is now."""
        seconds = self._clock() - self._began
        rate = self._done / seconds if self._done and seconds > 0 else None
        known = rate and self._total and self._state == "running"
        return JobInfo(
            id=self.id,
            kind=self.kind,
            title=self.title,
            state=self._state,
            words=self._words,
            done=self._done,
            total=self._total,
            rate=rate,
            seconds_left=(self._total - self._done) / rate if known else None,  # type: ignore[operator]
            started_at=self._started_at,
            finished_at=self._finished_at,
            result=self._result,
        )

    @property
    def detail(self) -> JobDetail:
        """The job with all that it made."""
        with self._lock:
            lanes = {name: lane.text for name, lane in self._lanes.items()}
            return JobDetail(job=self.info, lanes=lanes, rows=list(self._rows))

    @property
    def is_running(self) -> bool:
        """Whether it has not ended yet."""
        return self._state == "running"

    @property
    def is_stopping(self) -> bool:
        """Whether it should end soon."""
        return self._stop.is_set()

    def stop(self) -> None:
        """Ask it to end; it does at its next call of a method."""
        self._stop.set()

    def check(self) -> None:
        """End the job here if it should stop.

        Raises:
            JobStoppedError: it should.
        """
        if self._stop.is_set():
            raise JobStoppedError

    def progress(self, done: int, total: int | None = None, words: str | None = None) -> None:
        """Say how far it is.

        Raises:
            JobStoppedError: it should stop.
        """
        self.check()
        changed = words is not None and words != self._words
        self._done, self._total = done, total
        self._words = self._words if words is None else words
        if changed or done == total or self._clock() - self._said >= PROGRESS_SECONDS:
            self._publish()

    def say(self, words: str) -> None:
        """Say what it is doing now.

        Raises:
            JobStoppedError: it should stop.
        """
        self.check()
        self._words = words
        self._publish()

    def write(self, lane: str, text: str) -> None:
        """Add text to a lane.

        Raises:
            JobStoppedError: it should stop.
        """
        self.check()
        with self._lock:
            found = self._lanes.setdefault(lane, _Lane())
            found.text += clean(text)
            if self._clock() - found.sent_at >= TEXT_SECONDS:
                self._send(lane, found)

    def add(self, row: Any) -> None:
        """Add a row, which JSON can hold.

        Raises:
            JobStoppedError: it should stop.
        """
        self.check()
        with self._lock:
            self._rows.append(row)
            self._events.publish(JobRow(id=self.id, index=len(self._rows) - 1, row=row))

    def end(self, state: State, words: str = "", result: Any = None) -> None:
        """Record how it ended."""
        with self._lock:
            for name, lane in self._lanes.items():
                self._send(name, lane)
        self._state, self._result = state, result
        self._words = words or self._words
        self._finished_at = _now()
        self._publish()

    def _send(self, name: str, lane: _Lane) -> None:
        new = lane.text[lane.sent :]
        if new:
            self._events.publish(JobText(id=self.id, lane=name, at=lane.sent, text=new))
            lane.sent, lane.sent_at = len(lane.text), self._clock()

    def _publish(self) -> None:
        self._said = self._clock()
        self._events.publish(JobChanged(job=self.info))


class _Lane:
    """A growing text, how much of it was sent, and when."""

    def __init__(self) -> None:
        self.text, self.sent, self.sent_at = "", 0, -1.0


class Jobs:
    """The jobs of one server.

    Args:
        events: where they are announced.
    """

    def __init__(self, events: Events) -> None:
        self._events = events
        self._jobs: dict[str, Job] = {}
        self._threads: dict[str, threading.Thread] = {}
        self._lock = threading.Lock()

    def start(self, kind: str, title: str, work: Callable[[Job], Any]) -> JobInfo:
        """Begin a job.

        Args:
            kind: what it does, such as `run`.
            title: for people.
            work: called with the job in a thread of its own. Returns what JSON can hold. An
                `EthogramError` ends the job as failed with its one line.
        """
        job = Job(self._events, kind, title)
        thread = threading.Thread(target=_run, args=(job, work), name=f"job-{kind}", daemon=True)
        with self._lock:
            self._forget()
            self._jobs[job.id], self._threads[job.id] = job, thread
        self._events.publish(JobChanged(job=job.info))
        thread.start()
        return job.info

    def get(self, job_id: str) -> Job | None:
        """A job by its id; None if it is unknown."""
        return self._jobs.get(job_id)

    def all(self) -> list[JobInfo]:
        """All jobs, newest first."""
        return [job.info for job in reversed(self._jobs.values())]

    def close(self, seconds: float = 10.0) -> None:
        """Stop all jobs and wait for them; what they stored stays."""
        for job in list(self._jobs.values()):
            job.stop()
        until = time.monotonic() + seconds
        for thread in list(self._threads.values()):
            thread.join(max(0.0, until - time.monotonic()))

    def _forget(self) -> None:
        ended = [name for name, job in self._jobs.items() if not job.is_running]
        for name in ended[: max(0, len(ended) - KEPT + 1)]:
            del self._jobs[name], self._threads[name]


def _run(job: Job, work: Callable[[Job], Any]) -> None:
    try:
        result = work(job)
    except JobStoppedError:
        job.end("stopped", "stopped; what was made is stored")
    except EthogramError as error:
        job.end("failed", str(error))
    except Exception as error:
        job.end("failed", f"unexpected {type(error).__name__}: {error}")
    else:
        job.end("done", result=result)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
