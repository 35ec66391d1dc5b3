"""Inspect: what a store holds, without upgrading or changing it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, inspect, select

from ethogram.errors import StoreError
from ethogram.store.connect import Database
from ethogram.store.processors import processor_counts
from ethogram.store.schema import (
    SCHEMA_VERSION,
    generations_table,
    processors_table,
    runs_table,
    schema_table,
    scores_table,
    traces_table,
    trainings_table,
    verdicts_table,
)
from ethogram.store.sweep_tables import sweeps_table

_COUNTED = (
    generations_table, traces_table, scores_table, verdicts_table, trainings_table, sweeps_table,
    runs_table,
)  # fmt: skip


@dataclass(frozen=True)
class Contents:
    """What a store holds.

    Attributes:
        where: it is, without a password.
        schema: of its tables.
        newest: schema that this program writes.
        rows: of each table that counts.
        processors: kinds of processors that computed its generations, and how many.
        interrupted: runs that did not finish, and whose version was not run to the end later.
    """

    where: str
    schema: int
    newest: int
    rows: Mapping[str, int]
    processors: Mapping[str, int]
    interrupted: int


def inspect_store(location: str | Path) -> Contents:
    """The contents of a store at a path or URL.

    Raises:
        StoreError: it cannot be opened, or is not a store.
    """
    database = Database(location)
    try:
        with database.begin() as connection:
            names = set(inspect(connection).get_table_names())
            if schema_table.name not in names:
                raise StoreError("is not an Ethogram store", where=database.where)
            rows = {
                table.name: int(
                    connection.execute(select(func.count()).select_from(table)).scalar_one()
                )
                for table in _COUNTED
                if table.name in names
            }
            schema = connection.execute(select(func.max(schema_table.c.version))).scalar() or 0
            has_kinds = processors_table.name in names
            kinds = processor_counts(connection, None) if has_kinds else {}
            ended = select(runs_table.c.version_identity).where(
                runs_table.c.finished_at.is_not(None)
            )
            open_runs = (
                select(func.count(runs_table.c.version_identity.distinct()))
                .where(runs_table.c.finished_at.is_(None))
                .where(runs_table.c.version_identity.not_in(ended))
            )
            interrupted = int(connection.execute(open_runs).scalar_one())
    finally:
        database.close()
    return Contents(database.where, int(schema), SCHEMA_VERSION, rows, kinds, interrupted)
