"""Processors: which kinds of processors computed the stored generations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress

from sqlalchemy import Connection, func, insert, select
from sqlalchemy.exc import IntegrityError

from ethogram.store.queries import rows_with
from ethogram.store.schema import generations_table, processors_table

#: Longer names are cut, as the column is.
MOST_CHARACTERS = 400


def processor_ids(connection: Connection, kinds: Collection[str | None]) -> dict[str | None, int]:
    """The key of each kind; new ones are added, and one that another process adds is taken."""
    wanted = {kind: kind[:MOST_CHARACTERS] for kind in kinds if kind}
    known = _ids(connection, wanted.values())
    new = sorted(set(wanted.values()) - set(known))
    for kind in new:
        with suppress(IntegrityError), connection.begin_nested():
            connection.execute(insert(processors_table).values(kind=kind))
    if new:
        known |= _ids(connection, new)
    return {kind: known[name] for kind, name in wanted.items()}


def _ids(connection: Connection, kinds: Iterable[str]) -> dict[str, int]:
    rows = rows_with(connection, select(processors_table), processors_table.c.kind, kinds)
    return {row.kind: row.id for row in rows}


def processor_counts(connection: Connection, identities: Sequence[str] | None) -> dict[str, int]:
    """Kinds of processors and their generations; those of an unknown kind are left out.

    A store of one kind, the usual case, is not searched row by row.
    """
    kinds = {row.id: row.kind for row in connection.execute(select(processors_table))}
    column = generations_table.c.processor
    counts: Counter[str] = Counter()
    if identities is None:
        query = select(column, func.count()).where(column.is_not(None)).group_by(column)
        return {kinds[key]: int(count) for key, count in connection.execute(query)}
    if len(kinds) < 2:
        return dict.fromkeys(kinds.values(), len(set(identities)))
    for row in rows_with(connection, select(column), generations_table.c.identity, identities):
        if row.processor is not None:
            counts[kinds[row.processor]] += 1
    return dict(counts)
