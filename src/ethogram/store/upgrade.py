"""Upgrade: brings the tables of an opened database to the present schema, after a backup."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sqlalchemy import Connection, inspect, text

from ethogram.errors import StoreError
from ethogram.store import postgres
from ethogram.store.connect import Database
from ethogram.store.schema import SCHEMA_VERSION, migrate, schema_at


def upgrade(database: Database) -> None:
    """Create the tables, or upgrade older ones; a backup of an older store is kept beside it.

    The backup of `store.sqlite` at schema 9 is `store.sqlite.schema-9`; in PostgreSQL the tables
    are copied into a schema of that name.

    Raises:
        StoreError: a newer Ethogram wrote it, it is not a store, or the backup failed; nothing was
            changed then.
    """
    with database.begin() as connection:
        if schema_at(connection, database.where) == SCHEMA_VERSION:
            return
        if not database.is_sqlite:
            postgres.refuse_encoding(connection, database.where)
    with database.begin(writes=True) as connection:
        if not database.is_sqlite:
            postgres.lock_upgrade(connection)
        at = schema_at(connection, database.where)  # Another process may have upgraded it by now.
        if 0 < at < SCHEMA_VERSION:
            if not database.is_sqlite:
                _copy_tables(connection, at)
            elif database.path is not None:
                _copy_file(database.path, at)
        migrate(connection, at)


def backup_path(path: Path, schema: int) -> Path:
    """Where the backup of an SQLite store at a schema is."""
    return path.with_name(f"{path.name}.schema-{schema}")


def _copy_file(path: Path, schema: int) -> None:
    """Back up a file whole or not at all; the caller holds its write lock."""
    target = backup_path(path, schema)
    unfinished = target.with_name(f"{target.name}.unfinished")
    try:
        unfinished.unlink(missing_ok=True)
        source, copy = sqlite3.connect(path), sqlite3.connect(unfinished)
        try:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")
        finally:
            source.close()
            copy.close()
        unfinished.replace(target)
    except (OSError, sqlite3.Error) as error:
        unfinished.unlink(missing_ok=True)
        raise StoreError(
            f"cannot be backed up before its upgrade: {error}",
            where=str(path),
            hint="free disk space and make the folder writable; the store was not changed",
        ) from None


def _copy_tables(connection: Connection, schema: int) -> None:
    target = f"{postgres.schema_of(connection)}_schema_{schema}".replace('"', '""')
    connection.execute(text(f'DROP SCHEMA IF EXISTS "{target}" CASCADE'))
    connection.execute(text(f'CREATE SCHEMA "{target}"'))
    for name in inspect(connection).get_table_names():
        connection.execute(text(f'CREATE TABLE "{target}"."{name}" AS TABLE "{name}"'))
