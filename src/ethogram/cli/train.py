"""`ethogram train`: train the models that recipes describe."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from ethogram.cli import structured
from ethogram.cli.options import (
    command,
    console,
    json_option,
    open_study,
    print_json,
    shared_bar,
    study_option,
)
from ethogram.cli.placing import place_options
from ethogram.cluster import Placement

_INTERRUPTED = 130


@command(
    "train",
    "ethogram train base.yaml --dry-run",
    "ethogram train base.yaml",
    "ethogram train rlhf.yaml --seed 1 --seed 2",
    "ethogram train --list",
    "ethogram train --compare a.yaml b.yaml",
)
@click.argument("recipes", nargs=-1, type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Stop after the plan; a step is timed for it.")
@click.option(
    "--list", "list_wanted", is_flag=True, help="Show the recorded trainings; train nothing."
)
@click.option(
    "--compare",
    "compare_wanted",
    is_flag=True,
    help="Compare two recipes by the versions of their seeds; train nothing.",
)
@click.option(
    "--seed",
    "seeds",
    metavar="N",
    type=click.IntRange(0),
    multiple=True,
    help="Train with this seed in place of the recipe's. Repeatable.",
)
@click.option("--device", help="Device of torch. Default: the first CUDA device, else cpu.")
@click.option(
    "--processes",
    metavar="N",
    type=click.IntRange(1),
    help="Refuse to start unless the launcher (torchrun) started N processes.",
)
@click.option(
    "--report-to",
    metavar="NAME",
    help="Also report to a tracker that transformers knows, such as trackio or wandb.",
)
@place_options
@study_option
@json_option
def train_command(
    recipes: tuple[Path, ...],
    dry_run: bool,
    list_wanted: bool,
    compare_wanted: bool,
    seeds: tuple[int, ...],
    device: str | None,
    processes: int | None,
    report_to: str | None,
    placement: Placement | None,
    folder: Path,
    json_wanted: bool,
) -> None:
    """Train what recipes describe: a model and the version that names it.

    Prints the plan, curves while it trains, and what came out. A finished training is not repeated;
    one that was killed continues from its last checkpoint.
    """  # fmt: skip
    if list_wanted:
        _list(folder, json_wanted)
        return
    if not recipes:
        raise click.UsageError("name a recipe file, or use --list")
    if placement and (processes or (placement.workers or 1) > 1):
        raise click.UsageError("--on trains on one worker: leave out --workers and --processes")
    if compare_wanted:
        _compare(folder, recipes, json_wanted)
        return
    from ethogram.report.training import LiveTraining
    from ethogram.train import train

    done: list[Any] = []
    with (
        open_study(folder) as study,
        shared_bar(quiet=json_wanted) as bar,
        LiveTraining(console(), bar=bar) as live,
    ):
        on_event = _log_event if structured.is_json() else None if json_wanted else live
        try:
            for recipe in recipes:
                path = recipe if recipe.exists() else folder / recipe
                done += train(
                    study,
                    path,
                    dry_run=dry_run,
                    on_event=on_event,
                    seeds=seeds or None,
                    device=device,
                    processes=processes,
                    report_to=report_to,
                    on=placement,
                )
        except KeyboardInterrupt as error:
            live.__exit__()
            structured.say(_interrupted(live.step, live.steps), "interrupted")
            sys.exit(getattr(error, "exit_code", _INTERRUPTED))  # SIGTERM has a code of its own.
    if json_wanted:
        print_json(done)


def _log_event(event: Any) -> None:
    """An event of a training as a line of the log."""
    from ethogram.report.printing import as_json

    fields = {"what": type(event).__name__.lower(), "training": as_json(event)}
    click.echo(structured.event("training", **fields), err=True)


def _interrupted(step: int, steps: int) -> str:
    where = f" at step {step} of {steps}" if steps else ""
    return (
        f"ethogram: interrupted{where}; the same command continues from the last checkpoint"
        if step
        else "ethogram: interrupted before the first step; nothing was changed"
    )


def _compare(folder: Path, recipes: tuple[Path, ...], json_wanted: bool) -> None:
    from ethogram.report.recipes import print_recipes
    from ethogram.train import compare_recipes

    if len(recipes) != 2:
        raise click.UsageError("--compare takes two recipe files")
    before, after = (path if path.exists() else folder / path for path in recipes)
    with open_study(folder) as study:
        found = compare_recipes(study, before, after)
    if json_wanted:
        print_json(found)
    else:
        print_recipes(console(), found)


def _list(folder: Path, json_wanted: bool) -> None:
    from ethogram.report.training import print_trainings
    from ethogram.train.recorded import recorded

    with open_study(folder) as study:
        found = recorded(study)
    if json_wanted:
        print_json(found)
    else:
        print_trainings(console(), found)
