"""Using: rows of the kind that a training needs, and the fingerprint of their files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from ethogram.corpus.rows import BadRow, Kind, Row
from ethogram.errors import DataError

_NAMES: dict[Kind, str] = {
    "text": "documents",
    "messages": "conversations",
    "preference": "preference pairs",
    "vote": "votes",
}
#: Bad rows that an error names; the rest are counted.
_NAMED = 5


def documents(rows: Iterable[Row | BadRow]) -> list[Row]:
    """Rows of kind `text`; those with a conversation count as the text of their turns.

    Raises:
        DataError: a row is bad, or there is none.
    """
    return _usable(rows, ("text", "messages"), "text")


def conversations(rows: Iterable[Row | BadRow]) -> list[Row]:
    """Rows of kind `messages`.

    Raises:
        DataError: a row is bad or of another kind, or there is none.
    """
    return _usable(rows, ("messages",), "messages")


def preferences(rows: Iterable[Row | BadRow]) -> list[Row]:
    """Rows of kind `preference`.

    Raises:
        DataError: a row is bad or of another kind, or there is none.
    """
    return _usable(rows, ("preference",), "preference")


def votes(rows: Iterable[Row | BadRow]) -> list[Row]:
    """Rows of kind `vote`.

    Raises:
        DataError: a row is bad or of another kind, or there is none.
    """
    return _usable(rows, ("vote",), "vote")


def _usable(rows: Iterable[Row | BadRow], kinds: Sequence[Kind], wanted: Kind) -> list[Row]:
    good: list[Row] = []
    bad: list[BadRow] = []
    for row in rows:
        if isinstance(row, BadRow):
            bad.append(row)
        elif row.kind not in kinds:
            reason = f"it is one of {_NAMES[row.kind]}, and {_NAMES[wanted]} are wanted"
            bad.append(BadRow(row.file, row.line, reason))
        else:
            good.append(row)
    if bad:
        raise bad_rows(bad, len(good))
    if not good:
        raise DataError(f"no {_NAMES[wanted]} in the data", hint="check `data:` of the recipe")
    return good


def bad_rows(bad: Sequence[BadRow], good: int) -> DataError:
    """One line about rows that cannot be used: the first ones by file and line, and their count."""
    first = bad[0]
    others = ", ".join(row.where for row in bad[1:_NAMED])
    more = f" (also {others}{', …' if len(bad) > _NAMED else ''})" if others else ""
    fixes = sorted({row.fix for row in bad if row.fix})
    hint = f"fix the rows, or allow the rules {', '.join(fixes)}" if fixes else "fix the rows"
    return DataError(
        f"{first.reason}; {len(bad)} of {len(bad) + good} rows cannot be used{more}",
        where=first.where,
        hint=f"{hint}; `ethogram data inspect` lists them",
    )


def fingerprint(paths: Iterable[Path]) -> str:
    """SHA-256 over the digests of files, in order; their names do not count.

    Raises:
        DataError: a file is missing.
    """
    whole = hashlib.sha256()
    for path in paths:
        if not path.is_file():
            raise DataError("no such data file", where=str(path), hint="check the path")
        with path.open("rb") as file:
            whole.update(hashlib.file_digest(file, "sha256").digest())
    return whole.hexdigest()
