"""Store: generations keyed by identity, their dear scores, and runs. Knows no version files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import numpy as np
from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Row,
    Table,
    and_,
    create_engine,
    event,
    exists,
    func,
    insert,
    make_url,
    select,
    update,
)
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from ethogram.errors import StoreError
from ethogram.metrics.base import Score, Span
from ethogram.spec.generation import FinishReason, Generation, Trace
from ethogram.spec.selection import Selection
from ethogram.store.schema import (
    generations_table,
    migrate,
    runs_table,
    scores_table,
    traces_table,
)
from ethogram.store.traces import pack, unpack

#: SQLite allows 32766 bound values; identities are looked up in chunks well below it.
CHUNK = 500
#: Another process may hold the write lock for as long as one transaction takes.
BUSY_SECONDS = 30


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One act of making generations; `finished_at` is None if it was cut off."""

    id: int
    version: str
    version_identity: str
    started_at: str
    finished_at: str | None
    made: int | None
    tokens: int | None


@dataclass(frozen=True, slots=True)
class Scorer:
    """What gave a score: any change of these would give another.

    Attributes:
        metric: its name.
        version: the metric's.
        model: identities of the models that it read; empty if none.
    """

    metric: str
    version: int
    model: str


@dataclass(frozen=True, slots=True)
class Scored:
    """What was scored.

    Attributes:
        generation: identity of the generation; of several samples of a prompt, of the first.
        read: digest of all else that the metric could read: the other samples, the prompt as the
            suite words it, the right answer.
    """

    generation: str
    read: str


class Store:
    """The generations of a study.

    Every write is one transaction, so a process killed at any moment leaves whole generations
    only. SQLite runs in WAL mode: readers never wait for the writer.
    """

    def __init__(self, engine: Engine, where: str) -> None:
        self._engine = engine
        self._where = where
        with self._begin(writes=True) as connection:
            migrate(connection, where)

    @classmethod
    def open(cls, location: str | Path) -> Store:
        """Open the store at a path (SQLite) or SQLAlchemy URL, and make it if it is not there.

        Raises:
            StoreError: it cannot be opened, is no store, or was written by a newer Ethogram.
        """
        if isinstance(location, Path) or "://" not in location:
            path = Path(location)
            if path.is_dir() or not path.parent.is_dir():
                raise StoreError(
                    "is a folder" if path.is_dir() else "its folder does not exist",
                    where=str(path),
                    hint="name a file in study.yaml: store",
                )
            url, where = f"sqlite:///{path}", str(path)
        else:
            url, where = location, _without_password(location)
        engine = _engine(url, where)
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", _prepare_sqlite)
            event.listen(engine, "begin", _begin_at_once)
        return cls(engine, where)

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def add(self, generations: Iterable[Generation], *, model: str) -> int:
        """Store generations, and traces they have, in one transaction; what is there stays.

        Args:
            generations: to store.
            model: identity of the model that made them.

        Returns:
            How many were new.

        Raises:
            StoreError: disk full, read-only, … ; nothing of this call is stored then.
        """
        items = {generation.identity: generation for generation in generations}
        with self._begin(writes=True) as connection:
            absent = self._absent(connection, items)
            fresh = [item for identity, item in items.items() if identity in absent]
            if fresh:
                connection.execute(
                    insert(generations_table), [_to_row(item, model) for item in fresh]
                )
                self._add_traces(
                    connection, {item.identity: item.trace for item in fresh if item.trace}
                )
        return len(fresh)

    def add_traces(self, traces: Mapping[str, Trace]) -> None:
        """Store traces by identity of their generations, in one transaction; what is there stays.

        Raises:
            StoreError: disk full, read-only, … ; nothing of this call is stored then.
        """
        with self._begin(writes=True) as connection:
            self._add_traces(connection, traces)

    def _add_traces(self, connection: Connection, traces: Mapping[str, Trace]) -> None:
        absent = self._absent(connection, traces, traces_table)
        fresh = [_trace_row(name, trace) for name, trace in traces.items() if name in absent]
        if fresh:
            connection.execute(insert(traces_table), fresh)

    def traces(self, identities: Sequence[str]) -> dict[str, Trace]:
        """The stored traces of the generations of these identities.

        Raises:
            StoreError: a trace is damaged.
        """
        found: dict[str, Trace] = {}
        with self._begin() as connection:
            for chunk in _chunks(sorted(set(identities))):
                query = select(traces_table).where(traces_table.c.identity.in_(chunk))
                for row in connection.execute(query):
                    try:
                        found[row.identity] = _trace(row)
                    except ValueError as error:
                        raise StoreError(str(error), where=self._where) from None
        return found

    def missing_traces(self, identities: Sequence[str]) -> list[str]:
        """Those of the identities without a stored trace, in their order."""
        with self._begin() as connection:
            absent = self._absent(connection, identities, traces_table)
        return [identity for identity in identities if identity in absent]

    def missing(self, identities: Sequence[str]) -> list[str]:
        """Those of the identities that are not stored, in their order."""
        with self._begin() as connection:
            absent = self._absent(connection, identities)
        return [identity for identity in identities if identity in absent]

    def get(self, identities: Sequence[str]) -> dict[str, Generation]:
        """The stored ones among the identities, without their traces."""
        found: dict[str, Generation] = {}
        with self._begin() as connection:
            for chunk in _chunks(sorted(set(identities))):
                query = select(generations_table).where(generations_table.c.identity.in_(chunk))
                found.update((row.identity, _from_row(row)) for row in connection.execute(query))
        return found

    def iter_generations(self) -> Iterator[Generation]:
        """All generations in order of identity, streamed."""
        query = select(generations_table).order_by(generations_table.c.identity)
        with self._begin() as connection:
            for row in connection.execution_options(yield_per=CHUNK).execute(query):
                yield _from_row(row)

    def count(self) -> int:
        """How many generations are stored."""
        with self._begin() as connection:
            query = select(func.count()).select_from(generations_table)
            return int(connection.execute(query).scalar_one())

    def scores(self, scorer: Scorer, wanted: Sequence[Scored]) -> dict[Scored, Score]:
        """The stored scores among those wanted."""
        table, found, asked = scores_table, {}, set(wanted)
        with self._begin() as connection:
            for chunk in _chunks([scored.generation for scored in wanted]):
                query = select(table).where(_given_by(scorer), table.c.generation.in_(chunk))
                for row in connection.execute(query):
                    scored = Scored(row.generation, row.read)
                    if scored in asked:
                        found[scored] = _to_score(row)
        return found

    def add_scores(self, scorer: Scorer, scores: Mapping[Scored, Score]) -> None:
        """Store scores in one transaction; those already there stay as they are."""
        table = scores_table
        with self._begin(writes=True) as connection:
            known: set[Scored] = set()
            for chunk in _chunks([scored.generation for scored in scores]):
                query = select(table.c.generation, table.c.read).where(
                    _given_by(scorer), table.c.generation.in_(chunk)
                )
                known.update(Scored(*row) for row in connection.execute(query))
            fresh = [
                _from_score(scorer, scored, score)
                for scored, score in scores.items()
                if scored not in known
            ]
            if fresh:
                connection.execute(insert(table), fresh)

    def start_run(self, version: str, version_identity: str) -> int:
        """Record that a run begins; returns its id."""
        with self._begin(writes=True) as connection:
            result = connection.execute(
                insert(runs_table).values(
                    version=version, version_identity=version_identity, started_at=_now()
                )
            )
            return int((result.inserted_primary_key or (0,))[0])

    def finish_run(self, run_id: int, *, made: int, tokens: int) -> None:
        """Record that a run ended well."""
        with self._begin(writes=True) as connection:
            connection.execute(
                update(runs_table)
                .where(runs_table.c.id == run_id)
                .values(finished_at=_now(), made=made, tokens=tokens)
            )

    def runs(self, version: str | None = None) -> list[RunRecord]:
        """The runs recorded, oldest first."""
        query = select(runs_table).order_by(runs_table.c.id)
        if version is not None:
            query = query.where(runs_table.c.version == version)
        with self._begin() as connection:
            return [RunRecord(*row) for row in connection.execute(query)]

    def _absent(
        self, connection: Connection, identities: Iterable[str], table: Table = generations_table
    ) -> set[str]:
        """Those of the identities that a table lacks.

        In order, so that the pages of its index are read one after the other: 100 000 identities
        take a third of the time that they take at random.
        """
        wanted, column = sorted(set(identities)), table.c.identity
        if connection.dialect.name == "sqlite":
            asked = func.json_each(json.dumps(wanted)).table_valued("value")
            query = select(asked.c.value).where(~exists().where(column == asked.c.value))
            return set(connection.execute(query).scalars())
        absent = set(wanted)
        for chunk in _chunks(wanted):
            absent.difference_update(
                connection.execute(select(column).where(column.in_(chunk))).scalars()
            )
        return absent

    @contextmanager
    def _begin(self, *, writes: bool = False) -> Iterator[Connection]:
        """A transaction whose database errors become one line."""
        try:
            with self._engine.execution_options(writes=writes).begin() as connection:
                yield connection
        except DBAPIError as error:
            raise _explain(error, self._where) from None


_HINTS = {
    "database or disk is full": "free some space and run again; what was stored is kept",
    "unable to open database file": "check that the folder exists and can be written",
    "attempt to write a readonly database": "make the file and its folder writable",
    "file is not a database": "move the file away, or restore it from a copy",
    "database disk image is malformed": "restore it from a copy, or move it away and run again",
    "database is locked": "another process is writing for very long; try again",
    "disk I/O error": "check the disk and its free space; what was stored is kept",
}


def _without_password(url: str) -> str:
    try:
        return make_url(url).render_as_string(hide_password=True)
    except ArgumentError:
        return "store"


def _engine(url: str, where: str) -> Engine:
    try:
        return create_engine(url)
    except NoSuchModuleError:
        raise StoreError(
            "SQLAlchemy knows no such database",
            where=where,
            hint="name a file, or a URL such as postgresql+psycopg://host/database",
        ) from None
    except ImportError as error:
        raise StoreError(
            f"the driver {error.name!r} of this database is not installed",
            where=where,
            hint="install it with pip, or name another in the URL, as in postgresql+psycopg://…",
        ) from None
    except ArgumentError:
        raise StoreError(
            "no URL of a database", where=where, hint="name a file in study.yaml: store"
        ) from None


def _explain(error: DBAPIError, where: str) -> StoreError:
    problem = str(error.orig).splitlines()[0]
    return StoreError(problem, where=where, hint=_HINTS.get(problem))


def _prepare_sqlite(connection: Any, _: object) -> None:
    # SQLAlchemy begins transactions itself (see _begin_at_once); the driver must not.
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout={BUSY_SECONDS * 1000}")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")


def _begin_at_once(connection: Connection) -> None:
    # A deferred transaction that turns from reading to writing fails when another process wrote in
    # between, without waiting; taking the write lock first makes it wait. Readers need no lock.
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _chunks(identities: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(identities), CHUNK):
        yield identities[start : start + CHUNK]


def _to_row(generation: Generation, model: str) -> dict[str, Any]:
    return {
        "identity": generation.identity,
        "prompt_id": generation.prompt_id,
        "sample_index": generation.sample_index,
        "model": model,
        "prompt_text": generation.prompt_text,
        "prompt_token_ids": np.asarray(generation.prompt_token_ids, "<i4").tobytes(),
        "token_ids": np.asarray(generation.token_ids, "<i4").tobytes(),
        "text": generation.text,
        "finish_reason": generation.finish_reason,
        "logprobs": np.asarray(generation.logprobs, "<f4").tobytes(),
        "seconds": generation.seconds,
        "created_at": _now(),
        "selection": json.dumps(generation.selection.to_json()) if generation.selection else None,
    }


def _from_row(row: Row[Any]) -> Generation:
    return Generation(
        identity=row.identity,
        prompt_id=row.prompt_id,
        sample_index=row.sample_index,
        prompt_text=row.prompt_text,
        prompt_token_ids=tuple(np.frombuffer(row.prompt_token_ids, "<i4").tolist()),
        token_ids=tuple(np.frombuffer(row.token_ids, "<i4").tolist()),
        text=row.text,
        finish_reason=cast("FinishReason", row.finish_reason),
        logprobs=tuple(np.frombuffer(row.logprobs, "<f4").tolist()),
        seconds=row.seconds,
        selection=Selection.from_json(json.loads(row.selection)) if row.selection else None,
    )


def _trace_row(identity: str, trace: Trace) -> dict[str, Any]:
    return {
        "identity": identity,
        "tokens": len(trace),
        "alternatives": trace.alternatives.shape[1],
        "steps": json.dumps(trace.steps),
        "data": pack(trace),
    }


def _trace(row: Row[Any]) -> Trace:
    return unpack(
        row.data,
        tokens=row.tokens,
        alternatives=row.alternatives,
        steps=tuple(json.loads(row.steps)),
    )


def _given_by(scorer: Scorer) -> ColumnElement[bool]:
    columns = scores_table.c
    return and_(
        columns.metric == scorer.metric,
        columns.metric_version == scorer.version,
        columns.model == scorer.model,
    )


def _from_score(scorer: Scorer, scored: Scored, score: Score) -> dict[str, Any]:
    return {
        "generation": scored.generation,
        "metric": scorer.metric,
        "metric_version": scorer.version,
        "model": scorer.model,
        "read": scored.read,
        "value": score.value,
        "parts": np.asarray(score.parts, "<f8").tobytes(),
        "spans": json.dumps([[span.start, span.end, span.label] for span in score.spans]),
        "created_at": _now(),
    }


def _to_score(row: Row[Any]) -> Score:
    return Score(
        row.value,
        tuple(np.frombuffer(row.parts, "<f8").tolist()),
        tuple(Span(*span) for span in json.loads(row.spans)),
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
