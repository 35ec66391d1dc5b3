"""Complete versions and their kept scores: what is known without reading a generation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import select, text

from ethogram.store.kept_tables import (
    complete_table,
    version_scores_table,
    version_values_table,
)
from ethogram.store.queries import absent, insert_new, replace_rows
from ethogram.store.schema import generations_table
from ethogram.store.store import Store

#: Hexadecimal digits of an identity.
_DIGITS = 64


def complete_identities(store: Store, basis: str) -> tuple[str, ...] | None:
    """The identities of a version of which every output is stored; None where that is not known.

    Args:
        store: opened.
        basis: digest of all that the identities follow from.
    """
    query = select(complete_table.c.identities).where(complete_table.c.basis == basis)
    with store.database.begin() as connection:
        packed = connection.execute(query).scalar()
    return None if packed is None else unpacked(packed)


def unpacked(packed: bytes) -> tuple[str, ...]:
    """The identities of a row of the table of complete versions."""
    digits = bytes(packed).hex()
    return tuple(digits[at : at + _DIGITS] for at in range(0, len(digits), _DIGITS))


def is_noted(store: Store, basis: str) -> bool:
    """Whether a version is noted as complete."""
    query = select(complete_table.c.basis).where(complete_table.c.basis == basis)
    with store.database.begin() as connection:
        return connection.execute(query).first() is not None


def add_complete(store: Store, basis: str, identities: Sequence[str]) -> bool:
    """Remember that a version has every output, unless one is missing.

    No generation can be deleted between the look and the note of it: SQLite has one writer at a
    time, and in PostgreSQL the trigger of a deletion waits for this lock.

    Returns:
        Whether all are stored.

    Raises:
        StoreError: disk full, read-only, …; nothing of this call is stored then.
    """
    with store.database.begin(writes=True) as connection:
        if not store.database.is_sqlite:
            connection.execute(text("LOCK TABLE complete IN SHARE ROW EXCLUSIVE MODE"))
        if absent(connection, generations_table.c.identity, identities):
            return False
        row = {"basis": basis, "identities": bytes.fromhex("".join(identities))}
        insert_new(connection, complete_table, [row])
    return True


def version_scores(store: Store, version: str, metric: str, basis: str) -> str | None:
    """The kept scores of a version under a metric, as JSON, if they have the wanted basis."""
    columns = version_scores_table.c
    query = select(columns.data).where(
        columns.version == version, columns.metric == metric, columns.basis == basis
    )
    with store.database.begin() as connection:
        data: str | None = connection.execute(query).scalar()
    return data


def version_values(store: Store, version: str, bases: Mapping[str, str]) -> dict[str, str]:
    """The kept values of a version by metric, as JSON, where they have the wanted basis.

    Args:
        store: opened.
        version: its name.
        bases: metric to the digest of all that its scores follow from.
    """
    columns = version_values_table.c
    query = select(version_values_table).where(columns.version == version)
    with store.database.begin() as connection:
        rows = connection.execute(query).all()
    return {row.metric: row.data for row in rows if bases.get(row.metric) == row.basis}


def keep_scores(store: Store, version: str, kept: Mapping[str, tuple[str, str, str]]) -> None:
    """Keep the scores of a version; those of another basis go.

    Args:
        store: opened.
        version: its name.
        kept: metric to basis, JSON of its values, and JSON of its scores.

    Raises:
        StoreError: disk full, read-only, …; nothing of this call is stored then.
    """
    scores, values = [], []
    for metric, (basis, value, data) in kept.items():
        row = {"version": version, "metric": metric, "basis": basis}
        values.append({**row, "data": value})
        scores.append({**row, "data": data})
    with store.database.begin(writes=True) as connection:
        replace_rows(connection, version_scores_table, scores)
        replace_rows(connection, version_values_table, values)
