"""Processors: which kinds of processors computed the stored generations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from sqlalchemy import Connection, func, insert, select

from ethogram.store.connect import rows_with
from ethogram.store.schema import generations_table, processors_table


def processor_ids(connection: Connection, kinds: Collection[str | None]) -> dict[str | None, int]:
    """The key of each kind; new ones are added."""
    wanted = {kind[:400] for kind in kinds if kind}
    query, column = select(processors_table), processors_table.c.kind
    known = {row.kind: row.id for row in rows_with(connection, query, column, wanted)}
    for kind in sorted(wanted - set(known)):
        result = connection.execute(insert(processors_table).values(kind=kind))
        known[kind] = int((result.inserted_primary_key or (0,))[0])
    return {kind: known[kind[:400]] for kind in kinds if kind}


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
