"""What the commands share: options, an opened study, and ways to print a result."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import click

if TYPE_CHECKING:
    from rich.console import Console

    from ethogram.study import OnProgress, Study
    from ethogram.study import Progress as RunProgress

OnMeasured = Callable[[str, int, int | None], None]
OnLoad = Callable[[str], None]

#: A claim, check or contract failed.
EXIT_FAILED = 1

study_option = click.option(
    "--study",
    "folder",
    type=click.Path(path_type=Path),
    default=Path(),
    help="Folder of the study. Default: here.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of words.")


@contextmanager
def open_study(folder: Path) -> Iterator[Study]:
    """The study in a folder, closed at the end.

    Metrics that need a model tell on standard error how far they are, whatever the command prints.
    """
    from ethogram.study import Study

    with (
        measure_progress(quiet=False) as (on_measured, on_load),
        Study(folder, on_measured=on_measured, on_load=on_load) as study,
    ):
        yield study


@contextmanager
def measure_progress(*, quiet: bool) -> Iterator[tuple[OnMeasured | None, OnLoad | None]]:
    """What tells, on standard error, of models loaded for scoring and of outputs measured.

    The bar begins with the first model: what needs none is quick. It is drawn on a terminal only.
    """
    if quiet:
        yield None, None
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("measuring {task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(elapsed_when_finished=True),
    )
    bar = Progress(*columns, console=console(stderr=True), transient=True)
    tasks: dict[str, Any] = {}
    begun: set[str] = set()

    def load(name: str) -> None:
        if name in begun:
            return
        begun.add(name)
        click.echo(f"Loading {name} to measure with it", err=True)

    def measured(about: str, done: int, total: int | None) -> None:
        if not begun:
            return
        bar.start()
        if about not in tasks:
            tasks[about] = bar.add_task(about, total=total)
        bar.update(tasks[about], completed=done)

    try:
        yield measured, load
    finally:
        if tasks:  # A bar that never began would leave a blank line.
            bar.stop()


def console(*, stderr: bool = False) -> Console:
    """A rich console on standard output or error."""
    from rich.console import Console

    return Console(stderr=stderr)


def print_json(data: Any) -> None:
    """Print data as JSON."""
    click.echo(json.dumps(data, ensure_ascii=False, indent=2))


class Printable(Protocol):
    """What a verb returns that is words as much as data."""

    def to_json(self) -> Any:
        """Plain data."""

    def to_text(self) -> str:
        """Words."""


def print_result(result: Printable, *, as_json: bool) -> None:
    """Print a result as JSON or as words."""
    if as_json:
        print_json(result.to_json())
    else:
        click.echo(result.to_text())


def tell_waiting() -> None:
    """Say that another run has to finish first."""
    click.echo("Another run holds this study; waiting for it to finish.", err=True)


def loading_teller(*, quiet: bool) -> Callable[[str], None]:
    """What says which model is being loaded."""

    def tell(model: str) -> None:
        if not quiet:
            click.echo(f"Loading {model} (a built-in is fetched on first use)", err=True)

    return tell


@contextmanager
def run_progress(*, quiet: bool) -> Iterator[OnProgress | None]:
    """Live bars on standard error.

    One for the versions that are made together, with tokens per second and time left, by tokens;
    below it, if the terminal has the lines, one for each of them, by outputs.
    """
    if quiet:
        yield None
        return
    from rich.progress import BarColumn, Progress, Task, TextColumn, TimeRemainingColumn
    from rich.text import Text

    class Remaining(TimeRemainingColumn):
        """Time left of all together: the outputs of one version mostly end at once."""

        def render(self, task: Task) -> Text:
            return super().render(task) if task.fields["timed"] else Text()

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[state]}"),
        Remaining(elapsed_when_finished=True),
    )
    bar = Progress(*columns, console=console(stderr=True))
    together: dict[tuple[str, ...], Any] = {}
    each: dict[str, Any] = {}

    def begin(names: tuple[str, ...]) -> None:
        bar.start()  # Only now: an empty bar would leave a blank line before an error.
        title = names[0] if len(names) == 1 else f"{len(names)} versions"
        together[names] = bar.add_task(title, total=1, state="", timed=True)
        if 1 < len(names) < bar.console.height - len(bar.tasks):
            each.update(
                (name, bar.add_task(f"  {name}", total=1, state="", timed=False)) for name in names
            )

    def update(now: RunProgress) -> None:
        names = tuple(one.version for one in now.versions)
        if names not in together:
            begin(names)
        speed = f"  {now.tokens / now.seconds:.0f} tokens/s" if now.tokens else ""
        state = f"{now.done}/{now.total}{speed}"
        bar.update(together[names], total=now.allowance, completed=now.spent, state=state)
        for one in now.versions:
            if one.version in each:
                state = f"{one.done}/{one.total}"
                bar.update(each[one.version], total=one.total, completed=one.done, state=state)

    try:
        yield update
    finally:
        if together:
            bar.stop()


@contextmanager
def count_progress(what: str, *, quiet: bool) -> Iterator[Callable[[int], None] | None]:
    """A live count on standard error, where it is a terminal and the work takes a while.

    How many there will be is unknown, since they are read as they come.
    """
    err = console(stderr=True)
    if quiet or not err.is_terminal:
        yield None
        return
    from time import monotonic

    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    began = monotonic()
    bar = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        console=err,
        transient=True,
    )
    task = bar.add_task(what, total=None)
    shown = began

    def update(done: int) -> None:
        nonlocal shown
        now = monotonic()
        # Short work shows nothing; long work ten times a second, whatever its speed.
        if now - began < 1 or now - shown < 0.1:
            return
        shown = now
        bar.start()
        bar.update(task, description=f"{done} {what}, {done / (now - began):.0f}/s")

    try:
        yield update
    finally:
        bar.stop()
