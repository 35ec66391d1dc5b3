"""Progress bars on standard error: the one place that draws them. Drawn on a terminal only."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any, Self

from ethogram.cores import Contention
from ethogram.report.printing import console

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.progress import Task
    from rich.text import Text

    from ethogram.study import Progress as RunProgress

#: Work that takes less than this many seconds shows no count.
_PATIENCE = 1.0
#: Seconds between two drawings of a count.
_PAUSE = 0.1
#: A machine is called busy where threads wait this share of the time that they could run, …
_BUSY = 0.2
#: … over at least so many seconds.
_BUSY_SECONDS = 3.0


class ProgressBar:
    """Bars that appear with their first update, one a task, and end with the `with` block.

    Args:
        quiet: draw nothing.
        transient: remove the bars at the end.
    """

    def __init__(self, *, quiet: bool = False, transient: bool = False) -> None:
        self._console = None if quiet else console(stderr=True)
        self._transient = transient
        self._bar: Any = None
        self._tasks: dict[str, Any] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
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
        if not self.visible:
            return
        if self._bar is None:
            # Only now: an empty bar would leave a blank line before an error.
            self._bar = _new_bar(self._console, self._transient)
            self._bar.start()
        if task not in self._tasks:
            self._tasks[task] = self._bar.add_task(task, total=total, note=note, timed=timed)
        self._bar.update(self._tasks[task], completed=done, total=total, note=note)


def _new_bar(console: Any, transient: bool) -> Any:
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
    from rich.text import Text

    class Remaining(TimeRemainingColumn):
        """Time left, for tasks that can tell it."""

        def render(self, task: Task) -> Text:
            return super().render(task) if task.fields["timed"] else Text()

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[note]}"),
        Remaining(elapsed_when_finished=True),
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
            begun[names] = 1 < len(names) < bar.free_lines - 1
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
            self._note = f"  machine busy ({waiting:.0%} waiting)" if waiting > _BUSY else ""
        return self._note


def speed_note(now: RunProgress) -> str:
    """Outputs done, and tokens per second."""
    speed = f"  {now.tokens / now.seconds:.0f} tokens/s" if now.tokens else ""
    return f"{now.done}/{now.total}{speed}"
