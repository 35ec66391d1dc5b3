"""Store: generations keyed by content hash, cached (expensive) scores, traces and runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, Table, func, insert, select, update

from ethogram.errors import StoreError
from ethogram.spec.generation import Generation, Trace
from ethogram.spec.results import Score
from ethogram.store.connect import Database
from ethogram.store.processors import processor_counts, processor_ids
from ethogram.store.queries import absent, insert_new, rows_with
from ethogram.store.rows import (
    Scored,
    Scorer,
    generation_from,
    generation_row,
    given_by,
    now,
    score_from,
    score_row,
    trace_from,
    trace_row,
)
from ethogram.store.schema import (
    generations_table,
    runs_table,
    scores_table,
    suites_table,
    tests_table,
    traces_table,
)
from ethogram.store.upgrade import upgrade


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run of a version.

    Attributes:
        id: counts up.
        version: its name.
        version_identity: of the version as it was.
        started_at: in UTC.
        finished_at: in UTC; None if it was interrupted.
        made: generations.
        tokens: of these.
        settings: JSON of all that its requests follow from; None of runs of 0.1 and of sweeps.
    """

    id: int
    version: str
    version_identity: str
    started_at: str
    finished_at: str | None
    made: int | None
    tokens: int | None
    settings: str | None = None


class Store:
    """The generations of a study.

    Every write is one transaction, so a process killed at any moment leaves whole generations
    only. SQLite runs in WAL mode: readers never wait for the writer. In PostgreSQL several machines
    may write at once.

    Args:
        database: open; brought to the present schema.

    Raises:
        StoreError: it is not a store, or a newer Ethogram wrote it.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        upgrade(database)

    @classmethod
    def open(cls, location: str | Path) -> Store:
        """Open the store at a path (SQLite) or URL (PostgreSQL); a missing file is created.

        Raises:
            StoreError: it cannot be opened, is not a store, or a newer Ethogram wrote it.
        """
        database = Database(location)
        try:
            return cls(database)
        except BaseException:
            database.close()
            raise

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the database."""
        self.database.close()

    def add(self, generations: Iterable[Generation], *, model: str) -> int:
        """Store generations and their traces in one transaction; what is stored already stays.

        Args:
            generations: to store.
            model: identity of the model that made them.

        Returns:
            How many were new.

        Raises:
            StoreError: disk full, read-only, …; nothing of this call is stored then.
        """
        items = {generation.identity: generation for generation in generations}
        with self.database.begin(writes=True) as connection:
            new = absent(connection, generations_table.c.identity, list(items))
            fresh = [item for identity, item in items.items() if identity in new]
            kinds = processor_ids(connection, {item.processor for item in fresh})
            rows = [generation_row(item, model, kinds.get(item.processor)) for item in fresh]
            added = insert_new(connection, generations_table, rows)
            _add_traces(connection, {item.identity: item.trace for item in fresh if item.trace})
        return added

    def add_traces(self, traces: Mapping[str, Trace]) -> None:
        """Store traces by identity of their generations, in one transaction; stored ones stay.

        Raises:
            StoreError: disk full, read-only, …; nothing of this call is stored then.
        """
        with self.database.begin(writes=True) as connection:
            _add_traces(connection, traces)

    def traces(self, identities: Sequence[str]) -> dict[str, Trace]:
        """The stored traces of the generations of these identities.

        Raises:
            StoreError: a trace is damaged.
        """
        found: dict[str, Trace] = {}
        column = traces_table.c.identity
        with self.database.begin() as connection:
            for row in rows_with(connection, select(traces_table), column, identities):
                try:
                    found[row.identity] = trace_from(row)
                except ValueError as error:
                    raise StoreError(str(error), where=self.database.where) from None
        return found

    def missing_traces(self, identities: Sequence[str]) -> list[str]:
        """Those of the identities without a stored trace, in their order."""
        with self.database.begin() as connection:
            missing = absent(connection, traces_table.c.identity, identities)
        return [identity for identity in identities if identity in missing]

    def missing(self, identities: Sequence[str]) -> list[str]:
        """Those of the identities that are not stored, in their order."""
        with self.database.begin() as connection:
            missing = absent(connection, generations_table.c.identity, identities)
        return [identity for identity in identities if identity in missing]

    def get(self, identities: Sequence[str]) -> dict[str, Generation]:
        """The stored ones among the identities, without their traces.

        Raises:
            StoreError: one is damaged.
        """
        query, column = select(generations_table), generations_table.c.identity
        with self.database.begin() as connection:
            rows = rows_with(connection, query, column, identities)
            try:
                return {row.identity: generation_from(row) for row in rows}
            except (ValueError, TypeError, KeyError) as error:
                raise StoreError(
                    f"a stored generation is damaged: {error}",
                    where=self.database.where,
                    hint="find it with `ethogram store check`",
                ) from None

    def texts(self, identities: Sequence[str]) -> dict[str, str]:
        """The texts of the stored ones among the identities, which are read without the rest."""
        columns = generations_table.c
        with self.database.begin() as connection:
            query = select(columns.identity, columns.text)
            rows = rows_with(connection, query, columns.identity, identities)
            return {row.identity: row.text for row in rows}

    def count(self) -> int:
        """How many generations are stored."""
        with self.database.begin() as connection:
            query = select(func.count()).select_from(generations_table)
            return int(connection.execute(query).scalar_one())

    def processors(self, identities: Sequence[str] | None = None) -> dict[str, int]:
        """Kinds of processors and how many of the stored generations each computed.

        Args:
            identities: of the generations; None for all that are stored.
        """
        with self.database.begin() as connection:
            return processor_counts(connection, identities)

    def scores(self, scorer: Scorer, wanted: Sequence[Scored]) -> dict[Scored, Score]:
        """The stored scores among those wanted."""
        query, column = select(scores_table).where(given_by(scorer)), scores_table.c.generation
        requested = set(wanted)
        with self.database.begin() as connection:
            rows = rows_with(connection, query, column, (each.generation for each in wanted))
            found = {Scored(row.generation, row.read): row for row in rows}
        return {each: score_from(row) for each, row in found.items() if each in requested}

    def add_scores(self, scorer: Scorer, scores: Mapping[Scored, Score]) -> None:
        """Store scores in one transaction; stored ones stay as they are.

        Raises:
            StoreError: disk full, read-only, …; nothing of this call is stored then.
        """
        columns = scores_table.c
        query = select(columns.generation, columns.read).where(given_by(scorer))
        generations = [scored.generation for scored in scores]
        with self.database.begin(writes=True) as connection:
            rows = rows_with(connection, query, columns.generation, generations)
            known = {Scored(row.generation, row.read) for row in rows}
            fresh = [
                score_row(scorer, scored, score)
                for scored, score in scores.items()
                if scored not in known
            ]
            insert_new(connection, scores_table, fresh)

    def start_run(self, version: str, version_identity: str, *, settings: str | None = None) -> int:
        """Record that a run begins; returns its id."""
        with self.database.begin(writes=True) as connection:
            result = connection.execute(
                insert(runs_table).values(
                    version=version,
                    version_identity=version_identity,
                    started_at=now(),
                    settings=settings,
                )
            )
            return int((result.inserted_primary_key or (0,))[0])

    def finish_run(self, run_id: int, *, made: int, tokens: int) -> None:
        """Record that a run completed."""
        with self.database.begin(writes=True) as connection:
            connection.execute(
                update(runs_table)
                .where(runs_table.c.id == run_id)
                .values(finished_at=now(), made=made, tokens=tokens)
            )

    def add_suite(self, digest: str, data: str) -> None:
        """Store a suite as JSON under its digest; a stored one stays."""
        _keep(self.database, suites_table, "digest", [{"digest": digest, "data": data}])

    def suite(self, digest: str) -> str | None:
        """A suite as JSON, if it is stored."""
        query = select(suites_table.c.data).where(suites_table.c.digest == digest)
        with self.database.begin() as connection:
            return connection.execute(query).scalar()

    def tests(self, identities: Sequence[str]) -> dict[str, str]:
        """The stored paired tests of these identities, as JSON."""
        query, column = select(tests_table), tests_table.c.identity
        with self.database.begin() as connection:
            rows = rows_with(connection, query, column, identities)
            return {row.identity: row.data for row in rows}

    def add_tests(self, tests: Mapping[str, tuple[str, str]]) -> None:
        """Store paired tests, identity to metric and JSON; stored ones stay.

        Raises:
            StoreError: disk full, read-only, …; nothing of this call is stored then.
        """
        rows = [
            {"identity": identity, "metric": metric, "data": data}
            for identity, (metric, data) in tests.items()
        ]
        _keep(self.database, tests_table, "identity", rows)

    def runs(self, version: str | None = None) -> list[RunRecord]:
        """The recorded runs, oldest first."""
        query = select(runs_table).order_by(runs_table.c.id)
        if version is not None:
            query = query.where(runs_table.c.version == version)
        with self.database.begin() as connection:
            return [RunRecord(*row) for row in connection.execute(query)]


def _keep(database: Database, table: Table, key: str, rows: Sequence[dict[str, str]]) -> None:
    """Insert rows whose key is not there yet, in one transaction."""
    fresh = {row[key]: row for row in rows}
    with database.begin(writes=True) as connection:
        insert_new(connection, table, list(fresh.values()))


def _add_traces(connection: Connection, traces: Mapping[str, Trace]) -> None:
    new = absent(connection, traces_table.c.identity, list(traces))
    fresh = [trace_row(identity, trace) for identity, trace in traces.items() if identity in new]
    insert_new(connection, traces_table, fresh)
