"""Survey: what is in data files: shapes, fields, turns, lengths, duplicates, and every bad row."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ethogram.corpus.fixes import BadRows, FixCounter, Reason
from ethogram.corpus.reading import format_of, read
from ethogram.corpus.rows import BadRow, Row
from ethogram.corpus.similar import digest, normalised
from ethogram.errors import EthogramError

#: Rows shown of each file.
_EXAMPLES = 2
#: Different names of fields, roles or licences that are counted; the rest counts as one.
_NAMES = 200
PERCENTILES = (0, 25, 50, 75, 95, 100)


@dataclass(frozen=True, slots=True)
class Survey:
    """What a file holds.

    Attributes:
        file: its path.
        format: one of `FORMATS`.
        rows: usable rows.
        bad: bad rows by reason.
        bad_total: how many there are.
        shapes: shape to rows, the most frequent first.
        fields: name of a field to rows that have it.
        roles: role to turns.
        licences: licence to rows; "" for rows that state none.
        turns: percentiles of the turns of a conversation; empty without conversations.
        characters: percentiles of a row's length.
        duplicates: rows equal to an earlier one but for case, space and punctuation.
        examples: the first rows.
        used: rule to the number of its uses.
    """

    file: Path
    format: str
    rows: int
    bad: tuple[Reason, ...]
    bad_total: int
    shapes: Mapping[str, int]
    fields: Mapping[str, int]
    roles: Mapping[str, int]
    licences: Mapping[str, int]
    turns: Mapping[int, int]
    characters: Mapping[int, int]
    duplicates: int
    examples: tuple[Row, ...]
    used: Mapping[str, int]

    @property
    def duplicate_share(self) -> float:
        """Duplicates among usable rows, from 0 to 1."""
        return self.duplicates / self.rows if self.rows else 0.0

    def to_json(self) -> dict[str, Any]:
        """Plain data, with every bad row by its line."""
        bad = [
            {"reason": each.example, "fix": each.fix, "lines": list(each.lines)}
            for each in self.bad
        ]
        names = (
            "format rows bad_total shapes fields roles licences turns characters duplicates used"
        )
        return {
            "file": str(self.file),
            **{name: getattr(self, name) for name in [*names.split(), "duplicates", "used"]},
            "bad": bad,
            "examples": [{"line": row.line, "text": row.words} for row in self.examples],
        }


@dataclass(slots=True)
class _Counts:
    """What is counted while a file is read: sixteen bytes a row, whatever its length."""

    rows: int = 0
    shapes: Counter[str] = field(default_factory=Counter)
    fields: Counter[str] = field(default_factory=Counter)
    roles: Counter[str] = field(default_factory=Counter)
    licences: Counter[str] = field(default_factory=Counter)
    turns: array[int] = field(default_factory=lambda: array("L"))
    characters: array[int] = field(default_factory=lambda: array("Q"))
    digests: array[int] = field(default_factory=lambda: array("Q"))
    examples: list[Row] = field(default_factory=list)

    def add(self, row: Row) -> None:
        words = row.words
        self.rows += 1
        self.shapes[row.shape] += 1
        for name in row.fields:
            _count(self.fields, name)
        _count(self.licences, row.licence)
        for turn in row.messages:
            self.roles[turn.role] += 1
        if row.kind == "messages":
            self.turns.append(len(row.messages))
        self.characters.append(len(words))
        key = " ".join(normalised(words)) or words
        self.digests.append(int.from_bytes(digest(key)[:8], "big"))
        if len(self.examples) < _EXAMPLES:
            self.examples.append(row)


def inspect(path: Path, *, format: str | None = None, fixes: FixCounter | None = None) -> Survey:
    """Read a file and count what is in it. What ends the reading is the last bad row.

    Args:
        path: of the file.
        format: as for `read`.
        fixes: rules to try.

    Raises:
        DataError: no such file, or an unknown format.
    """
    chosen = format_of(path, format)
    rules = fixes or FixCounter()
    counts, bad = _Counts(), BadRows()
    last = 0
    try:
        for row in read(path, format=chosen, fixes=rules):
            last = row.line
            if isinstance(row, BadRow):
                bad.add(row)
            else:
                counts.add(row)
    except EthogramError as error:
        bad.add(BadRow(path, last + 1, f"{error.what}; reading ended here"))
    return Survey(
        file=path,
        format=chosen,
        rows=counts.rows,
        bad=tuple(bad),
        bad_total=bad.total,
        shapes=dict(counts.shapes.most_common()),
        fields=dict(counts.fields.most_common()),
        roles=dict(counts.roles.most_common()),
        licences=dict(counts.licences.most_common()),
        turns=percentiles(counts.turns),
        characters=percentiles(counts.characters),
        duplicates=counts.rows - len(np.unique(np.asarray(counts.digests))),
        examples=tuple(counts.examples),
        used=dict(rules.used),
    )


def percentiles(values: Iterable[int]) -> dict[int, int]:
    """Percentile to value, for `PERCENTILES`; empty without values.

    Each is a value that occurs: the lowest one with at least that share of values not above it.
    """
    listed = np.asarray(values)
    if not len(listed):
        return {}
    found = np.percentile(listed, PERCENTILES, method="inverted_cdf")
    return {percent: int(value) for percent, value in zip(PERCENTILES, found, strict=True)}


def _count(counter: Counter[str], name: str) -> None:
    counter[name if name in counter or len(counter) < _NAMES else "(others)"] += 1
