"""Verdicts: the full replies of judge models, keyed by a digest of the request.

The reply is stored rather than its parsed verdict, so that a report can be made again without a
request, and a reply that could not be parsed can still be inspected.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import select

from ethogram.store.queries import absent, insert_new, rows_with
from ethogram.store.rows import now
from ethogram.store.schema import verdicts_table
from ethogram.store.store import Store

_COLUMNS = [column for column in verdicts_table.c if column.name != "created_at"]


@dataclass(frozen=True, slots=True)
class StoredVerdict:
    """One reply of a judge.

    Attributes:
        identity: digest of the judge and the whole request.
        judge: the model's name, as the user gives it; the endpoint is not stored.
        prompt: id of the prompt template.
        prompt_digest: digest of the prompt template.
        first: identity of the generation shown first, or alone.
        second: of the one shown second; None where one was shown.
        reply: the judge's full reply, untrusted.
        finish_reason: as reported by the endpoint.
        served_model: the endpoint's name of the model that replied.
        prompt_tokens: of the request.
        completion_tokens: of the reply.
        seconds: latency.
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
        self._database = store.database

    def add(self, verdicts: Iterable[StoredVerdict]) -> None:
        """Store verdicts in one transaction; stored ones stay as they are.

        Raises:
            StoreError: disk full, read-only, …; nothing of this call is stored then.
        """
        items = {each.identity: each for each in verdicts}
        with self._database.begin(writes=True) as connection:
            new = absent(connection, verdicts_table.c.identity, list(items))
            fresh = [
                {**asdict(verdict), "created_at": now()}
                for identity, verdict in items.items()
                if identity in new
            ]
            insert_new(connection, verdicts_table, fresh)

    def get(self, identities: Sequence[str]) -> dict[str, StoredVerdict]:
        """The stored ones among the identities."""
        with self._database.begin() as connection:
            rows = rows_with(connection, select(*_COLUMNS), verdicts_table.c.identity, identities)
            return {row.identity: StoredVerdict(**row._mapping) for row in rows}
