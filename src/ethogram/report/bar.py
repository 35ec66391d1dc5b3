"""Progress on standard error: bars on a terminal, else now and then a line."""

from __future__ import annotations

import sys
from threading import Event, Lock, Thread
from time import monotonic
from typing import TYPE_CHECKING, Any, Self, TextIO

from ethogram.cores import Contention

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console
    from rich.progress import Task
    from rich.text import Text

    from ethogram.study import Progress as RunProgress

#: Work that takes less than this many seconds shows no count.
_PATIENCE = 1.0
#: Seconds between two drawings of a count.
_PAUSE = 0.1
#: Without a terminal, a line comes after so many seconds, …
_SILENCE = 2.5
#: … and later after this part of the time passed, so that a day's run does not fill a log.
_RARER = 120
#: Versions with longer names (the changes of an ablation) get no bar of their own.
_NAME = 12
#: A machine is called busy where threads wait this share of the time that they could run, …
_BUSY = 0.2
#: … over at least so many seconds.
_BUSY_SECONDS = 3.0


class ProgressBar:
    """Bars that appear with their first update, one a task, and end with the `with` block.

    Where there is no terminal, a line on standard error says now and then how far things are, so
    that a log shows that the program works.

    Args:
        quiet: draw nothing.
        transient: remove the bars at the end.
    """

    def __init__(self, *, quiet: bool = False, transient: bool = False) -> None:
        # As it is now: libraries that talk too much have it redirected while they work.
        self._stream = sys.stderr
        self._console = None if quiet else _console(self._stream)
        self._transient = transient
        self._bar: Any = None
        self._tasks: dict[str, Any] = {}
        self._stage: str | None = None
        self._staged: Any = None
        self._began = self._since = self._spoke = monotonic()
        self._said = ""
        self._lock = Lock()
        self._ended = Event()
        self._watch: Thread | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        if self._watch is not None:
            self._watch.join()
        if self._bar is not None:
            self._bar.stop()

    @property
    def visible(self) -> bool:
        """Whether there is a terminal to draw on."""
        return self._console is not None and self._console.is_terminal

    @property
    def free_lines(self) -> int:
        """Lines of the terminal that no bar takes."""
        return self._console.height - len(self._tasks) if self._console else 0

    def stage(self, words: str) -> None:
        """Say what begins now and has no count; shown once it takes a while.

        It ends with the next stage or update, or where the words are empty.
        """
        if self._console is None:
            return
        if not words:
            self.end_stage()
            return
        with self._lock:
            self._drop_stage()
            self._stage, self._since, self._said = words, monotonic(), words
            self._start_watch()

    def end_stage(self) -> None:
        """What began last is over, and something else draws what follows."""
        with self._lock:
            self._drop_stage()
            self._said = ""
            if self._bar is not None and not self._tasks:  # It would draw over what follows.
                self._bar.stop()
                self._bar = None

    def update(
        self, task: str, done: float, total: float | None, note: str = "", *, timed: bool = True
    ) -> None:
        """Draw how far a task is.

        Args:
            task: what is done; a new one gets a new bar.
            done: of `total`.
            total: None if nobody knows.
            note: words behind the bar.
            timed: whether the time left is shown.
        """
        with self._lock:
            self._drop_stage()
            if timed:
                self._said = f"{task}: {note}"
            if not self.visible:
                if self._console is not None:
                    self._start_watch()
                return
            if task not in self._tasks:
                self._tasks[task] = self._started().add_task(
                    task, total=total, note=note, time="left" if timed else ""
                )
            self._bar.update(self._tasks[task], completed=done, total=total, note=note)

    def _started(self) -> Any:
        if self._bar is None:
            # Only now: an empty bar would leave a blank line before an error.
            self._bar = _new_bar(self._console, self._transient)
            self._bar.start()
        return self._bar

    def _start_watch(self) -> None:
        if self._watch is None:
            self._watch = Thread(target=self._look_after, daemon=True)
            self._watch.start()

    def _drop_stage(self) -> None:
        self._stage = None
        if self._staged is not None:
            self._bar.remove_task(self._staged)
            self._staged = None

    def _look_after(self) -> None:
        """Show stages that last, and speak where there is no terminal."""
        while not self._ended.wait(_PAUSE):
            with self._lock:
                now = monotonic()
                if self.visible:
                    late = self._staged is None and now - self._since > _PATIENCE / 2
                    if self._stage and late:
                        self._staged = self._started().add_task(
                            self._stage, total=None, note="", time="passed"
                        )
                elif self._said and now - self._spoke > max(_SILENCE, (now - self._began) / _RARER):
                    self._spoke = now
                    print(
                        f"{self._said} ({now - self._began:.0f} s)", file=self._stream, flush=True
                    )


def _console(stream: TextIO) -> Console:
    from rich.console import Console

    return Console(file=stream, highlight=False)


def _new_bar(console: Any, transient: bool) -> Any:
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
    from rich.text import Text

    class Time(TimeRemainingColumn):
        """Time left, for tasks that can tell it; time passed, for those that cannot."""

        def render(self, task: Task) -> Text:
            if task.fields["time"] == "left":
                return super().render(task)
            passed = f"{task.elapsed or 0:.0f} s" if task.fields["time"] == "passed" else ""
            return Text(passed, style="progress.elapsed")

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=20 if console.width >= 100 else 12),
        TextColumn("{task.fields[note]}"),
        Time(elapsed_when_finished=True),
        console=console,
        transient=transient,
    )


def count_updater(bar: ProgressBar, what: str) -> Callable[[int], None]:
    """Shows a growing count whose end is unknown, once the work takes a while."""
    began = shown = monotonic()

    def update(done: int) -> None:
        nonlocal shown
        now = monotonic()
        if now - began < _PATIENCE or now - shown < _PAUSE:
            return
        shown = now
        bar.update(what, done, None, f"{done}, {done / (now - began):.0f}/s", timed=False)

    return update


def run_updater(bar: ProgressBar) -> Callable[[RunProgress], None]:
    """Shows the versions that are generated together, and below them, where there is room, each.

    The first bar goes by tokens, the others by outputs: most outputs of one version end at once, so
    only the first can tell how long it will take.
    """
    begun: dict[tuple[str, ...], bool] = {}
    busy = Busy()

    def update(now: RunProgress) -> None:
        names = tuple(version.version for version in now.versions)
        if names not in begun:
            short = max(map(len, names)) <= _NAME
            begun[names] = short and 1 < len(names) < bar.free_lines - 1
        title = names[0] if len(names) == 1 else f"{len(names)} versions"
        bar.update(title, now.spent, now.allowance, speed_note(now) + busy.note())
        for version in now.versions if begun[names] else ():
            note = f"{version.done}/{version.total}"
            bar.update(f"  {version.version}", version.done, version.total, note, timed=False)

    return update


class Busy:
    """Says when other programs take the cores that a run could use.

    Args:
        clock: seconds.
        contention: how long this process's threads wait for a core.
    """

    def __init__(
        self, clock: Callable[[], float] = monotonic, contention: Contention | None = None
    ) -> None:
        self._clock, self._contention = clock, contention or Contention()
        self._looked, self._note = clock(), ""

    def note(self) -> str:
        """A few words while the threads wait much of their time, else nothing."""
        now = self._clock()
        if now - self._looked >= _BUSY_SECONDS:
            self._looked = now
            waiting = self._contention.share()
            self._note = f"  machine busy ({waiting:.0%})" if waiting > _BUSY else ""
        return self._note


def speed_note(now: RunProgress) -> str:
    """Outputs done, and tokens per second."""
    speed = f"  {now.tokens / now.seconds:.0f} tokens/s" if now.tokens else ""
    return f"{now.done}/{now.total}{speed}"
