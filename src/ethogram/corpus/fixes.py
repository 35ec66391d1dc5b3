"""Fixes: the rules that may make a bad row usable, and the count of what they changed."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ethogram.corpus.rows import BadRow, Row
from ethogram.errors import DataError

#: Every rule, with what it does to a row.
RULES = {
    "decode-latin1": "read a line that is not UTF-8 as Latin-1",
    "decode-utf16": "read a file that begins with the mark of UTF-16 as UTF-16",
    "strip-bom": "delete a byte-order mark inside a file",
    "strip-nul": "delete NUL characters",
    "unix-newlines": "write carriage returns (CRLF) inside a text as newlines",
    "keep-replacement": "keep a text with U+FFFD or half a surrogate pair, which becomes U+FFFD",
    "merge-same-role": "join two turns of one role in a row, with a newline between them",
    "drop-trailing-user": "drop the turns after the last reply",
    "drop-bad-rows": "leave out rows that no other rule makes usable",
}
#: Different reasons that are counted separately; the rest counts as one, so memory is bounded.
_REASONS = 500
_NUMBER = re.compile(r"\d+")
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")


class ShapeError(ValueError):
    """A row cannot be used.

    Args:
        reason: in a few words.
        fix: name of the rule that would make it usable.
    """

    def __init__(self, reason: str, fix: str = "") -> None:
        super().__init__(reason)
        self.fix = fix


@dataclass(slots=True)
class Reason:
    """Bad rows of one file that have the same thing wrong.

    Attributes:
        file: that they are in.
        example: the reason of the first one, with its details.
        fix: name of the rule that would make them usable; empty where there is none.
        lines: their 1-based lines.
    """

    file: Path
    example: str
    fix: str
    lines: array[int] = field(default_factory=lambda: array("Q"))

    def ranges(self, most: int | None = None) -> str:
        """The lines as text: `3, 7-9, 12`; after `most` ranges an ellipsis."""
        parts: list[str] = []
        for first, last in _runs(self.lines):
            if most is not None and len(parts) == most:
                parts.append("…")
                break
            parts.append(str(first) if first == last else f"{first}-{last}")
        return ", ".join(parts)


class BadRows:
    """Bad rows by file and reason: eight bytes each, so that millions fit."""

    def __init__(self) -> None:
        self._reasons: dict[tuple[Path, str], Reason] = {}
        self.total = 0

    def add(self, row: BadRow) -> None:
        """Count a bad row."""
        kind = _NUMBER.sub("0", _QUOTED.sub("''", row.reason))
        if len(self._reasons) >= _REASONS and (row.file, kind) not in self._reasons:
            kind = "another reason"
        example = kind if kind == "another reason" else row.reason
        reason = self._reasons.setdefault((row.file, kind), Reason(row.file, example, row.fix))
        reason.lines.append(row.line)
        self.total += 1

    def __iter__(self) -> Iterator[Reason]:
        """The reasons, the most frequent first."""
        return iter(sorted(self._reasons.values(), key=lambda each: -len(each.lines)))

    def first(self) -> Sequence[BadRow]:
        """One bad row of each reason, for messages."""
        return [BadRow(each.file, each.lines[0], each.example, each.fix) for each in self]


class FixCounter:
    """Which rules may change rows, and how often each did.

    Args:
        names: of the rules, from `RULES`.

    Attributes:
        used: rule to the number of its uses on rows that were kept.
        line: that is being read, to which uses are counted.
        dropped: the rows that `drop-bad-rows` left out.

    Raises:
        DataError: an unknown rule.
    """

    def __init__(self, names: Sequence[str] = ()) -> None:
        unknown = [name for name in names if name not in RULES]
        if unknown:
            raise DataError(f"unknown rule {unknown[0]!r}", hint=f"choose from {', '.join(RULES)}")
        self.allowed = frozenset(names)
        self.used: dict[str, int] = {}
        self.dropped = BadRows()
        self.line = 0
        self._open: list[tuple[int, str]] = []

    def use(self, name: str, reason: str) -> None:
        """Count a use of a rule, once the row that it changes turns out to be usable.

        Raises:
            ShapeError: the rule is not allowed.
        """
        if name not in self.allowed:
            raise ShapeError(reason, name)
        self._open.append((self.line, name))

    def settle(self, row: Row | BadRow) -> None:
        """Count the uses on a usable row; forget those on a bad one."""
        if isinstance(row, BadRow):
            self._open = [(line, name) for line, name in self._open if line > row.line]
            return
        self.settle_all()

    def settle_all(self) -> None:
        """Count the open uses."""
        for _, name in self._open:
            self.used[name] = self.used.get(name, 0) + 1
        self._open.clear()

    def drops(self, row: BadRow) -> bool:
        """Whether a bad row is left out; counts it if so."""
        if "drop-bad-rows" not in self.allowed:
            return False
        self.used["drop-bad-rows"] = self.used.get("drop-bad-rows", 0) + 1
        self.dropped.add(row)
        return True


def _runs(lines: Sequence[int]) -> Iterator[tuple[int, int]]:
    first = last = None
    for line in lines:
        if last is not None and line in (last, last + 1):
            last = line
            continue
        if first is not None and last is not None:
            yield first, last
        first = last = line
    if first is not None and last is not None:
        yield first, last
