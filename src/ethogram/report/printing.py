"""Printing: how results become words, tables and JSON. The one place that knows a terminal."""

from __future__ import annotations

import json
import math
import re
import textwrap
from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

#: Least columns of a name before numbers, so that only long ones take two lines.
NAME_WIDTH = 15
#: Columns of a verdict whose words wrap: "no clear", "perhaps".
WORD_WIDTH = 8
#: A text beside others is cut to this many characters; `ethogram outputs` has all of it.
EXCERPT_CHARACTERS = 480
#: Spaces at which no line ends: before a percent sign, around an arrow, inside an interval.
_KEPT_TOGETHER = re.compile(r" (?=[%→])|(?<=→) |(?<=\(n) |(?<=\d,) (?=[+-]\d)")


def console(*, stderr: bool = False) -> Console:
    """A rich console on standard output or standard error."""
    from rich.console import Console

    return Console(stderr=stderr, highlight=False)


def as_json(value: Any) -> Any:
    """Plain data for JSON: dataclasses become objects; NaN and infinity become null.

    An object with a method `to_json` says itself what it is as data.
    """
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | int):
        return value
    if hasattr(value, "to_json"):
        return as_json(value.to_json())
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: as_json(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): as_json(item) for key, item in value.items()}
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "tolist"):  # numpy
        return as_json(value.tolist())
    return [as_json(item) for item in value]


def json_text(value: Any) -> str:
    """A value as indented JSON that any parser reads."""
    return json.dumps(as_json(value), ensure_ascii=False, indent=2, allow_nan=False)


def wrapped(words: str, width: int, *, indent: str = "", hanging: str = "") -> list[str]:
    """Words in lines of a terminal; a number stays beside its unit and a word is never divided.

    Args:
        words: one paragraph.
        width: columns; a single word that is longer is divided all the same.
        indent: before the first line.
        hanging: before the others.
    """
    joined = _KEPT_TOGETHER.sub("\u00a0", words)
    lines = textwrap.wrap(
        joined,
        max(20, width),
        initial_indent=indent,
        subsequent_indent=hanging,
        break_on_hyphens=False,
    )
    return [line.replace("\u00a0", " ") for line in lines] or [indent.rstrip()]


def filled(words: str, width: int, *, indent: str = "", hanging: str = "") -> str:
    """`wrapped` as one text."""
    return "\n".join(wrapped(words, width, indent=indent, hanging=hanging))


def text_table(
    lines: Sequence[Sequence[str]],
    *,
    right: Collection[int] = (),
    width: int | None = None,
    wrap: int | None = None,
) -> str:
    """Lines of cells as aligned plain text, two spaces between columns; the first is the heading.

    Args:
        lines: rows of equal length.
        right: columns whose cells are right-aligned: numbers.
        width: columns of the terminal, if the table has to fit.
        wrap: the column whose words continue on further lines where the table is too wide.
    """
    from textwrap import wrap as fold

    rows = [list(line) for line in lines]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    if width is not None and wrap is not None:
        over = sum(widths) + 2 * (len(widths) - 1) - width
        if over > 0:
            widths[wrap] = max(NAME_WIDTH, widths[wrap] - over)
    printed = []
    for row in rows:
        folded = fold(row[wrap], widths[wrap]) if wrap is not None else []
        for number in range(max(1, len(folded))):
            cells = [cell if number == 0 else "" for cell in row]
            if folded and wrap is not None:
                cells[wrap] = folded[number]
            printed.append(_aligned(cells, widths, right))
    return "\n".join(printed)


def _aligned(cells: Sequence[str], widths: Sequence[int], right: Collection[int]) -> str:
    return "  ".join(
        cell.rjust(width) if column in right else cell.ljust(width)
        for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ).rstrip()


def plain_table(first: str, *numbers: str, last: str = "") -> Table:
    """A rich table without lines: a name, numbers to the right, and words at the end."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False, pad_edge=False)
    table.add_column(first, overflow="fold", min_width=NAME_WIDTH)
    for heading in numbers:
        table.add_column(heading, justify="right", no_wrap=True)
    if last:
        # Words give way to numbers: they wrap between, never within.
        table.add_column(last, min_width=WORD_WIDTH)
    return table


def inactive(text: str) -> str:
    """Text without control characters, so that no output can drive the terminal; lines stay."""
    return "".join(each if each == "\n" or each.isprintable() else "�" for each in text)


def printable(text: str) -> str:
    """The same without white space at its ends."""
    return inactive(text).strip()


def excerpt(text: str, characters: int = EXCERPT_CHARACTERS) -> str:
    """The beginning of a text, without control characters; an empty one says so."""
    shown = printable(text)
    if len(shown) <= characters:
        return shown or "(empty)"
    kept = shown[: characters + 1]
    # Between words, unless there is no space near the end.
    space = max(kept.rfind(" "), kept.rfind("\n"))
    return kept[: space if space > characters // 2 else characters].rstrip() + " …"
