"""Connection: opens a database and runs transactions; its errors become one line for the user."""

from __future__ import annotations

import os
import random
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from ethogram.errors import MissingExtraError, StoreError
from ethogram.store import postgres

#: Another process may hold the write lock for as long as one transaction takes.
BUSY_SECONDS = 30
#: The environment variable that takes the place of `store:` in study.yaml.
VARIABLE = "ETHOGRAM_STORE"
_HINTS = {
    "database or disk is full": "free some space and run again; what was stored is kept",
    "unable to open database file": "check that the folder exists and can be written",
    "attempt to write a readonly database": "make the file and its folder writable",
    "file is not a database": "move the file away, or restore it from a copy",
    "database disk image is malformed": "restore it from a copy, or move it away and run again",
    "database is locked": "another process has been writing for very long; try again",
    "disk I/O error": "check the disk and its free space; what was stored is kept",
}


class Database:
    """An open database.

    Args:
        location: a path (SQLite, made if missing), or a URL of PostgreSQL or SQLite.

    Attributes:
        engine: SQLAlchemy's.
        where: the location for error messages, without a password.
        path: of the file; None for PostgreSQL and for a database in memory.

    Raises:
        StoreError: it cannot be opened.
        MissingExtraError: PostgreSQL without the extra `postgres`.
    """

    def __init__(self, location: str | Path) -> None:
        self.path: Path | None = None
        if isinstance(location, Path) or "://" not in location:
            self.path = Path(location)
            _refuse_place(self.path)
            url, self.where = URL.create("sqlite", database=str(self.path)), str(self.path)
        else:
            url, self.where = _parsed(location)
            if url.get_backend_name() == "sqlite" and url.database not in (None, "", ":memory:"):
                self.path = Path(str(url.database))
        self.engine = _create(url)
        if self.is_sqlite:
            event.listen(self.engine, "connect", _prepare_sqlite)
            event.listen(self.engine, "begin", _begin_immediately)

    @property
    def is_sqlite(self) -> bool:
        """Whether it is an SQLite file rather than a PostgreSQL server."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def begin(self, *, writes: bool = False, snapshot: bool = False) -> Iterator[Connection]:
        """A transaction.

        Args:
            writes: whether it writes.
            snapshot: whether all that it reads must be of one moment; SQLite always does so.

        Raises:
            StoreError: any error of the database, on one line.
        """
        options: dict[str, Any] = {"writes": writes}
        if snapshot and not self.is_sqlite:
            options["isolation_level"] = "REPEATABLE READ"
        try:
            with self.engine.execution_options(**options).begin() as connection:
                yield connection
        except DBAPIError as error:
            raise self.explain(error) from None
        except UnicodeEncodeError as error:
            raise StoreError(
                f"a text has a character that is not valid Unicode: {error.reason}",
                where=self.where,
                hint="look for a lone surrogate such as \\ud800 in the suite",
            ) from None

    def explain(self, error: DBAPIError) -> StoreError:
        """An error of the database in one line, with what to do about it."""
        lines = str(error.orig).strip().splitlines() or [type(error.orig).__name__]
        hint = _HINTS.get(lines[0]) if self.is_sqlite else postgres.hint(error)
        return StoreError(lines[0].strip(), where=self.where, hint=hint)

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def location_of(setting: str) -> str:
    """Where the store is: $ETHOGRAM_STORE, else the setting of study.yaml."""
    return os.environ.get(VARIABLE) or setting


def _refuse_place(path: Path) -> None:
    if path.is_dir() or not path.parent.is_dir():
        raise StoreError(
            "is a folder" if path.is_dir() else "its folder does not exist",
            where=str(path),
            hint="name a file in study.yaml: store",
        )


def _parsed(location: str) -> tuple[URL, str]:
    """A URL with its driver, and as it may be shown.

    Raises:
        StoreError: it is not one of a database that holds a store.
    """
    try:
        url = make_url(location)
    except (ArgumentError, ValueError):
        raise StoreError(
            "not a database URL",
            where="store",
            hint="name a file in study.yaml: store, or postgresql://USER@HOST/DATABASE",
        ) from None
    where = postgres.shown(url)
    if url.get_backend_name() in ("postgresql", "postgres"):
        url = url.set(drivername="postgresql+psycopg")
    elif url.get_backend_name() != "sqlite":
        raise StoreError(
            f"{url.get_backend_name()!r} is not supported; a store is in SQLite or PostgreSQL",
            where=where,
            hint="name a file, or a URL such as postgresql://USER@HOST/DATABASE",
        )
    return url, where


def _create(url: URL) -> Engine:
    if url.get_backend_name() == "sqlite":
        return create_engine(url)
    try:
        return create_engine(url, **postgres.OPTIONS, connect_args=postgres.connect_args())
    except ImportError:
        raise MissingExtraError("postgres", "a store in PostgreSQL") from None


def _prepare_sqlite(connection: Any, _: object) -> None:
    # SQLAlchemy begins transactions itself (see _begin_immediately); the driver must not.
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout={BUSY_SECONDS * 1000}")
    _use_wal(connection)
    connection.execute("PRAGMA synchronous=NORMAL")


def _use_wal(connection: Any) -> None:
    """Turn write-ahead logging on, which a file keeps.

    Two processes that do so to a new file at once lock each other out: SQLite then fails without
    the waiting of `busy_timeout`, which would never end.
    """
    until = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(random.uniform(0.001, 0.02))


def _begin_immediately(connection: Connection) -> None:
    # A deferred transaction that turns from reading to writing fails when another process wrote in
    # between, without waiting; taking the write lock first makes it wait. Readers need no lock.
    options = connection.get_execution_options()
    if options.get("no_begin"):
        return
    writes = options.get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
