"""Sweeps: a result as a table of its front and the holdout test of its choice, for a terminal."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from ethogram.report.differences import print_differences
from ethogram.report.printing import filled
from ethogram.study.numbers import number

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from ethogram.study.sweeping.result import SweepResult, Trial

#: Columns of a terminal that a heading of an objective takes at most, and a setting at least.
_OBJECTIVE_WIDTH, _SETTING_WIDTH = 17, 20


def print_sweep(console: Console, result: SweepResult) -> None:
    """What was tried, the front, the choice, and whether it beats the parent."""
    from rich.text import Text

    tried = len(result.trials)
    line = f"{tried} settings of {result.base}"
    if result.requested > tried:
        line += f" ({result.requested} requested; the others behave the same as one of these)"
    if result.eliminated:
        line += f", {len(result.eliminated)} eliminated early"
    console.print(line, highlight=False)
    console.print(_front(result))
    if result.chosen:
        chosen = result.trial(result.chosen)
        words = filled(f"Chosen: {chosen.setting.words}", console.width, hanging="  ")
        console.print(Text(words, style="bold"))
        console.print(Text(filled(result.why, console.width, indent="  ", hanging="  ")))
    _print_holdout(console, result)
    line = f"{result.generations} generations made in {result.seconds:.0f} s"
    if result.tokens:
        line += f", {result.tokens / result.seconds:.0f} tokens/s"
        shared = result.computed.merged_share
        line += f", {shared:.0%} shared with another sequence" if shared > 0.005 else ""
    console.print(line, highlight=False)


def _front(result: SweepResult) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(
        title="All settings, those on the Pareto front first",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    table.add_column("setting", overflow="fold", min_width=_SETTING_WIDTH)
    for objective in result.objectives:
        arrow = "higher" if objective.higher_is_better else "lower"
        heading = textwrap.fill(f"{objective.metric.title} ({arrow})", _OBJECTIVE_WIDTH)
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("on the\nfront", justify="right", no_wrap=True)
    parent = [number(result.base_values[objective.name]) for objective in result.objectives]
    table.add_row(Text(f"{result.base} (parent)"), *parent, "", style="dim")
    for trial in result.ranked:
        table.add_row(*_cells(trial, result), style=_style(trial, result))
    return table


def _cells(trial: Trial, result: SweepResult) -> list[str | Text]:
    from rich.text import Text

    values = [number(trial.values[objective.name]) for objective in result.objectives]
    share = "out early" if trial.eliminated_by else f"{trial.front_share:.0%}"
    return [Text(trial.setting.words), *values, share]


def _style(trial: Trial, result: SweepResult) -> str:
    if trial.name == result.chosen:
        return "bold"
    return "" if trial.on_front else "dim"


def _print_holdout(console: Console, result: SweepResult) -> None:
    from rich.text import Text

    holdout = result.holdout
    if holdout is None:
        return
    console.print(f"Against {result.base} on {holdout.prompts} held-out prompts", highlight=False)
    print_differences(console, holdout.differences)
    style = "green" if not result.doubt else "red" if holdout.worse else "yellow"
    console.print(Text(filled(result.verdict, console.width), style=style))
