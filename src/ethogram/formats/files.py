"""Files as JSON values: JSON lines, JSON documents, CSV, Parquet, inspect_ai's zips; any gzipped.

Told apart by their first bytes, tables of text by their name. What comes from elsewhere is not
trusted: sizes are bounded, and names inside an archive are never paths.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from ethogram.errors import SpecError
from ethogram.formats.archives import archived
from ethogram.formats.base import Value
from ethogram.formats.content import well_formed
from ethogram.formats.limits import MOST_DOCUMENT, MOST_LINE, Unpacked
from ethogram.formats.tables import csv_rows, parquet_rows
from ethogram.spec.source import parse_json, parse_object

_GZIP, _ZIP, _PARQUET = b"\x1f\x8b", b"PK\x03\x04", b"PAR1"


def values(path: Path) -> Iterator[Value]:
    """The JSON values of a file, one after another; of JSON lines one line is held at a time.

    Raises:
        SpecError: missing or unreadable file, a broken line (named), or a size over the limits.
        MissingExtraError: Parquet without the extra `parquet`.
    """
    if not path.exists():
        raise SpecError("no such file", where=str(path))
    number = 0
    try:
        with path.open("rb") as file:
            start = file.read(4)
        if start == _ZIP:
            yield from archived(path)
        elif start == _PARQUET:
            yield from parquet_rows(path)
        elif set(path.suffixes[-2:]) & {".csv", ".tsv"}:
            yield from csv_rows(path, (line for _, line in _lines(path, start)))
        else:
            for value in _json_values(path, start):
                number = value.number
                yield value
    except (EOFError, gzip.BadGzipFile, zlib.error):
        after = f" after line {number}" if number else ""
        raise SpecError(
            f"the gzip data is truncated or damaged{after}",
            where=str(path),
            hint="copy or create the file again",
        ) from None
    except OSError as error:
        raise SpecError(f"cannot be read: {error.strerror}", where=str(path)) from None


def _open(path: Path, start: bytes) -> IO[bytes] | Unpacked:
    return Unpacked(path) if start.startswith(_GZIP) else path.open("rb")


def _lines(path: Path, start: bytes) -> Iterator[tuple[int, str]]:
    """The lines of a text file with their 1-based numbers, line ends kept."""
    with _open(path, start) as file:
        number = 0
        while line := file.readline(MOST_LINE + 1):
            number += 1
            if len(line) > MOST_LINE:
                raise SpecError(
                    f"a line of more than {MOST_LINE // 2**20} MiB", where=f"{path}:{number}"
                )
            yield number, _decoded(line, f"{path}:{number}", first=number == 1)


def _decoded(data: bytes, where: str, *, first: bool) -> str:
    try:
        # A byte order mark is what some editors put before the first line.
        return data.decode("utf-8-sig" if first else "utf-8")
    except UnicodeDecodeError as error:
        raise SpecError(
            f"not UTF-8 text (byte {error.start})", where=where, hint="save the file as UTF-8"
        ) from None


def _json_values(path: Path, start: bytes) -> Iterator[Value]:
    """The values of JSON lines, or of a document if the first line is not a value by itself."""
    seen = 0
    for number, line in _lines(path, start):
        if not line.strip():
            continue
        where = f"{path}:{number}"
        if seen == 0:
            first = _complete(line)
            if first is None or isinstance(first, list):
                yield from _document(path, start, line, number)
                return
        seen += 1
        yield Value(well_formed(parse_object(line, where), line, where), where, number)


def _complete(line: str) -> Any:
    """The value of a line; None if it is none, or one that a document cannot start with."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict | list) else {}


def _document(path: Path, start: bytes, line: str, number: int) -> Iterator[Value]:
    """The values of a file that is one JSON document: the items of an array, or one object.

    Where it is not valid within the first lines, the file is taken for JSON lines.
    """
    with _open(path, start) as file:
        data = file.read(MOST_DOCUMENT + 1)
    if len(data) > MOST_DOCUMENT:
        raise SpecError(
            f"a JSON document of more than {MOST_DOCUMENT // 2**20} MiB",
            where=str(path),
            hint="write JSON lines, one object per line",
        )
    text = _decoded(data, str(path), first=True)
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        if error.lineno <= number + 1 and line.strip() not in ("[", "{"):
            parse_object(line, f"{path}:{number}")
        raise SpecError(f"not valid JSON: {error.msg}", where=f"{path}:{error.lineno}") from None
    except (RecursionError, ValueError):
        found = parse_json(text, f"{path}:{number}", hint="fix or remove the line")
    found = well_formed(found, text, str(path))
    if isinstance(found, list):
        for place, item in enumerate(found, start=1):
            where = f"{path}: item {place}"
            if not isinstance(item, dict):
                raise SpecError("an item must be a JSON object", where=where)
            yield Value(item, where, place)
    else:
        yield Value(found, f"{path}", 1)
