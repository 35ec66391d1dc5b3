"""Tables as rows: CSV and tab-separated text, Parquet. Knows columns; knows no field's meaning."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ethogram.errors import SpecError
from ethogram.extras import require
from ethogram.formats.base import Value
from ethogram.formats.limits import MOST_LINE
from ethogram.formats.plain import from_cells


def csv_rows(path: Path, lines: Iterable[str]) -> Iterator[Value]:
    """The rows of a table whose first line names the columns.

    Raises:
        SpecError: a row has more or fewer cells than columns, or a quote is not closed.
    """
    delimiter = "\t" if ".tsv" in path.suffixes else ","
    before = csv.field_size_limit(MOST_LINE)
    try:
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
        names = next(reader, [])
        doubled = sorted({name for name in names if names.count(name) > 1})
        if doubled:
            raise SpecError(f"two columns are named {doubled[0]!r}", where=f"{path}:1")
        start = reader.line_num + 1
        for number, cells in enumerate(reader, start=1):
            where, start = f"{path}:{start}", reader.line_num + 1
            if not cells:
                continue
            if len(cells) != len(names):
                raise SpecError(f"{len(cells)} cells for {len(names)} columns", where=where)
            yield Value(from_cells(dict(zip(names, cells, strict=True))), where, number)
    except csv.Error as error:
        raise SpecError(f"not valid CSV: {error}", where=f"{path}:{reader.line_num}") from None
    finally:
        csv.field_size_limit(before)


def parquet_rows(path: Path) -> Iterator[Value]:
    """The rows of a Parquet file; a JSON text under `constraints` is read as a list.

    Raises:
        SpecError: it is damaged.
        MissingExtraError: the extra `parquet` is not installed.
    """
    arrow = require("pyarrow", extra="parquet", needed_for="reading Parquet")
    parquet = require("pyarrow.parquet", extra="parquet", needed_for="reading Parquet")
    number = 0
    try:
        with parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=1024):
                for row in batch.to_pylist():
                    number += 1
                    yield Value(_parsed(row), f"{path}: row {number}", number)
    except arrow.ArrowException as error:
        what = str(error).splitlines()[0][:120]
        raise SpecError(f"not a readable Parquet file: {what}", where=str(path)) from None


def _parsed(row: dict[str, Any]) -> dict[str, Any]:
    given = row.get("constraints")
    if isinstance(given, str):
        row["constraints"] = from_cells({"constraints": given}).get("constraints")
    return row
