"""Connection: opens a database and runs transactions; its errors become one line for the user."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Row,
    Select,
    create_engine,
    event,
    exists,
    func,
    make_url,
    select,
)
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from ethogram.errors import StoreError

#: SQLite allows 32766 bound values; identities are looked up in chunks well below it.
CHUNK = 500
#: Another process may hold the write lock for as long as one transaction takes.
BUSY_SECONDS = 30
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
        location: a path (SQLite, made if missing) or a SQLAlchemy URL.

    Attributes:
        engine: SQLAlchemy's.
        where: the location for error messages, without a password.

    Raises:
        StoreError: it cannot be opened.
    """

    def __init__(self, location: str | Path) -> None:
        if isinstance(location, Path) or "://" not in location:
            path = Path(location)
            if path.is_dir() or not path.parent.is_dir():
                raise StoreError(
                    "is a folder" if path.is_dir() else "its folder does not exist",
                    where=str(path),
                    hint="name a file in study.yaml: store",
                )
            url, self.where = f"sqlite:///{path}", str(path)
        else:
            url, self.where = location, _without_password(location)
        self.engine = _create(url, self.where)
        if self.engine.dialect.name == "sqlite":
            event.listen(self.engine, "connect", _prepare_sqlite)
            event.listen(self.engine, "begin", _begin_immediately)

    @contextmanager
    def begin(self, *, writes: bool = False) -> Iterator[Connection]:
        """A transaction.

        Raises:
            StoreError: any error of the database, on one line.
        """
        try:
            with self.engine.execution_options(writes=writes).begin() as connection:
                yield connection
        except DBAPIError as error:
            raise _explain(error, self.where) from None

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def rows_with(
    connection: Connection, query: Select[Any], column: ColumnElement[Any], values: Iterable[str]
) -> Iterator[Row[Any]]:
    """The rows of a query whose column has one of many values, looked up in chunks.

    In order, so that the pages of an index are read one after the other: 100 000 identities take a
    third of the time that they take in random order.
    """
    wanted = sorted(set(values))
    for start in range(0, len(wanted), CHUNK):
        yield from connection.execute(query.where(column.in_(wanted[start : start + CHUNK])))


def absent(connection: Connection, column: ColumnElement[Any], values: Sequence[str]) -> set[str]:
    """Those of the values that a column does not hold."""
    if connection.dialect.name == "sqlite":
        listed = func.json_each(json.dumps(sorted(set(values)))).table_valued("value")
        query = select(listed.c.value).where(~exists().where(column == listed.c.value))
        return set(connection.execute(query).scalars())
    return set(values) - {row[0] for row in rows_with(connection, select(column), column, values)}


def _without_password(url: str) -> str:
    try:
        return make_url(url).render_as_string(hide_password=True)
    except ArgumentError:
        return "store"


def _create(url: str, where: str) -> Engine:
    try:
        return create_engine(url)
    except NoSuchModuleError:
        raise StoreError(
            "SQLAlchemy does not support this database",
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
            "not a database URL", where=where, hint="name a file in study.yaml: store"
        ) from None


def _explain(error: DBAPIError, where: str) -> StoreError:
    problem = str(error.orig).splitlines()[0]
    return StoreError(problem, where=where, hint=_HINTS.get(problem))


def _prepare_sqlite(connection: Any, _: object) -> None:
    # SQLAlchemy begins transactions itself (see _begin_immediately); the driver must not.
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout={BUSY_SECONDS * 1000}")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")


def _begin_immediately(connection: Connection) -> None:
    # A deferred transaction that turns from reading to writing fails when another process wrote in
    # between, without waiting; taking the write lock first makes it wait. Readers need no lock.
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
