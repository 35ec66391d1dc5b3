"""Duplicates: rows that repeat an earlier one, found and left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ethogram.corpus.fixes import BadRows, FixCounter
from ethogram.corpus.reading import read
from ethogram.corpus.rows import BadRow, Row
from ethogram.corpus.similar import alike, digest, normalised
from ethogram.corpus.writing import BadRowsError, write_rows


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A row that repeats an earlier one.

    Attributes:
        where: its file and line.
        of: file and line of the row that is kept.
        exact: equal but for case, white space and punctuation; otherwise a near-duplicate.
    """

    where: str
    of: str
    exact: bool


@dataclass(frozen=True, slots=True)
class Deduplicated:
    """What was kept and what was left out.

    Attributes:
        file: that was written.
        rows: that were kept.
        duplicates: that were left out.
        used: rule to the number of its uses.
    """

    file: Path
    rows: int
    duplicates: tuple[Duplicate, ...]
    used: dict[str, int]

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "file": str(self.file),
            "rows": self.rows,
            "duplicates": list(self.duplicates),
            "used": self.used,
        }


def deduplicate(
    paths: Sequence[Path],
    out: Path,
    *,
    near: bool = True,
    format: str | None = None,
    fixes: FixCounter | None = None,
) -> Deduplicated:
    """Write the rows of files without those that repeat an earlier one. Reads the files twice.

    Args:
        paths: files to read, in order.
        out: file to write, as JSON lines; each row keeps its kind and fields.
        near: leave out near-duplicates too (similarity `ALIKE` or more).
        format: of all files; default: of each by its name.
        fixes: rules that may change or drop rows.

    Raises:
        BadRowsError: rows are bad; nothing is written.
        DataError: as for `read`.
    """
    rules = fixes or FixCounter()
    names: list[str] = []
    keys: list[bytes] = []
    bad = BadRows()

    def texts() -> Iterator[str]:
        for path in paths:
            for row in read(path, format=format, fixes=rules):
                if isinstance(row, BadRow):
                    bad.add(row)
                    continue
                names.append(row.where)
                keys.append(digest(" ".join(normalised(row.words)) or row.words))
                yield row.words

    if near:
        groups = alike(texts())
        first = [groups.find(member) for member in range(len(names))]
    else:
        seen: dict[bytes, int] = {}
        for _ in texts():
            seen.setdefault(keys[-1], len(keys) - 1)
        first = [seen[key] for key in keys]
    if bad.total:
        raise BadRowsError(bad)
    found = tuple(
        Duplicate(names[member], names[root], keys[member] == keys[root])
        for member, root in enumerate(first)
        if member != root
    )
    again = FixCounter(tuple(rules.allowed))

    def kept() -> Iterator[Row | BadRow]:
        rows = (row for path in paths for row in read(path, format=format, fixes=again))
        for member, row in enumerate(rows):
            if first[member] == member:
                yield row

    count = write_rows(kept(), out)
    return Deduplicated(out, count, found, dict(rules.used))
