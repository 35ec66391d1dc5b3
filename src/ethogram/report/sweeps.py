"""Sweeps: the Pareto front of a sweep and the proof of its choice, in a terminal."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from ethogram.report.differences import print_differences
from ethogram.study.numbers import number

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from ethogram.study.sweeping.landscape import Landscape, Point

#: Of a long front, the lines that a terminal shows; `--json` and `--output` hold all.
FRONT_LINES = 20
#: Columns of a terminal that a heading of a goal takes at most, and a setting at least.
_GOAL_WIDTH, _SETTING_WIDTH = 17, 20


def print_landscape(console: Console, landscape: Landscape) -> None:
    """What was tried, the front, the choice, and whether it beats the parent."""
    from rich.text import Text

    tried = len(landscape.points)
    line = f"{tried} settings of {landscape.base}"
    if landscape.asked > tried:
        line += f" ({landscape.asked} asked for; the others behave as one of these)"
    if landscape.dropped:
        line += f", {len(landscape.dropped)} dropped early"
    console.print(line, highlight=False)
    console.print(_front(landscape))
    left_out = len(landscape.front) - FRONT_LINES
    if left_out > 0:
        console.print(f"and {left_out} more on the front", highlight=False)
    if landscape.chosen:
        chosen = landscape.point(landscape.chosen)
        console.print(Text(f"Chosen: {chosen.setting.words}", style="bold"))
        console.print(Text(f"  {landscape.why}"))
    _print_proof(console, landscape)
    line = f"{landscape.generations} generations made in {landscape.seconds:.0f} s"
    if landscape.tokens:
        line += f", {landscape.tokens / landscape.seconds:.0f} tokens/s"
        shared = landscape.computed.merged_share
        line += f", {shared:.0%} shared with another sequence" if shared > 0.005 else ""
    console.print(line, highlight=False)


def _front(landscape: Landscape) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(title="Pareto front", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("setting", overflow="fold", min_width=_SETTING_WIDTH)
    for goal in landscape.goals:
        arrow = "higher" if goal.higher_is_better else "lower"
        heading = textwrap.fill(f"{goal.metric.title} ({arrow})", _GOAL_WIDTH)
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("on the\nfront", justify="right", no_wrap=True)
    parent = [number(landscape.base_values[goal.name]) for goal in landscape.goals]
    table.add_row(Text(f"{landscape.base} (parent)"), *parent, "", style="dim")
    for point in landscape.front[:FRONT_LINES]:
        table.add_row(*_cells(point, landscape), style=_style(point, landscape))
    return table


def _cells(point: Point, landscape: Landscape) -> list[str | Text]:
    from rich.text import Text

    values = [number(point.values[goal.name]) for goal in landscape.goals]
    return [Text(point.setting.words), *values, f"{point.front_share:.0%}"]


def _style(point: Point, landscape: Landscape) -> str:
    return "bold" if point.name == landscape.chosen else ""


def _print_proof(console: Console, landscape: Landscape) -> None:
    from rich.text import Text

    proof = landscape.confirmation
    if proof is None:
        return
    console.print(f"Against {landscape.base} on {proof.prompts} held-out prompts", highlight=False)
    print_differences(console, proof.differences)
    if proof.holds:
        names = ", ".join(difference.metric.title for difference in proof.better)
        console.print(Text(f"It beats {landscape.base} on {names}.", style="green"))
    elif proof.worse:
        names = ", ".join(difference.metric.title for difference in proof.worse)
        console.print(Text(f"It is worse than {landscape.base} on {names}.", style="red"))
    else:
        console.print(
            Text(
                f"It does not beat {landscape.base} clearly.",
                style="yellow",
            )
        )
