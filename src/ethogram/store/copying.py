"""Copying: every row of a store into another one, SQLite or PostgreSQL, and the two compared."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, Table, func, select, text

from ethogram.errors import StoreError
from ethogram.store.complete import add_complete, unpacked
from ethogram.store.kept_tables import complete_table
from ethogram.store.metadata import metadata
from ethogram.store.queries import insert_new
from ethogram.store.schema import schema_table
from ethogram.store.store import Store

#: Rows that are read and written at once; a row with a trace has some 10 kB.
ROWS = 2_000


@dataclass(frozen=True)
class Copied:
    """What a copy did.

    Attributes:
        source: where the rows are from, without a password.
        target: where they are now.
        rows: table to rows that were copied.
        kept: table to rows that the target had already.
    """

    source: str
    target: str
    rows: dict[str, int]
    kept: dict[str, int]

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "source": self.source,
            "target": self.target,
            "rows": self.rows,
            "kept": self.kept,
        }

    def to_text(self) -> str:
        """A line for each table."""
        lines = [f"{name}: {count} rows" for name, count in self.rows.items() if count]
        lines += [f"{name}: {count} rows kept" for name, count in self.kept.items() if count]
        return "\n".join([*lines, f"Copied {self.source} to {self.target}, and compared all rows"])


def tables() -> list[Table]:
    """The tables of a store, in the order in which they are copied.

    Without that of complete versions: a copy that is interrupted is not complete, so what is known
    of them is noted at the end.
    """
    return [each for each in metadata.sorted_tables if each not in (schema_table, complete_table)]


def copy_store(
    source: str | Path,
    target: str | Path,
    *,
    on_progress: Callable[[str, int, int], None] | None = None,
) -> Copied:
    """Copy all rows of a store into another, which is made if missing.

    An interrupted copy goes on where it stopped: rows that the target has stay. Afterwards both
    are read and compared.

    Args:
        source: a path or URL.
        target: a path or URL, empty or with a part of the same rows.
        on_progress: called with a table, its rows copied so far, and all its rows.

    Raises:
        StoreError: one cannot be opened or written, both are one, the source is missing, or a row
            of the target differs from that of the source.
    """
    if _is_path(source) and not Path(source).is_file():
        raise StoreError("no such store", where=str(source))
    with Store.open(source) as one, Store.open(target) as other:
        if one.database.engine.url == other.database.engine.url:
            raise StoreError("source and target are the same store", where=one.database.where)
        rows, kept = {}, {}
        with one.database.begin(snapshot=True) as reading:
            for table in tables():
                total = count_of(reading, table)
                done = added = 0
                for part in parts_of(reading, table):
                    with other.database.begin(writes=True) as writing:
                        added += insert_new(writing, table, [dict(row._mapping) for row in part])
                    done += len(part)
                    if on_progress:
                        on_progress(table.name, done, total)
                rows[table.name], kept[table.name] = added, total - added
            with other.database.begin(writes=True) as writing:
                _count_on(writing)
            _compare(reading, one, other)
            _note_complete(reading, other)
    return Copied(one.database.where, other.database.where, rows, kept)


def _is_path(location: str | Path) -> bool:
    return isinstance(location, Path) or "://" not in location


def count_of(connection: Connection, table: Table) -> int:
    """How many rows a table has."""
    return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def parts_of(connection: Connection, table: Table) -> Generator[Sequence[Row[Any]], None, None]:
    """The rows of a table in the order of its key, some at a time."""
    ordered = select(table).order_by(*table.primary_key)
    with connection.execute(ordered.execution_options(yield_per=ROWS)) as result:
        yield from result.partitions()


def _count_on(connection: Connection) -> None:
    """Let PostgreSQL number new rows after the copied ones; SQLite does so by itself."""
    if connection.dialect.name != "postgresql":
        return
    for table in tables():
        if table.autoincrement_column is None or "id" not in table.c:
            continue
        sequence = f"pg_get_serial_sequence('{table.name}', 'id')"
        most = f"(SELECT coalesce(max(id), 0) + 1 FROM {table.name})"
        connection.execute(text(f"SELECT setval({sequence}, {most}, false)"))


def _note_complete(reading: Connection, other: Store) -> None:
    """Note in the target each version that the source notes as complete, and the target has whole.

    The outputs were compared with those of the source, which were read before they were noted.
    """
    for basis in reading.scalars(select(complete_table.c.basis)).all():
        query = select(complete_table.c.identities).where(complete_table.c.basis == basis)
        add_complete(other, basis, unpacked(reading.execute(query).scalar_one()))


def _compare(reading: Connection, one: Store, other: Store) -> None:
    """Read both again, row by row.

    Raises:
        StoreError: names the first row of the source that the target has not, or has differently.
    """
    with other.database.begin(snapshot=True) as connection:
        for table in tables():
            keys = [column.name for column in table.primary_key]
            with closing(_digests(connection, table, keys)) as theirs:
                for key, digest in _digests(reading, table, keys):
                    # Both are in the order of the key, and the target may have more rows.
                    found = next((each for other_key, each in theirs if other_key == key), None)
                    if found != digest:
                        what = "is missing" if found is None else "differs from that of the source"
                        raise StoreError(
                            f"the row {what}",
                            where=f"{other.database.where}: {table.name} {key}",
                            hint="copy into an empty database",
                        )


def _digests(
    connection: Connection, table: Table, keys: list[str]
) -> Generator[tuple[tuple[Any, ...], bytes], None, None]:
    """Key and digest of every row, in the order of the key."""
    for part in parts_of(connection, table):
        for row in part:
            hashed = hashlib.sha256()
            for value in row:
                raw = value if isinstance(value, bytes) else repr(value).encode("utf-8", "replace")
                hashed.update(len(raw).to_bytes(8, "big") + raw)
            yield tuple(getattr(row, key) for key in keys), hashed.digest()
