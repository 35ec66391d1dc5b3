"""Reading: the rows of a file one after another, with flat memory; bad rows are reported, not lost.

JSON lines, a JSON array, CSV, Parquet and plain text (documents separated by blank lines), each
also gzipped. A bad row never ends the reading; what is wrong with a whole file does.
"""

from __future__ import annotations

import codecs
import gzip
import json
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from ethogram.corpus.rows import BadRow, Row
from ethogram.corpus.shapes import FixCounter, ShapeError, row_of
from ethogram.errors import DataError, EthogramError
from ethogram.formats.content import without_surrogates
from ethogram.formats.limits import MOST_LINE, Unpacked
from ethogram.formats.tables import csv_rows, parquet_rows

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
_ESCAPED_HALF = re.compile(r"\\u[dD][89a-fA-F]")
_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read(
    path: Path, *, format: str | None = None, fixes: FixCounter | None = None
) -> Iterator[Row | BadRow]:
    """The rows of a file.

    Args:
        path: of the file.
        format: one of `FORMATS`; default: by the name's suffix, JSON lines for other names.
        fixes: rules that may change rows, which counts their uses; default: none.

    Raises:
        DataError: no such file, an unknown format, or a file that cannot be read at all.
        MissingExtraError: Parquet without the extra `parquet`.
    """
    if not path.is_file():
        raise DataError("no such data file", where=str(path), hint="check the path")
    chosen = format or _BY_SUFFIX.get(_suffix(path), "jsonl")
    if chosen not in FORMATS:
        raise DataError(
            f"unknown format {chosen!r}", where=str(path), hint=f"use one of {', '.join(FORMATS)}"
        )
    rules = fixes or FixCounter()
    try:
        if chosen == "parquet":
            for value in parquet_rows(path):
                yield row_of(value.data, path, value.number, rules)
        elif chosen == "csv":
            yield from _table(path, rules)
        elif chosen == "text":
            yield from _documents(path, rules)
        elif chosen == "json" and _is_array(path):
            yield from _array(path, rules)
        else:
            yield from _json_lines(path, rules)
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise DataError(
            "the gzip data is cut off or damaged", where=str(path), hint="copy the file again"
        ) from None
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", where=str(path)) from None


def _suffix(path: Path) -> str:
    suffixes = [suffix for suffix in path.suffixes if suffix != ".gz"]
    return suffixes[-1].lower() if suffixes else ""


def _open(path: Path) -> IO[bytes] | Unpacked:
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    return Unpacked(path) if packed else path.open("rb")


def _lines(path: Path, fixes: FixCounter) -> Iterator[tuple[int, str] | BadRow]:
    """The lines of a text file with their 1-based numbers; those that are not text as bad rows."""
    with _open(path) as file:
        number = 0
        while data := file.readline(MOST_LINE + 1):
            number += 1
            if number == 1 and data.startswith(_WIDE):
                yield BadRow(path, 1, "the file is UTF-16; save it as UTF-8")
                return
            if len(data) > MOST_LINE and not data.endswith(b"\n"):
                yield BadRow(path, number, f"a line of more than {MOST_LINE // 2**20} MiB")
                while data and not data.endswith(b"\n"):
                    data = file.readline(MOST_LINE)
                continue
            try:
                yield number, _decoded(data, first=number == 1, fixes=fixes)
            except ShapeError as error:
                yield BadRow(path, number, str(error), error.fix)


def _decoded(data: bytes, *, first: bool, fixes: FixCounter) -> str:
    try:
        return data.decode("utf-8-sig" if first else "utf-8")
    except UnicodeDecodeError as error:
        fixes.use("decode-latin1", f"not UTF-8 text (byte {error.start})")
        return data.decode("latin-1")


def _json_lines(path: Path, fixes: FixCounter) -> Iterator[Row | BadRow]:
    for line in _lines(path, fixes):
        if isinstance(line, BadRow):
            yield line
        elif line[1].strip():
            yield _from_json(line[1], path, line[0], fixes)


def _from_json(text: str, path: Path, line: int, fixes: FixCounter) -> Row | BadRow:
    try:
        value = json.loads(text)
        if _ESCAPED_HALF.search(text):
            value = without_surrogates(value)
    except json.JSONDecodeError as error:
        return BadRow(path, line, f"not valid JSON: {error.msg} (column {error.colno})")
    except (RecursionError, ValueError):
        return BadRow(path, line, "JSON nested too deep, or a number too long")
    if not isinstance(value, dict):
        return BadRow(path, line, f"a row must be a JSON object, not {type(value).__name__}")
    return row_of(value, path, line, fixes)


def _is_array(path: Path) -> bool:
    with _open(path) as file:
        start = file.read(4096)
    return start.removeprefix(codecs.BOM_UTF8).lstrip()[:1] == b"["


def _array(path: Path, fixes: FixCounter) -> Iterator[Row | BadRow]:
    """The objects of one JSON array, held one at a time.

    After an object that is not valid JSON, reading goes on at the next line that begins one.
    """
    held: list[str] = []
    size, start, depth, scan = 0, 0, 0, _Depth()
    for line in _lines(path, fixes):
        if isinstance(line, BadRow):
            yield line
            held, size, scan = [], 0, _Depth()
            continue
        number, text = line
        for piece, closes in scan.pieces(text):
            if not held:
                start = number
            held.append(piece)
            size += len(piece)
            if closes:
                yield _from_json("".join(held), path, start, fixes)
                held, size = [], 0
            elif size > MOST_LINE:
                yield BadRow(path, start, f"an object of more than {MOST_LINE // 2**20} MiB")
                held, size, scan = [], 0, _Depth()
    depth = scan.depth
    if held and depth:
        yield BadRow(path, start, "the file ends inside an object")


class _Depth:
    """Finds the objects of an array in its lines: where one begins and where it closes."""

    _MARKS = re.compile(r'["{}\\]')

    def __init__(self) -> None:
        self.depth = 0
        self._quoted = False

    def pieces(self, line: str) -> Iterator[tuple[str, bool]]:
        """The parts of a line that belong to objects, and whether each closes its object."""
        begin = 0 if self.depth else -1
        position = 0
        while found := self._MARKS.search(line, position):
            mark, at = found[0], found.start()
            position = found.end() + (mark == "\\")
            if mark == '"' and self.depth:
                self._quoted = not self._quoted
            elif mark == "{" and not self._quoted:
                begin = at if self.depth == 0 else begin
                self.depth += 1
            elif mark == "}" and not self._quoted and self.depth:
                self.depth -= 1
                if self.depth == 0:
                    yield line[begin : at + 1], True
                    begin = -1
        if self.depth and begin >= 0:
            yield line[begin:], False


def _table(path: Path, fixes: FixCounter) -> Iterator[Row | BadRow]:
    bad: list[BadRow] = []

    def texts() -> Iterator[str]:
        for line in _lines(path, fixes):
            if isinstance(line, BadRow):
                bad.append(line)
            else:
                yield line[1]

    try:
        for value in csv_rows(path, texts()):
            yield from bad
            bad.clear()
            line = int(value.where.rpartition(":")[2])
            fields = {name: cell for name, cell in value.data.items() if cell != ""}
            label = str(fields.get("label", "")).lower()
            if label in ("true", "false", "1", "0"):
                fields["label"] = label in ("true", "1")
            yield row_of(fields, path, line, fixes)
    except EthogramError as error:
        place = (error.where or "").rpartition(":")[2]
        yield BadRow(path, int(place) if place.isdigit() else 1, f"{error.what}; reading ended")
    yield from bad


def _documents(path: Path, fixes: FixCounter) -> Iterator[Row | BadRow]:
    """Documents of a plain text: separated by blank lines."""
    held: list[str] = []
    start = 1
    for line in _lines(path, fixes):
        if isinstance(line, BadRow):
            yield line
            continue
        number, text = line
        if text.strip():
            start = start if held else number
            held.append(text)
        elif held:
            yield row_of({"text": "".join(held).rstrip()}, path, start, fixes)
            held = []
    if held:
        yield row_of({"text": "".join(held).rstrip()}, path, start, fixes)
