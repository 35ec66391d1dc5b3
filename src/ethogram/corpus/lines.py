"""Lines: the text of a file line by line, plain or gzipped; those that are not text as bad rows."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from ethogram.corpus.fixes import FixCounter, ShapeError
from ethogram.corpus.rows import BadRow
from ethogram.errors import DataError
from ethogram.formats.limits import MOST_LINE, Unpacked

_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
#: Bytes from which a file's kind is guessed.
_HEAD = 4096


def open_bytes(path: Path) -> IO[bytes] | Unpacked:
    """A file to read; a gzipped one is unpacked, within bounds on what it unpacks to."""
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    return Unpacked(path) if packed else path.open("rb")


def first_mark(path: Path) -> str:
    """The first character of a text file that is not white space; empty if there is none."""
    with open_bytes(path) as file:
        head = file.read(_HEAD)
    return head.removeprefix(codecs.BOM_UTF8).lstrip()[:1].decode("latin-1")


def lines(path: Path, fixes: FixCounter) -> Iterator[tuple[int, str] | BadRow]:
    """The lines of a text file with their 1-based numbers; those that are not text as bad rows.

    Raises:
        DataError: the file is UTF-16.
    """
    with open_bytes(path) as file:
        number = 0
        while data := file.readline(MOST_LINE + 1):
            number += 1
            if number == 1 and data.startswith(_WIDE):
                raise DataError(
                    "the file is UTF-16", where=f"{path}:1", hint="save it as UTF-8 text"
                )
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
        text = data.decode("utf-8-sig" if first else "utf-8")
    except UnicodeDecodeError as error:
        fixes.use("decode-latin1", f"not UTF-8 text (byte {error.start})")
        text = data.decode("latin-1")
    if "\x00" in text:
        fixes.use("strip-nul", "holds NUL bytes, as UTF-16 and binary data do")
        text = text.replace("\x00", "")
    if "\ufeff" in text and text.startswith("\ufeff"):
        fixes.use("strip-bom", "a byte-order mark inside the file")
        text = text[1:]
    return text
