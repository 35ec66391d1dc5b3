"""Splitting: files of rows as two files, one to learn from and one held out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ethogram.corpus.fixes import BadRows, FixCounter
from ethogram.corpus.reading import read
from ethogram.corpus.rows import BadRow, Row
from ethogram.corpus.similar import split
from ethogram.corpus.writing import BadRowsError, write_rows
from ethogram.errors import DataError


def split_files(
    paths: Sequence[Path],
    folder: Path,
    share: float,
    *,
    seed: int = 1,
    by: str | None = None,
    format: str | None = None,
    fixes: FixCounter | None = None,
) -> dict[str, int]:
    """Write `train.jsonl` and `held-out.jsonl`; returns the rows of each, by name.

    Holds all rows in memory. Arguments as for `split` and `read`.

    Raises:
        BadRowsError: rows are bad; nothing is written.
        DataError: no row has the field `by`, or one side is empty.
    """
    rules, bad, rows = fixes or FixCounter(), BadRows(), list[Row]()
    for path in paths:
        for row in read(path, format=format, fixes=rules):
            if isinstance(row, BadRow):
                bad.add(row)
            else:
                rows.append(row)
    if bad.total:
        raise BadRowsError(bad)
    if by is not None and (missing := next((row for row in rows if by not in row.extra), None)):
        raise DataError(f"no field {by!r}", where=missing.where, hint="every row must have it")
    sides = dict(zip(("train", "held-out"), split(rows, share, seed=seed, by=by), strict=True))
    for name, side in sides.items():
        if not side:
            raise DataError(
                f"the side {name} is empty",
                where=str(folder),
                hint="the rows form too few groups; use another share or seed, or leave out --by",
            )
    return {name: write_rows(side, folder / f"{name}.jsonl") for name, side in sides.items()}
