"""Objects: the JSON objects of a file one after another, in an array or not, with flat memory.

A broken object does not end the reading. When a text is not closed on its line, which JSON forbids,
it goes on at the next line. When braces do not match, it goes on at the next object, if the file
has one object on each line or begins each on a line of its own with the same indentation. What
stands between objects is reported too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ethogram.corpus.rows import BadRow
from ethogram.formats.content import shortened, without_surrogates
from ethogram.formats.limits import MOST_LINE

_MARK = re.compile(r'["{}\\]')
_BETWEEN = " \t\r\n,[]"
_HALF = re.compile(r"\\u[dD][89a-fA-F]")


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(parse_constant=_no_constant)


def parsed(text: str, path: Path, line: int) -> dict[str, Any] | BadRow:
    """One JSON object; a half surrogate pair in it becomes U+FFFD."""
    try:
        value = _DECODER.decode(text)
        if _HALF.search(text):
            value = without_surrogates(value)
    except json.JSONDecodeError as error:
        return BadRow(path, line, f"not valid JSON: {error.msg} (column {error.colno})")
    except RecursionError:
        return BadRow(path, line, "JSON nested too deep")
    except ValueError as error:
        what = str(error) if str(error).endswith("is not JSON") else "a number too long"
        return BadRow(path, line, f"not valid JSON: {what}")
    if not isinstance(value, dict):
        return BadRow(path, line, f"a row must be a JSON object, not {type(value).__name__}")
    return value


def objects(
    path: Path, lines: Iterable[tuple[int, str] | BadRow], *, is_array: bool
) -> Iterator[tuple[int, dict[str, Any]] | BadRow]:
    """The objects of a file with the line on which each begins.

    Args:
        path: for messages.
        lines: of the file.
        is_array: the objects are in an array, which must be closed.
    """
    reader, last, tail = _Reader(path), 1, ""
    for line in lines:
        if isinstance(line, BadRow):
            yield line
            yield from reader.broken("a line inside the object is not text")
            last, tail = line.line, ""
            continue
        last, text = line
        if not reader.held and (whole := _whole(text)):
            value = parsed(whole, path, last)
            if isinstance(value, dict):
                reader.one_a_line = True
                yield last, value
                tail = ""
                continue
        yield from reader.feed(last, text)
        tail = text.strip() or tail
    if reader.held:
        yield from reader.broken("the file ends inside the object")
    elif is_array and not tail.endswith("]"):
        yield BadRow(path, last, "the array is not closed, so the file may be cut off")


def _whole(line: str) -> str:
    """The line without its comma, if it looks like one object."""
    text = line.strip().removesuffix(",")
    return text if text[:1] == "{" and text[-1:] == "}" else ""


class _Reader:
    """Collects the lines of one object after another."""

    def __init__(self, path: Path) -> None:
        self.held: list[str] = []
        self.one_a_line = False
        self._path, self._start, self._size = path, 0, 0
        self._depth, self._quoted = 0, False
        # Indentation of the lines that begin objects: of this one, and of whole ones before it.
        self._indent: int | None = None
        self._layout: set[int] = set()
        self._nested: set[int] = set()

    def broken(self, reason: str) -> Iterator[BadRow]:
        """End the object that is being read, if there is one."""
        if self.held:
            yield BadRow(self._path, self._start, reason)
        self._reset()

    def _reset(self) -> None:
        self.held, self._size, self._depth, self._quoted = [], 0, 0, False

    def feed(self, number: int, line: str) -> Iterator[tuple[int, dict[str, Any]] | BadRow]:
        """The objects that end in a line, and what is wrong in it."""
        opens = line.lstrip()[:1] == "{"
        indent = len(line) - len(line.lstrip()) if opens else None
        if self._depth and indent is not None and self._begins_another(indent):
            yield from self.broken("not valid JSON: its braces do not match")
        elif self._depth and indent is not None:
            self._nested.add(indent)
        outside: list[str] = []
        begin = 0
        for at, opens in self._borders(line):
            if opens:
                outside.append(line[begin:at])
                begin, self._start = at, number
                self._indent = indent if at == indent else None
                continue
            text = "".join([*self.held, line[begin : at + 1]])
            one_line = not self.held
            self.held, self._size, begin = [], 0, at + 1
            value = parsed(text, self._path, self._start)
            self.one_a_line |= one_line and isinstance(value, dict)
            if isinstance(value, dict) and not one_line and self._indent is not None:
                self._layout.add(self._indent)
            yield value if isinstance(value, BadRow) else (self._start, value)
        if self._depth:
            self.held.append(line[begin:])
            self._size += len(line) - begin
        else:
            outside.append(line[begin:])
        if self._quoted and line.endswith("\n"):
            yield from self.broken("not valid JSON: a text is not closed on its line")
        elif self._size > MOST_LINE:
            yield from self.broken(f"an object of more than {MOST_LINE // 2**20} MiB")
        if stray := " ".join(outside).strip(_BETWEEN):
            yield BadRow(self._path, number, f"not a JSON object: {shortened(stray, 40)!r}")

    def _begins_another(self, indent: int) -> bool:
        """Whether a line inside an object that opens a brace must begin the next object."""
        like_others = indent == self._indent and indent in self._layout - self._nested
        return self.one_a_line or like_others

    def _borders(self, line: str) -> Iterator[tuple[int, bool]]:
        """Where objects open (True) and close (False) in a line."""
        position = 0
        while found := _MARK.search(line, position):
            mark, at = found[0], found.start()
            position = found.end() + (mark == "\\")
            if mark == '"' and self._depth:
                self._quoted = not self._quoted
            elif mark == "{" and not self._quoted:
                self._depth += 1
                if self._depth == 1:
                    yield at, True
            elif mark == "}" and not self._quoted and self._depth:
                self._depth -= 1
                if self._depth == 0:
                    yield at, False
