"""Differences in a terminal: grouped by verdict, clear changes first; no word is cut."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ethogram.report.printing import NAME_WIDTH, filled, wrapped
from ethogram.study.headline import CLEAR, HEADINGS, SAME, by_verdict, doubt, in_words
from ethogram.study.numbers import (
    difference_in,
    interval_in,
    is_percentage,
    p_value,
    signed,
    value_in,
)

if TYPE_CHECKING:
    from rich.console import Console

    from ethogram.stats import Coupling, Superiority
    from ethogram.study.difference import Difference

COLOUR = {"better": "green", "worse": "red", "changed": "yellow"}
_CLEAR = tuple(HEADINGS[verdict] for verdict in CLEAR)
#: Columns of "Perhaps changed", the longest heading, and the space after it.
_HEADING_WIDTH = 17


def colour(item: Difference) -> str:
    """The colour of a verdict; what is not clear is dim. The word says the same."""
    return COLOUR[item.verdict.removeprefix("perhaps ")] if item.is_clear else "dim"


def print_headline(console: Console, items: Iterable[Difference]) -> None:
    """The verdicts in words, a line each: what changed clearly, and what may have."""
    from rich.text import Text

    groups = by_verdict(items)
    if not any(heading in groups for heading in _CLEAR):
        console.print(Text("Nothing changed clearly.", style="bold"))
    for heading, members in groups.items():
        lines = wrapped(in_words(heading, members), console.width - _HEADING_WIDTH)
        for number, line in enumerate(lines):
            label = heading if number == 0 else ""
            style = f"bold {colour(members[0])}" if heading in _CLEAR else ""
            text = Text(label.ljust(_HEADING_WIDTH), style=style)
            console.print(text.append(line, style="default not bold"))


def print_differences(
    console: Console, items: Sequence[Difference], *, everything: bool = True
) -> None:
    """The differences with their intervals, under the heading of their verdict.

    Args:
        console: where.
        items: the differences.
        everything: also show metrics without a clear change; metrics that are the same on every
            prompt are named below the table.
    """
    from rich.text import Text

    groups = by_verdict(items)
    same = groups.pop(SAME, [])
    if not everything:
        groups = {
            heading: members
            for heading, members in groups.items()
            if heading in _CLEAR or heading.startswith("Perhaps")
        }
    shown = [item for members in groups.values() for item in members]
    if shown:
        lines = _lines(shown)
        widths = _widths(lines, console.width)
        console.print(Text(_aligned(lines[0], widths), style="dim"))
        rows = iter(lines[1:])
        for heading, members in groups.items():
            console.print(Text(heading, style=f"bold {colour(members[0])}"))
            for item in members:
                _print_row(console, next(rows), widths, item)
    if everything and same:
        console.print(_wrapped(console, f"{SAME}: {in_words(SAME, same)}"))
    for note in _notes(shown):
        console.print(_wrapped(console, note))


def _lines(items: Sequence[Difference]) -> list[list[str]]:
    lines = [["", "before", "after", "difference", "95 % interval", "n"]]
    for item in items:
        unit = item.metric.unit
        lines.append(
            [
                item.metric.title,
                value_in(unit, item.before),
                value_in(unit, item.after),
                difference_in(unit, item.estimate),
                interval_in(unit, item.low, item.high) + (" ?" if doubt(item) else "  "),
                str(item.test.prompts),
            ]
        )
    return lines


def _widths(lines: Sequence[Sequence[str]], width: int) -> list[int]:
    """Columns of each; a long name gives way and wraps between its words."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    room = width - sum(widths[1:]) - 2 * len(widths)
    widths[0] = max(min(widths[0], room), NAME_WIDTH)
    return widths


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    first = f"  {cells[0].ljust(widths[0])}"
    rest = (cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True))
    return "  ".join([first, *rest]).rstrip()


def _print_row(
    console: Console, cells: Sequence[str], widths: Sequence[int], item: Difference
) -> None:
    from rich.text import Text

    name = wrapped(cells[0], widths[0])
    console.print(Text(_aligned([name[0], *cells[1:]], widths)))
    for line in name[1:]:
        console.print(Text(f"  {line}"))
    if words := doubt(item):
        console.print(_wrapped(console, words, indent="      "))


def _wrapped(console: Console, words: str, indent: str = "") -> object:
    from rich.text import Text

    lines = filled(words, console.width, indent=indent, hanging=f"{indent}  ")
    return Text(lines, style="dim")


def _notes(items: Sequence[Difference]) -> list[str]:
    """What the numbers of a table mean, as far as they occur."""
    if not items:
        return []
    notes = ["n: prompts to which the metric applies"]
    if any(is_percentage(item.metric.unit) for item in items):
        notes.append("differences of percentages are in points")
    return ["; ".join(notes) + "."]


def print_details(console: Console, items: Sequence[Difference]) -> None:
    """P-values, effect sizes, and what these prompts could have shown."""
    from rich.text import Text

    from ethogram.report.printing import text_table

    known = [item for item in items if not math.isnan(item.estimate)]
    coupled = any(not item.test.coupling.unknown for item in known)
    more = ["coupled"] if coupled else []
    lines = [["", "p", "smallest", "effect", "higher", "prompts", "samples", *more]]
    for item in known:
        needed = item.needed
        row = [
            item.metric.title,
            p_value(item.p_adjusted),
            difference_in(item.metric.unit, item.test.minimum_detectable).removeprefix("+"),
            signed(item.test.effect),
            _share(item.test.superiority),
            "–" if needed.prompts is None else str(needed.prompts),
            "–" if needed.samples is None else str(needed.samples),
        ]
        lines.append([*row, *([_ratio(item.test.coupling)] if coupled else [])])
    if coupled and _columns(lines) > console.width:
        # A terminal of 80 columns has no room for the interval of a ratio.
        lines = [[*line[:-1], line[-1].split(" [")[0]] for line in lines]
    right = range(1, len(lines[0]))
    console.print(Text(text_table(lines, right=right, width=console.width, wrap=0)))
    explained = [
        "p: probability of a difference this large by chance (permutation test, adjusted for the "
        "number of metrics); a clear change needs both p and interval",
        "smallest: true difference that these prompts find with 80 % power",
        "effect: mean difference over prompts in standard deviations",
        "higher: share of output pairs for one prompt in which the second scores higher; * of "
        "pairs that share their noise",
        "prompts, samples: how many find a difference of this size with 80 % power",
    ]
    if coupled:
        explained.append(
            "coupled: variance of differences with shared noise, divided by that with "
            "independent noise"
        )
    for words in explained:
        console.print(_wrapped(console, words))


def _columns(lines: Sequence[Sequence[str]]) -> int:
    """Columns of a table whose names take as few as they can."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return min(widths[0], NAME_WIDTH) + sum(widths[1:]) + 2 * (len(widths) - 1)


def _ratio(found: Coupling) -> str:
    if found.unknown:
        return "–"
    return f"{found.ratio:.2f} [{found.low:.2f}, {found.high:.2f}]"


def _share(superiority: Superiority) -> str:
    """Share of pairs; a coupled one is never shown without its mark."""
    if not math.isnan(superiority.ordinary):
        return f"{superiority.ordinary:.0%}"
    return "–" if math.isnan(superiority.coupled) else f"{superiority.coupled:.0%}*"
