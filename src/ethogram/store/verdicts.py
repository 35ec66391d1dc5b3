"""Verdicts: what judging models replied, whole, keyed by what was asked. Reads nothing into them.

The reply is kept rather than what was read from it, so that a report can be made again without
asking, and a reply that nobody could read is still there to be looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import insert, select

from ethogram.store.schema import verdicts_table
from ethogram.store.store import Store, _chunks, _now

_COLUMNS = [column for column in verdicts_table.c if column.name != "created_at"]


@dataclass(frozen=True, slots=True)
class StoredVerdict:
    """One reply of a judge.

    Attributes:
        identity: digest of all that was asked, and of whom.
        judge: the model, as the user names it; where it was served is not kept.
        prompt: id of the wording.
        prompt_digest: digest of the wording.
        first: identity of the generation shown first, or alone.
        second: of the one shown second; None where one was shown.
        reply: the judge's own words, untrusted.
        finish_reason: as the endpoint says.
        served_model: what the endpoint calls the model that answered.
        prompt_tokens: of the question.
        completion_tokens: of the reply.
        seconds: until it came.
    """

    identity: str
    judge: str
    prompt: str
    prompt_digest: str
    first: str
    second: str | None
    reply: str
    finish_reason: str
    served_model: str
    prompt_tokens: int
    completion_tokens: int
    seconds: float


class Verdicts:
    """The verdicts of a store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, verdicts: Iterable[StoredVerdict]) -> None:
        """Store verdicts in one transaction; those already there stay as they are.

        Raises:
            StoreError: disk full, read-only, …; nothing of this call is stored then.
        """
        rows = {each.identity: each for each in verdicts}
        column = verdicts_table.c.identity
        with self._store._begin(writes=True) as connection:
            known: set[str] = set()
            for chunk in _chunks(list(rows)):
                known.update(connection.execute(select(column).where(column.in_(chunk))).scalars())
            fresh = [
                {**asdict(row), "created_at": _now()}
                for identity, row in rows.items()
                if identity not in known
            ]
            if fresh:
                connection.execute(insert(verdicts_table), fresh)

    def get(self, identities: Sequence[str]) -> dict[str, StoredVerdict]:
        """The stored ones among the identities."""
        found: dict[str, StoredVerdict] = {}
        with self._store._begin() as connection:
            for chunk in _chunks(identities):
                query = select(*_COLUMNS).where(verdicts_table.c.identity.in_(chunk))
                found.update((row[0], StoredVerdict(*row)) for row in connection.execute(query))
        return found
