"""Cells: the rows of CSV and tab-separated files; a bad one does not end the reading."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ethogram.corpus.rows import BadRow
from ethogram.errors import DataError
from ethogram.formats.limits import MOST_LINE

_TRUTH = {"true": True, "1": True, "false": False, "0": False}


class _Numbered:
    """The lines of a file for a CSV reader, and where the record that it reads begins.

    A line that is not text goes in as an empty one, so that the record around it is still found.
    """

    def __init__(self, lines: Iterable[tuple[int, str] | BadRow]) -> None:
        self._lines = iter(lines)
        self.bad: list[BadRow] = []
        self.start = 0
        self.last = 0

    def __iter__(self) -> Iterator[str]:
        for line in self._lines:
            if isinstance(line, BadRow):
                self.bad.append(line)
                self.last, text = line.line, "\n"
            else:
                self.last, text = line
            self.start = self.start or self.last
            yield text


def cells(
    path: Path, lines: Iterable[tuple[int, str] | BadRow], delimiter: str
) -> Iterator[tuple[int, dict[str, Any]] | BadRow]:
    """The rows of a table with the line on which each begins. Empty cells are left out.

    Args:
        path: for messages.
        lines: of the file; the first one names the columns.
        delimiter: between cells.

    Raises:
        DataError: the first line does not name the columns.
    """
    numbered = _Numbered(lines)
    before = csv.field_size_limit(MOST_LINE)
    try:
        reader = csv.reader(numbered, delimiter=delimiter, strict=True)
        names = _columns(path, reader, numbered)
        while True:
            numbered.start = 0
            try:
                record = next(reader, None)
            except csv.Error as error:
                yield BadRow(path, numbered.start or 1, f"not valid CSV: {error}")
                numbered.bad.clear()
                continue
            if numbered.bad:
                yield from numbered.bad
                numbered.bad.clear()
            elif record and len(record) != len(names):
                reason = f"{len(record)} cells for {len(names)} columns"
                yield BadRow(path, numbered.start, reason)
            elif record:
                fields = zip(names, record, strict=True)
                yield numbered.start, {name: _value(name, cell) for name, cell in fields if cell}
            if record is None:
                return
    finally:
        csv.field_size_limit(before)


def _columns(path: Path, reader: Iterator[list[str]], numbered: _Numbered) -> list[str]:
    try:
        names = next(reader, [])
    except csv.Error as error:
        raise DataError(f"not valid CSV: {error}", where=f"{path}:1") from None
    if numbered.bad:
        raise DataError(f"the names of the columns: {numbered.bad[0].reason}", where=f"{path}:1")
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise DataError(
            f"two columns are named {doubled[0]!r}",
            where=f"{path}:1",
            hint="the first line must name the columns",
        )
    return names


def _value(name: str, cell: str) -> Any:
    """A cell as data: a label as a truth value, JSON turns as a list."""
    if name == "label":
        return _TRUTH.get(cell.strip().lower(), cell)
    if cell.startswith("[{"):
        try:
            return json.loads(cell)
        except (ValueError, RecursionError):
            return cell
    return cell
