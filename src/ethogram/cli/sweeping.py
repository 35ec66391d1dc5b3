"""The command that searches a space of settings."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ethogram.cli.common import (
    console,
    json_option,
    loading_teller,
    open_study,
    print_json,
    study_option,
    tell_waiting,
)

if TYPE_CHECKING:
    from ethogram.study import OnProgress
    from ethogram.study import Progress as RunProgress
    from ethogram.study.sweeping.sweep import OnStage


@click.command()
@click.argument("version")
@click.option(
    "--set",
    "axes",
    multiple=True,
    required=True,
    metavar="FIELD=VALUES",
    help="A field and what to try: 0.8,0.9 or 0.2:1.2:0.2 (steps), for a search also 0.2:1.2 or "
    "0.001:0.1:log (ranges); repeat it.",
)
@click.option(
    "--goal",
    "goals",
    multiple=True,
    metavar="METRIC[:higher|:lower]",
    help="A metric to make better; may be repeated. Default: what the version expects, else "
    "rep_4 and prompt_similarity.",
)
@click.option(
    "--search",
    type=click.Choice(["grid", "random", "tpe", "nsga2"]),
    default="grid",
    show_default=True,
    help="Every combination, or draw --trials of them.",
)
@click.option("--trials", type=click.IntRange(min=2), default=60, show_default=True)
@click.option(
    "--samples", type=click.IntRange(min=1), help="Per prompt. Default: as the version says."
)
@click.option("--no-race", is_flag=True, help="Give every setting all samples.")
@click.option("--promote", metavar="VERSION", help="Write the choice as this new version.")
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    help="Write the whole landscape to this file as JSON.",
)
@study_option
@json_option
def sweep(
    version: str,
    axes: tuple[str, ...],
    goals: tuple[str, ...],
    search: str,
    trials: int,
    samples: int | None,
    no_race: bool,
    promote: str | None,
    output: Path | None,
    folder: Path,
    as_json: bool,
) -> None:
    """Try many settings of VERSION, find the best trade-offs, prove one on held-out prompts."""
    from ethogram.files import write_whole
    from ethogram.report.sweeps import print_sweep
    from ethogram.spec.space import parse_axis
    from ethogram.study import promote as write
    from ethogram.study import sweep as search_settings
    from ethogram.study.sweeping.promote import check_name

    with open_study(folder) as study:
        if promote:
            check_name(study, promote)
        with _progress(quiet=as_json) as (on_progress, on_stage):
            landscape = search_settings(
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
                on_wait=tell_waiting,
                on_load=loading_teller(quiet=as_json),
            )
        path = write(study, landscape, promote) if promote else None
    if output:
        write_whole(output, [json.dumps(landscape.to_json(), indent=2), "\n"])
    if as_json:
        print_json({**landscape.to_json(), "promoted": str(path) if path else None})
        return
    print_sweep(console(), landscape)
    if path:
        click.echo(f"Wrote {path}. Next: ethogram run {promote}")
    if output:
        click.echo(f"Wrote {output}")


@contextmanager
def _progress(*, quiet: bool) -> Iterator[tuple[OnProgress | None, OnStage | None]]:
    """One bar a look, over all settings of it together."""
    if quiet:
        yield None, None
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[state]}"),
        TimeRemainingColumn(elapsed_when_finished=True),
    )
    bar = Progress(*columns, console=console(stderr=True))
    title = ""

    def stage(words: str) -> None:
        nonlocal title
        title = words

    def update(now: RunProgress) -> None:
        bar.start()  # Only now: an empty bar would leave a blank line before an error.
        open_tasks = [task for task in bar.tasks if task.description == title]
        task = open_tasks[-1].id if open_tasks else bar.add_task(title, total=1, state="")
        speed = f"  {now.tokens / now.seconds:.0f} tokens/s" if now.tokens else ""
        bar.update(
            task,
            completed=now.spent,
            total=now.allowance,
            state=f"{now.done}/{now.total}{speed}",
        )

    try:
        yield update, stage
    finally:
        if bar.tasks:
            bar.stop()
