"""Reading: the rows of a file one after another, with flat memory; bad rows are reported, not lost.

JSON lines, a JSON array, CSV, Parquet and plain text (documents separated by blank lines), each
also gzipped. A bad row never ends the reading; what is wrong with a whole file does.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ethogram.corpus.cells import cells
from ethogram.corpus.fixes import FixCounter
from ethogram.corpus.lines import first_mark, lines
from ethogram.corpus.objects import objects, parsed
from ethogram.corpus.rows import BadRow, Row
from ethogram.corpus.shapes import row_of
from ethogram.errors import DataError
from ethogram.formats.limits import MOST_LINE
from ethogram.formats.tables import parquet_rows

FORMATS = ("jsonl", "json", "csv", "parquet", "text")
_BY_SUFFIX = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".csv": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
    ".txt": "text",
    ".md": "text",
}
_Found = tuple[int, dict[str, Any]] | BadRow


def read(
    path: Path, *, format: str | None = None, fixes: FixCounter | None = None
) -> Iterator[Row | BadRow]:
    """The rows of a file.

    Args:
        path: of the file.
        format: one of `FORMATS`; default: by the name's suffix, JSON lines for other names.
        fixes: rules that may change or drop rows, which counts their uses; default: none.

    Raises:
        DataError: no such file, an unknown format, or a file that cannot be read at all.
        SpecError: a gzipped file that unpacks to too much, or a damaged Parquet file.
        MissingExtraError: Parquet without the extra `parquet`.
    """
    chosen = format_of(path, format)
    rules = fixes or FixCounter()
    try:
        for found in _found(path, chosen, rules):
            if isinstance(found, BadRow):
                row: Row | BadRow = found
            else:
                rules.line = found[0]
                row = row_of(found[1], path, found[0], rules)
            rules.settle(row)
            if not isinstance(row, BadRow) or not rules.drops(row):
                yield row
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise DataError(
            "the gzip data is cut off or damaged", where=str(path), hint="copy the file again"
        ) from None
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", where=str(path)) from None


def format_of(path: Path, format: str | None = None) -> str:
    """The format of a file, one of `FORMATS`: as given, or by the suffix of its name.

    Raises:
        DataError: no such file, or an unknown format.
    """
    if not path.is_file():
        raise DataError("no such data file", where=str(path), hint="check the path")
    suffixes = [suffix for suffix in path.suffixes if suffix.lower() != ".gz"]
    chosen = format or _BY_SUFFIX.get(suffixes[-1].lower() if suffixes else "", "jsonl")
    if chosen not in FORMATS:
        raise DataError(
            f"unknown format {chosen!r}", where=str(path), hint=f"use one of {', '.join(FORMATS)}"
        )
    return chosen


def _found(path: Path, chosen: str, fixes: FixCounter) -> Iterator[_Found]:
    """The fields of each row with its line."""
    if chosen == "parquet":
        return ((value.number, value.data) for value in parquet_rows(path))
    texts = lines(path, fixes)
    if chosen == "csv":
        return cells(path, texts, "\t" if ".tsv" in path.suffixes else ",")
    if chosen == "text":
        return _documents(path, texts)
    if chosen == "json":
        mark = first_mark(path)
        if mark in ("[", "{"):
            return objects(path, texts, is_array=mark == "[")
    return _json_lines(path, texts)


def _json_lines(path: Path, texts: Iterator[tuple[int, str] | BadRow]) -> Iterator[_Found]:
    for line in texts:
        if isinstance(line, BadRow):
            yield line
        elif text := line[1].strip():
            value = parsed(text, path, line[0])
            yield value if isinstance(value, BadRow) else (line[0], value)


def _documents(path: Path, texts: Iterator[tuple[int, str] | BadRow]) -> Iterator[_Found]:
    """Documents of a plain text, separated by blank lines; one with a bad line is left out."""
    held: list[str] = []
    start, size, spoiled = 1, 0, False
    for line in texts:
        if isinstance(line, BadRow):
            yield line
            spoiled = True
            continue
        number, text = line
        if text.strip():
            start = start if held else number
            size += len(text)
            if size <= MOST_LINE:
                held.append(text.replace("\r\n", "\n"))
            continue
        yield from _document(path, start, held, size, spoiled)
        held, size, spoiled = [], 0, False
    yield from _document(path, start, held, size, spoiled)


def _document(
    path: Path, start: int, held: list[str], size: int, spoiled: bool
) -> Iterator[_Found]:
    if size > MOST_LINE:
        reason = f"a document of more than {MOST_LINE // 2**20} MiB; separate them by blank lines"
        yield BadRow(path, start, reason)
    elif held and spoiled:
        yield BadRow(path, start, "a line of the document is not text")
    elif held:
        yield start, {"text": "".join(held).rstrip()}
