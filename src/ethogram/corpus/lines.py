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
_CHUNK = 1 << 16


def open_bytes(path: Path) -> IO[bytes] | Unpacked:
    """A file to read; a gzipped one is unpacked, within bounds on what it unpacks to."""
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    return Unpacked(path) if packed else path.open("rb")


def first_mark(path: Path) -> str:
    """The first character of a text file that is not white space; empty if there is none."""
    with open_bytes(path) as file:
        head = file.read(_HEAD)
    if head.startswith(_WIDE):
        return head.decode("utf-16", "ignore").lstrip()[:1]
    return head.removeprefix(codecs.BOM_UTF8).lstrip()[:1].decode("latin-1")


def lines(path: Path, fixes: FixCounter) -> Iterator[tuple[int, str] | BadRow]:
    """The lines of a text file with their 1-based numbers; those that are not text as bad rows.

    Raises:
        DataError: the file is UTF-16, and `decode-utf16` is not allowed.
    """
    with open_bytes(path) as file:
        number = 0
        while data := file.readline(MOST_LINE + 1):
            number += 1
            fixes.line = number
            if number == 1 and data.startswith(_WIDE):
                yield from _wide_lines(path, fixes)
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


def _wide_lines(path: Path, fixes: FixCounter) -> Iterator[tuple[int, str] | BadRow]:
    """The lines of a UTF-16 file; what does not decode becomes U+FFFD, which rows report."""
    try:
        fixes.use("decode-utf16", "the file is UTF-16")
    except ShapeError as error:
        hint = "save it as UTF-8 text, or allow the rule decode-utf16"
        raise DataError(str(error), where=f"{path}:1", hint=hint) from None
    fixes.settle_all()
    with open_bytes(path) as file:
        for number, text in enumerate(_split(file), start=1):
            fixes.line = number
            if len(text) > MOST_LINE:
                yield BadRow(path, number, f"a line of more than {MOST_LINE // 2**20} MiB")
                continue
            try:
                yield number, _cleaned(text, fixes)
            except ShapeError as error:
                yield BadRow(path, number, str(error), error.fix)


def _split(file: IO[bytes] | Unpacked) -> Iterator[str]:
    """Lines of UTF-16 text with their ends; one of more than `MOST_LINE` characters is cut."""
    decoder = codecs.getincrementaldecoder("utf-16")("replace")
    held: list[str] = []
    size = 0
    while True:
        data = file.read(_CHUNK)
        *whole, rest = decoder.decode(data, final=not data).split("\n")
        for part in whole:
            yield "".join([*held, part, "\n"])
            held, size = [], 0
        if size <= MOST_LINE:
            held.append(rest)
            size += len(rest)
        if not data:
            break
    if size:
        yield "".join(held)


def _decoded(data: bytes, *, first: bool, fixes: FixCounter) -> str:
    try:
        text = data.decode("utf-8-sig" if first else "utf-8")
    except UnicodeDecodeError as error:
        fixes.use("decode-latin1", f"not UTF-8 text (byte {error.start})")
        text = data.decode("latin-1")
    return _cleaned(text, fixes)


def _cleaned(text: str, fixes: FixCounter) -> str:
    if "\x00" in text:
        fixes.use("strip-nul", "holds NUL bytes, as UTF-16 and binary data do")
        text = text.replace("\x00", "")
    if "\ufeff" in text and text.startswith("\ufeff"):
        fixes.use("strip-bom", "a byte-order mark inside the file")
        text = text[1:]
    return text
