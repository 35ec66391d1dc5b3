"""What the commands share: options, an opened study, progress, and ways to print a result."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import click

from ethogram.cli import structured
from ethogram.cores import threads_to_use

if TYPE_CHECKING:
    from rich.console import Console

    from ethogram.backends import Budget
    from ethogram.report.bar import ProgressBar
    from ethogram.study import OnProgress, Study

OnMeasured = Callable[[str, int, int | None], None]
OnLoad = Callable[[str], None]

#: Where a command keeps its progress bar, in click's context.
_BAR = "ethogram.bar"
#: A claim, check or contract failed.
EXIT_FAILED = 1

study_option = click.option(
    "-C",
    "--study",
    "folder",
    metavar="FOLDER",
    type=click.Path(path_type=Path),
    default=Path(),
    help="Folder of the study. Default: the current one.",
)
json_option = click.option(
    "-j", "--json", "json_wanted", is_flag=True, help="Print JSON instead of text."
)


def budget_options(function: Callable[..., None]) -> Callable[..., None]:
    """`--token-budget` and `--money-budget`, for versions whose model is at an endpoint."""
    tokens = click.option(
        "--token-budget",
        type=click.IntRange(min=1),
        metavar="N",
        help="Most prompt and new tokens to spend at endpoints. Default: as in $ETHOGRAM_ENDPOINT.",
    )
    money = click.option(
        "--money-budget",
        type=click.FloatRange(min=0),
        metavar="X",
        help="Most money to spend there, by the prices in $ETHOGRAM_ENDPOINT.",
    )
    return tokens(money(function))


def budget_of(tokens: int | None, money: float | None) -> Budget:
    """What these options allow."""
    from ethogram.backends import Budget

    return Budget(tokens, money)


def metric_option(text: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """`-m NAME`, which can be repeated."""
    return click.option(
        "-m", "--metric", "metrics", metavar="NAME", multiple=True, help=f"{text} Repeatable."
    )


class _Command(click.Command):
    """Refuses a bad `ETHOGRAM_THREADS` before any work; most commands compute something."""

    def invoke(self, ctx: click.Context) -> Any:
        """Check the variable, then run the command."""
        threads_to_use()
        return super().invoke(ctx)


def command(name: str, *examples: str) -> Callable[[Callable[..., None]], click.Command]:
    """A command whose help ends with examples of its use."""
    lines = "\n".join(f"  {example}" for example in examples)
    heading = "Example" if len(examples) == 1 else "Examples"
    return click.command(name, cls=_Command, epilog=f"\b\n{heading}:\n{lines}")


@contextmanager
def open_study(folder: Path) -> Iterator[Study]:
    """The study in a folder, closed at the end.

    Meanwhile standard error shows what takes long: stages, and outputs measured by a model.
    """
    from ethogram.study import Study

    quiet = bool(click.get_current_context().params.get("json_wanted"))
    with (
        measure_progress(quiet=quiet) as (on_measured, on_load),
        Study(folder, on_measured=on_measured, on_load=on_load) as study,
    ):
        yield study


@contextmanager
def measure_progress(*, quiet: bool) -> Iterator[tuple[OnMeasured | None, OnLoad | None]]:
    """Callbacks for scoring: outputs measured, and a model being loaded.

    The bar begins with the first model, because metrics without one are quick.
    """
    loaded: set[str] = set()
    with shared_bar(quiet=quiet) as bar:

        def load(name: str) -> None:
            if name not in loaded:
                loaded.add(name)
                structured.say(f"Loading {name} to measure with it")

        def measured(about: str, done: int, total: int | None) -> None:
            if loaded:
                bar.update(f"measuring {about}", done, total, f"{done}/{total or '?'}")

        yield (None, None) if is_silent(quiet=quiet) else (measured, load)


@contextmanager
def shared_bar(*, quiet: bool) -> Iterator[ProgressBar]:
    """The bars of a command: two that draw at once would overwrite each other."""
    from ethogram.report.bar import ProgressBar
    from ethogram.stages import listening

    shared = click.get_current_context(silent=True)
    known = shared.meta.get(_BAR) if shared else None
    if known is not None:
        yield known
        return
    if structured.is_json():
        from ethogram.report.json_progress import JsonProgress

        fresh: ProgressBar = JsonProgress(structured.write_progress(sys.stderr))
    else:
        fresh = ProgressBar(quiet=quiet, transient=True)
    with fresh as bar, listening(bar.stage):
        if shared:
            shared.meta[_BAR] = bar
        try:
            yield bar
        finally:
            if shared:
                del shared.meta[_BAR]


def is_silent(*, quiet: bool) -> bool:
    """Whether no progress is wanted: with --json, unless the log is JSON too."""
    return quiet and not structured.is_json()


@contextmanager
def run_progress(*, quiet: bool) -> Iterator[OnProgress | None]:
    """The callback that draws how far a run is."""
    if is_silent(quiet=quiet):
        yield None
        return
    from ethogram.report.bar import run_updater

    with shared_bar(quiet=quiet) as bar:
        yield run_updater(bar)


@contextmanager
def count_progress(what: str, *, quiet: bool) -> Iterator[Callable[[int], None] | None]:
    """The callback that draws a count whose end is unknown."""
    from ethogram.report.bar import count_updater

    with shared_bar(quiet=quiet) as bar:
        yield count_updater(bar, what) if bar.visible else None


def console() -> Console:
    """A rich console on standard output."""
    from ethogram.report.printing import console

    return console()


def print_json(value: Any) -> None:
    """Print a result as JSON."""
    from ethogram.report.printing import json_text

    click.echo(json_text(value))


class Printable(Protocol):
    """A result that is words as much as data."""

    def to_json(self) -> Any:
        """Plain data."""

    def to_text(self) -> str:
        """Words."""


def print_result(result: Printable, *, json_wanted: bool) -> None:
    """Print a result as JSON or as words."""
    if json_wanted:
        print_json(result)
    else:
        click.echo(result.to_text())


def say_waiting() -> None:
    """Say that another run has to finish first."""
    structured.say("Another run holds this study; waiting for it to finish.")


def say_loading(*, quiet: bool) -> OnLoad:
    """The callback that says which model is being loaded."""
    from ethogram.stages import stage

    def say(model: str) -> None:
        if not is_silent(quiet=quiet):
            stage(f"Loading {model}")

    return say
