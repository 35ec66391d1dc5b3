"""`ethogram plot`: a chart of the page as a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ethogram.cli.options import (
    command,
    console,
    json_option,
    open_study,
    print_json,
    study_option,
)

if TYPE_CHECKING:
    from ethogram.plots import Chart

_output = click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="File to write: .svg, .png, or .json for the Vega-Lite specification.",
)


def _options(function: Callable[..., Any]) -> Callable[..., Any]:
    return _output(study_option(json_option(function)))


@click.group("plot", epilog="\b\nExample:\n  ethogram plot compare v0.0.1 v0.1.0 -o change.svg")
def plot_group() -> None:
    """Write a chart of the page as SVG, PNG or Vega-Lite.

    SVG and PNG need the extra `plots`.
    """


@command(
    "compare",
    "ethogram plot compare v0.0.1 v0.1.0 -o change.svg",
    "ethogram plot compare v0.0.1 v0.1.0 -m words -o words.png",
)
@click.argument("before")
@click.argument("after")
@click.option(
    "-m", "--metric", default="", metavar="NAME", help="Default: the aim, else what changed most."
)
@_options
def compare_command(
    before: str, after: str, metric: str, output: Path, folder: Path, json_wanted: bool
) -> None:
    """Draw each prompt as a point: a metric for version BEFORE and for version AFTER."""
    from ethogram.report.charts import plot_comparison

    with open_study(folder) as study:
        chart = plot_comparison(study, before, after, metric)
    _write(chart, output, json_wanted=json_wanted)


@command(
    "sweep",
    "ethogram plot sweep -o heat.svg",
    "ethogram plot sweep 2 --kind front --x loop_rate --y words -o front.svg",
)
@click.argument("number", type=int, required=False)
@click.option(
    "--kind",
    type=click.Choice(["heat", "front", "parallel", "race"]),
    default="heat",
    show_default=True,
    help="A metric over two fields, two metrics with the Pareto front, parallel coordinates, or "
    "the race by rounds.",
)
@click.option("--x", default="", metavar="NAME", help="Field of a heat map, metric of a front.")
@click.option("--y", default="", metavar="NAME", help="The same, upwards.")
@click.option(
    "-m", "--metric", default="", metavar="NAME", help="Of the others. Default: an objective."
)
@click.option(
    "--fix",
    "fixed",
    multiple=True,
    metavar="FIELD=VALUE",
    help="A further field of a heat map. Repeatable. Default: the best setting.",
)
@_options
def sweep_command(
    number: int | None,
    kind: Any,
    x: str,
    y: str,
    metric: str,
    fixed: tuple[str, ...],
    output: Path,
    folder: Path,
    json_wanted: bool,
) -> None:
    """Draw sweep NUMBER, by default the newest."""
    from ethogram.report.charts import plot_sweep

    if wrong := next((each for each in fixed if "=" not in each), None):
        raise click.BadParameter(f"{wrong!r} is not FIELD=VALUE", param_hint="--fix")
    held = {field: value for field, _, value in (each.partition("=") for each in fixed)}
    with open_study(folder) as study:
        chart = plot_sweep(study, number, kind, x=x, y=y, metric=metric, fixed=held)
    _write(chart, output, json_wanted=json_wanted)


@command(
    "train",
    "ethogram plot train 3 -o loss.svg",
    "ethogram plot train 3 5 --quantity bits_per_byte --log -o both.png",
)
@click.argument("trainings", metavar="ID...", type=int, nargs=-1, required=True)
@click.option("--quantity", default="loss", show_default=True, help="What was measured.")
@click.option("--log", is_flag=True, help="Logarithmic axis of steps.")
@click.option(
    "--window",
    type=click.IntRange(min=1),
    metavar="N",
    help="Points whose mean is drawn. Default: 15; 1 smooths nothing.",
)
@_options
def train_command(
    trainings: tuple[int, ...],
    quantity: str,
    log: bool,
    window: int | None,
    output: Path,
    folder: Path,
    json_wanted: bool,
) -> None:
    """Draw curves of trainings over each other; `ethogram train --list` shows their ids."""
    from ethogram.report.charts import plot_training

    more = {} if window is None else {"window": window}
    with open_study(folder) as study:
        chart = plot_training(study, trainings, quantity, log=log, **more)
    _write(chart, output, json_wanted=json_wanted)


for each in (compare_command, sweep_command, train_command):
    plot_group.add_command(each)


def _write(chart: Chart, output: Path, *, json_wanted: bool) -> None:
    path = chart.save(output)
    if json_wanted:
        print_json({"path": str(path), "words": chart.words})
    else:
        console().print(
            f"{chart.words}\nWrote {path}.", markup=False, highlight=False, soft_wrap=True
        )
