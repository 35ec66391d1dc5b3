"""`ethogram sweep`: try many settings and test the best one."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ethogram.cli import structured
from ethogram.cli.options import (
    EXIT_FAILED,
    budget_of,
    budget_options,
    command,
    console,
    is_silent,
    json_option,
    open_study,
    print_json,
    say_loading,
    say_waiting,
    shared_bar,
    study_option,
)
from ethogram.cli.placing import place_options

if TYPE_CHECKING:
    from ethogram.cluster import Placement
    from ethogram.study import OnProgress
    from ethogram.study import Progress as RunProgress
    from ethogram.study.sweeping.sweep import OnStage


@command(
    "sweep",
    "ethogram sweep v0.1.0 --set decoding.temperature=0.2:1.2:0.2",
    "ethogram sweep v0.1.0 --set decoding.top_p=0.8,0.9 --goal rep_4 --promote v0.2.0",
)
@click.argument("version")
@click.option(
    "--set",
    "axes",
    multiple=True,
    required=True,
    metavar="FIELD=VALUES",
    help="A field and the values to try: 0.8,0.9 or 0.2:1.2:0.2 (steps). A search also takes "
    "ranges: 0.2:1.2 or 0.001:0.1:log. Repeatable.",
)
@click.option(
    "--goal",
    "goals",
    multiple=True,
    metavar="METRIC[:higher|:lower]",
    help="A metric to improve. Repeatable. Default: those of `expect:`, else rep_4 and "
    "prompt_similarity.",
)
@click.option(
    "--search",
    type=click.Choice(["grid", "random", "tpe", "nsga2"]),
    default="grid",
    show_default=True,
    help="Try every combination, or draw --trials of them.",
)
@click.option(
    "--trials",
    type=click.IntRange(min=2),
    default=60,
    show_default=True,
    help="Number of settings that a search draws.",
)
@click.option(
    "-n",
    "--samples",
    type=click.IntRange(min=1),
    help="Samples per prompt. Default: the version's.",
)
@click.option(
    "--no-race", is_flag=True, help="Give every setting all samples; eliminate none early."
)
@click.option("--promote", metavar="VERSION", help="Write the choice as this new version.")
@click.option("--force", is_flag=True, help="Promote the choice even if it is not clearly better.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Write every setting and its values to this file, as JSON.",
)
@place_options
@budget_options
@study_option
@json_option
def sweep_command(
    version: str,
    axes: tuple[str, ...],
    goals: tuple[str, ...],
    search: str,
    trials: int,
    samples: int | None,
    no_race: bool,
    promote: str | None,
    force: bool,
    output: Path | None,
    placement: Placement | None,
    token_budget: int | None,
    money_budget: float | None,
    folder: Path,
    json_wanted: bool,
) -> None:
    """Try many settings and test the best one on held-out prompts.

    The settings are tried on one half of the prompts. The best one is compared with VERSION on
    the other half.
    """
    from ethogram.files import write_whole
    from ethogram.report.printing import json_text
    from ethogram.report.sweeps import print_sweep
    from ethogram.spec.space import parse_axis
    from ethogram.study import promote as write_version
    from ethogram.study import sweep
    from ethogram.study.sweeping.promote import check_name

    with open_study(folder) as study:
        if promote:
            check_name(study, promote)
        with _progress(quiet=json_wanted) as (on_progress, on_stage):
            landscape = sweep(
                study,
                version,
                [parse_axis(text) for text in axes],
                objectives=goals,
                search=search,  # type: ignore[arg-type]  # click's choice is the literal
                trials=trials,
                samples=samples,
                racing=not no_race,
                on_progress=on_progress,
                on_stage=on_stage,
                on_wait=say_waiting,
                on_load=say_loading(quiet=json_wanted),
                on=placement,
                budget=budget_of(token_budget, money_budget),
            )
        refused = bool(promote and landscape.doubt and not force)
        path = write_version(study, landscape, promote) if promote and not refused else None
    if output:
        write_whole(output, [json_text(landscape), "\n"])
    if json_wanted:
        print_json({**landscape.to_json(), "promoted": str(path) if path else None})
    else:
        print_sweep(console(), landscape)
    if refused:
        words = f"{promote} was not written: {landscape.doubt}; --force writes it"
        structured.say(words, "warning")
        sys.exit(EXIT_FAILED)
    if json_wanted:
        return
    click.echo(f"Stored as sweep {landscape.id}: `ethogram ui` shows it at #/sweep/{landscape.id}")
    if path:
        click.echo(f"Wrote {path}. Next: ethogram run {promote}")
    if output:
        click.echo(f"Wrote {output}")


@contextmanager
def _progress(*, quiet: bool) -> Iterator[tuple[OnProgress | None, OnStage | None]]:
    """The callbacks that draw one bar a look, over all settings of it together."""
    if is_silent(quiet=quiet):
        yield None, None
        return
    from ethogram.report.bar import speed_note

    title = ""

    def stage(words: str) -> None:
        nonlocal title
        title = words

    with shared_bar(quiet=quiet) as bar:

        def update(now: RunProgress) -> None:
            bar.update(title, now.spent, now.allowance, speed_note(now))

        yield update, stage
