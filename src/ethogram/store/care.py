"""Care of a store: is it whole, what may go, how to give back space."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, delete, exists, or_, select, text
from sqlalchemy.exc import DBAPIError

from ethogram.store.connect import Database
from ethogram.store.copying import count_of, parts_of, tables
from ethogram.store.kept_tables import version_scores_table, version_values_table
from ethogram.store.queries import CHUNK, absent, rows_with
from ethogram.store.rows import generation_from, score_from, trace_from
from ethogram.store.schema import (
    branches_table,
    generations_table,
    points_table,
    runs_table,
    scores_table,
    suites_table,
    tests_table,
    traces_table,
    training_outputs_table,
    trainings_table,
    verdicts_table,
)
from ethogram.store.sweep_tables import (
    sweep_promotions_table,
    sweep_trials_table,
    sweep_values_table,
    sweeps_table,
)

#: Findings of one kind that are named; the others are counted.
NAMED = 3
_READERS: tuple[tuple[Table, Callable[[Any], object]], ...] = (
    (generations_table, generation_from),
    (traces_table, trace_from),
    (branches_table, generation_from),
    (branches_table, trace_from),
    (scores_table, score_from),
    (version_scores_table, lambda row: json.loads(row.data)),
    (version_values_table, lambda row: json.loads(row.data)),
    (tests_table, lambda row: json.loads(row.data)),
    (sweeps_table, lambda row: (json.loads(row.asked), json.loads(row.result or "{}"))),
    (sweep_trials_table, lambda row: (json.loads(row.setting), json.loads(row.version))),
)
_OWNERS: tuple[tuple[str, ColumnElement[Any], ColumnElement[Any]], ...] = (
    ("a trace without its generation", traces_table.c.identity, generations_table.c.identity),
    ("a score without its generation", scores_table.c.generation, generations_table.c.identity),
    ("a verdict without its first output", verdicts_table.c.first, generations_table.c.identity),
    ("a verdict without its second output", verdicts_table.c.second, generations_table.c.identity),
    ("a point without its training", points_table.c.training, trainings_table.c.id),
    ("an output without its training", training_outputs_table.c.training, trainings_table.c.id),
    ("a setting without its sweep", sweep_trials_table.c.sweep, sweeps_table.c.id),
    ("a value without its sweep", sweep_values_table.c.sweep, sweeps_table.c.id),
    ("a promotion without its sweep", sweep_promotions_table.c.sweep, sweeps_table.c.id),
)


def faults(database: Database, suite_digest: Callable[[str], str]) -> Iterator[str]:
    """What is wrong in a store, one line each; a kind of fault names a few rows and counts them.

    Args:
        database: opened.
        suite_digest: the digest of a suite of this JSON.

    Raises:
        StoreError: it cannot be read at all.
    """
    with database.begin(snapshot=True) as connection:
        if database.is_sqlite:
            yield from _pages(connection)
        for table, read in _READERS:
            yield from _listed(
                f"{table.name}: cannot be read", _unreadable(connection, table, read)
            )
        for what, column, owner in _OWNERS:
            query = select(column).where(column.is_not(None) & ~exists().where(owner == column))
            yield from _listed(what, map(str, connection.execute(query.distinct()).scalars()))
        yield from _listed(
            "suites: the text does not have the digest it is stored under",
            _wrong_suites(connection, suite_digest),
        )
        yield from _listed("runs: the suite is not stored", _lost_suites(connection))


def _pages(connection: Connection) -> Iterator[str]:
    """SQLite's own check of pages, indexes and foreign keys."""
    for (line,) in connection.exec_driver_sql("PRAGMA integrity_check(10)"):
        if line != "ok":
            yield f"integrity_check: {' '.join(str(line).split())}"
    for row in connection.exec_driver_sql("PRAGMA foreign_key_check"):
        yield f"foreign_key_check: {tuple(row)}"


def _unreadable(
    connection: Connection, table: Table, read: Callable[[Any], object]
) -> Iterator[str]:
    keys = [column.name for column in table.primary_key]
    for part in parts_of(connection, table):
        for row in part:
            try:
                read(row)
            except (ValueError, TypeError, KeyError, IndexError) as error:
                key = " ".join(str(getattr(row, each))[:12] for each in keys)
                yield f"{key} ({str(error) or type(error).__name__})"


def _wrong_suites(connection: Connection, suite_digest: Callable[[str], str]) -> Iterator[str]:
    for row in connection.execute(select(suites_table)):
        try:
            if suite_digest(row.data) != row.digest:
                yield str(row.digest)[:12]
        except ValueError as error:
            yield f"{str(row.digest)[:12]} ({str(error).splitlines()[0]})"


def _lost_suites(connection: Connection) -> Iterator[str]:
    query = select(runs_table.c.id, runs_table.c.settings).where(runs_table.c.settings.is_not(None))
    wanted: dict[str, int] = {}
    for row in connection.execute(query):
        try:
            wanted[json.loads(row.settings)["suite"]] = row.id
        except (ValueError, KeyError, TypeError):
            yield f"{row.id} (its settings cannot be read)"
    for digest in sorted(absent(connection, suites_table.c.digest, list(wanted))):
        yield f"{wanted[digest]} (suite {digest[:12]})"


def _listed(what: str, rows: Iterator[str]) -> Iterator[str]:
    """A line for all rows with one fault."""
    named, count = [], 0
    for row in rows:
        count += 1
        if count <= NAMED:
            named.append(row)
    if count:
        more = f" and {count - NAMED} more" if count > NAMED else ""
        yield f"{what}: {', '.join(named)}{more}"


def places(database: Database, identities: Sequence[str]) -> dict[str, tuple[str, int]]:
    """Prompt id and sample index of stored generations."""
    columns = generations_table.c
    query = select(columns.identity, columns.prompt_id, columns.sample_index)
    with database.begin() as connection:
        rows = rows_with(connection, query, columns.identity, identities)
        return {row.identity: (row.prompt_id, row.sample_index) for row in rows}


def counts(database: Database) -> dict[str, int]:
    """Rows of each table."""
    with database.begin() as connection:
        return {table.name: count_of(connection, table) for table in tables()}


def size(database: Database) -> int:
    """Bytes that the store takes."""
    if database.is_sqlite:
        if database.path is None:
            return 0
        beside = database.path.parent.glob(f"{database.path.name}*")
        ours = {database.path.name + suffix for suffix in ("", "-wal", "-shm")}
        return sum(file.stat().st_size for file in beside if file.name in ours)
    names = [table.name for table in tables()]
    each = "pg_total_relation_size(to_regclass(n))"
    query = text(f"SELECT coalesce(sum({each}), 0) FROM unnest(CAST(:n AS text[])) n")
    with database.begin() as connection:
        return int(connection.execute(query, {"n": names}).scalar_one())


def unnamed(database: Database, keep: Sequence[str]) -> list[str]:
    """Identities of the stored generations that are not among those to keep, in order."""
    kept = set(keep)
    column = generations_table.c.identity
    with database.begin(snapshot=True) as connection:
        found = connection.execute(select(column).order_by(column)).scalars()
        return [identity for identity in found if identity not in kept]


def forget(database: Database, identities: Sequence[str]) -> dict[str, int]:
    """Delete generations and all that is about them, in one transaction; returns rows by table.

    Raises:
        StoreError: nothing was deleted then.
    """
    gone: dict[str, int] = {}
    with database.begin(writes=True) as connection:
        for start in range(0, len(identities), CHUNK):
            part = identities[start : start + CHUNK]
            for table, condition in (
                (traces_table, traces_table.c.identity.in_(part)),
                (scores_table, scores_table.c.generation.in_(part)),
                (
                    verdicts_table,
                    or_(verdicts_table.c.first.in_(part), verdicts_table.c.second.in_(part)),
                ),
                (generations_table, generations_table.c.identity.in_(part)),
            ):
                found = connection.execute(delete(table).where(condition)).rowcount
                gone[table.name] = gone.get(table.name, 0) + found
    return gone


def vacuum(database: Database) -> tuple[int, int]:
    """Give back the space of deleted rows and renew the planner's statistics.

    Returns:
        Bytes before and after.

    Raises:
        StoreError: the disk is full, or another process writes.
    """
    before = size(database)
    # Neither database vacuums inside a transaction. The driver of SQLite begins none by itself.
    options = {"no_begin": True} if database.is_sqlite else {"isolation_level": "AUTOCOMMIT"}
    names = ", ".join(table.name for table in tables())
    statements: tuple[str, ...] = ("VACUUM", "ANALYZE", "PRAGMA wal_checkpoint(TRUNCATE)")
    if not database.is_sqlite:
        statements = (f"VACUUM (FULL, ANALYZE) {names}",)
    try:
        with database.engine.execution_options(**options).connect() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)
    except DBAPIError as error:
        raise database.explain(error) from None
    return before, size(database)
