"""Tables of sweeps: what was asked, the settings, the race as it happened, and promotions."""

from __future__ import annotations

from sqlalchemy import Column, Connection, Integer, Table

from ethogram.store.columns import Real, Words
from ethogram.store.metadata import metadata

#: Sweeps; `key` is what decides the result. `ended` says why one ended early, `result` is JSON of
#: the front, the choice and its holdout test; both are null while it runs, or if it was killed.
sweeps_table = Table(
    "sweeps",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("key", Words(64), nullable=False, unique=True),
    Column("base", Words(), nullable=False, index=True),
    Column("base_identity", Words(64), nullable=False),
    Column("asked", Words(), nullable=False),
    Column("started_at", Words(32), nullable=False),
    Column("touched_at", Words(32), nullable=False),
    Column("finished_at", Words(32)),
    Column("ended", Words()),
    Column("result", Words()),
)

#: Settings of a sweep, numbered from 1 in the order tried; each with its whole version as JSON.
sweep_trials_table = Table(
    "sweep_trials",
    metadata,
    Column("sweep", Integer, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("identity", Words(64), nullable=False),
    Column("setting", Words(), nullable=False),
    Column("version", Words(), nullable=False),
)

#: The race: the values of a setting after a round that it took part in, and the one that beat it
#: there. Setting 0 is the parent.
sweep_values_table = Table(
    "sweep_values",
    metadata,
    Column("sweep", Integer, primary_key=True),
    Column("round", Integer, primary_key=True),
    Column("trial", Integer, primary_key=True),
    Column("metric", Words(64), primary_key=True),
    Column("samples", Integer, nullable=False),
    Column("value", Real()),
    Column("beaten_by", Integer),
)

#: Settings that became versions.
sweep_promotions_table = Table(
    "sweep_promotions",
    metadata,
    Column("sweep", Integer, primary_key=True),
    Column("version", Words(), primary_key=True),
    Column("trial", Integer, nullable=False),
    Column("promoted_at", Words(32), nullable=False),
)


def create_sweep_tables(connection: Connection) -> None:
    """Create them where they are missing."""
    metadata.create_all(
        connection,
        tables=[sweeps_table, sweep_trials_table, sweep_values_table, sweep_promotions_table],
    )
