"""Run lock: one run at a time on a study, among all machines that share its PostgreSQL store."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from ethogram.errors import StoreError
from ethogram.store.connect import Database
from ethogram.store.postgres import key_of, schema_of

#: A waiting run looks this often whether the lock is free.
POLL_SECONDS = 0.5
_HOLDER = text(
    "SELECT a.application_name, a.usename, a.pid, "
    "to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') AS since "
    "FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid "
    "WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 "
    "AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
    "AND l.classid::bigint = :high AND l.objid::bigint = :low"
)


@contextmanager
def run_lock(
    database: Database, study: str, on_wait: Callable[[str], None] | None
) -> Iterator[None]:
    """Hold the run lock of a study among all machines; the server frees it when a process dies.

    Args:
        database: of the study.
        study: its name.
        on_wait: called once, with who holds the lock, if it is not free.

    Raises:
        StoreError: the server failed; says who holds the lock, read back on a new connection.
    """
    held: Connection | None = None
    key = 0
    try:
        try:
            held = database.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            key = key_of(study, schema_of(held))
            _take(held, key, on_wait)
        except DBAPIError as error:
            raise _lock_error(database, study, error) from None
        yield
    finally:
        if held is not None:
            with suppress(SQLAlchemyError):  # Where the connection is lost, so is the lock.
                held.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": key})
            held.close()


def _take(connection: Connection, key: int, on_wait: Callable[[str], None] | None) -> None:
    attempt = text("SELECT pg_try_advisory_lock(:key)")
    was_said = False
    while not connection.execute(attempt, {"key": key}).scalar_one():
        if not was_said and on_wait:
            on_wait(_holder(connection, key))
        was_said = True
        time.sleep(POLL_SECONDS)


def _lock_error(database: Database, study: str, error: DBAPIError) -> StoreError:
    """An error while locking; whether the lock was taken is unknown, so it is read back."""
    explained = database.explain(error)
    with suppress(DBAPIError), database.engine.connect() as connection:
        holder = _holder(connection, key_of(study, schema_of(connection)))
        said = f"the run lock is held by {holder}" if holder else "nobody holds the run lock"
        return StoreError(explained.what, where=explained.where, hint=f"{said}; run again")
    return explained


def _holder(connection: Connection, key: int) -> str:
    """Who holds a lock, in words; empty if nobody does."""
    unsigned = key % 2**64
    parts = {"high": unsigned >> 32, "low": unsigned % 2**32}
    row = connection.execute(_HOLDER, parts).first()
    if row is None:
        return ""
    return f"{row.application_name or f'backend {row.pid}'} ({row.usename}, since {row.since} UTC)"
