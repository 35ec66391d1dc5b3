"""Sweeps in the store: written as they go, so that an interrupted one shows how far it came.

A sweep that is done again replaces what it recorded before, since it repeats all of it; its
promotions stay.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from sqlalchemy import delete, select, update

from ethogram.store.queries import insert_new, replace_rows
from ethogram.store.rows import now
from ethogram.store.store import Store
from ethogram.store.sweep_tables import (
    sweep_promotions_table,
    sweep_trials_table,
    sweep_values_table,
    sweeps_table,
)


@dataclass(frozen=True, slots=True)
class SweepRecord:
    """One sweep.

    Attributes:
        id: counts up.
        key: digest of all that decides its result.
        base: name of the parent version.
        base_identity: of the parent as it was.
        asked: JSON of what was asked: axes, objectives, search, samples.
        started_at: in UTC; of the last time, if it was done again.
        touched_at: when it last gave a sign of life.
        finished_at: None while it runs, or if it ended early.
        ended: why it ended early; None if it did not, or was killed.
        result: JSON of the front, the choice and its holdout test, if it finished.
    """

    id: int
    key: str
    base: str
    base_identity: str
    asked: str
    started_at: str
    touched_at: str
    finished_at: str | None
    ended: str | None
    result: str | None


@dataclass(frozen=True, slots=True)
class StoredTrial:
    """One setting.

    Attributes:
        number: from 1, in the order tried.
        identity: of its version.
        setting: JSON of dotted fields and values.
        version: JSON of its whole version.
    """

    number: int
    identity: str
    setting: str
    version: str


@dataclass(frozen=True, slots=True)
class StoredValue:
    """A metric of a setting after a round of the race.

    Attributes:
        round: from 1.
        trial: number of the setting; 0 is the parent.
        metric: its name.
        samples: per prompt, that the value rests on.
        value: None where the metric applied to no output.
        beaten_by: number of the setting that eliminated it in this round.
    """

    round: int
    trial: int
    metric: str
    samples: int
    value: float | None
    beaten_by: int | None = None


@dataclass(frozen=True, slots=True)
class StoredPromotion:
    """A setting that became a version.

    Attributes:
        version: name of the version.
        trial: number of the setting.
        promoted_at: in UTC.
    """

    version: str
    trial: int
    promoted_at: str


class Sweeps:
    """The sweeps of a store."""

    def __init__(self, store: Store) -> None:
        self._database = store.database

    def begin(self, *, key: str, base: str, base_identity: str, asked: str) -> int:
        """Record that a sweep begins, or begins again; returns its id."""
        started = {"started_at": now(), "touched_at": now()}
        row = {"key": key, "base": base, "base_identity": base_identity, "asked": asked}
        with self._database.begin(writes=True) as connection:
            is_new = bool(insert_new(connection, sweeps_table, [{**row, **started}]))
            known = select(sweeps_table.c.id).where(sweeps_table.c.key == key)
            sweep = int(connection.execute(known).scalar_one())
            if not is_new:
                for table in (sweep_trials_table, sweep_values_table):
                    connection.execute(delete(table).where(table.c.sweep == sweep))
                again = {**started, "finished_at": None, "ended": None, "result": None}
                connection.execute(
                    update(sweeps_table).where(sweeps_table.c.id == sweep).values(**again)
                )
        return sweep

    def add_trials(self, sweep: int, trials: Iterable[StoredTrial]) -> None:
        """Record settings that enter the race."""
        rows = [{"sweep": sweep, **asdict(each)} for each in trials]
        with self._database.begin(writes=True) as connection:
            insert_new(connection, sweep_trials_table, rows)

    def add_values(self, sweep: int, values: Iterable[StoredValue]) -> None:
        """Record a round of the race."""
        rows = [{"sweep": sweep, **asdict(each)} for each in values]
        with self._database.begin(writes=True) as connection:
            replace_rows(connection, sweep_values_table, rows)
            connection.execute(
                update(sweeps_table).where(sweeps_table.c.id == sweep).values(touched_at=now())
            )

    def touch(self, sweep: int) -> None:
        """Record that it is still at work."""
        self._change(sweep, touched_at=now())

    def finish(self, sweep: int, result: str) -> None:
        """Record that it finished, and what came out."""
        self._change(sweep, touched_at=now(), finished_at=now(), result=result)

    def end(self, sweep: int, why: str) -> None:
        """Record that it ended early."""
        self._change(sweep, touched_at=now(), ended=why)

    def _change(self, sweep: int, **values: str) -> None:
        with self._database.begin(writes=True) as connection:
            connection.execute(
                update(sweeps_table).where(sweeps_table.c.id == sweep).values(**values)
            )

    def all(self) -> list[SweepRecord]:
        """The recorded sweeps, oldest first."""
        with self._database.begin() as connection:
            rows = connection.execute(select(sweeps_table).order_by(sweeps_table.c.id))
            return [SweepRecord(*row) for row in rows]

    def get(self, sweep: int) -> SweepRecord | None:
        """A sweep by its id."""
        query = select(sweeps_table).where(sweeps_table.c.id == sweep)
        with self._database.begin() as connection:
            row = connection.execute(query).first()
        return None if row is None else SweepRecord(*row)

    def trials(self, sweep: int) -> list[StoredTrial]:
        """Its settings, in the order tried."""
        columns = sweep_trials_table.c
        query = select(columns.number, columns.identity, columns.setting, columns.version)
        with self._database.begin() as connection:
            ordered = query.where(columns.sweep == sweep).order_by(columns.number)
            return [StoredTrial(*row) for row in connection.execute(ordered)]

    def values(self, sweep: int) -> list[StoredValue]:
        """The race, round by round, settings and metrics in order."""
        wanted = [each for each in sweep_values_table.c if each.name != "sweep"]
        query = select(*wanted).where(sweep_values_table.c.sweep == sweep).order_by(*wanted[:3])
        with self._database.begin() as connection:
            return [StoredValue(*row) for row in connection.execute(query)]

    def promote(self, sweep: int, promotion: StoredPromotion) -> None:
        """Record that a setting became a version; one of the same name is replaced."""
        with self._database.begin(writes=True) as connection:
            replace_rows(
                connection, sweep_promotions_table, [{"sweep": sweep, **asdict(promotion)}]
            )

    def promotions(self, sweep: int) -> list[StoredPromotion]:
        """Its settings that became versions, oldest first."""
        columns = sweep_promotions_table.c
        query = select(columns.version, columns.trial, columns.promoted_at)
        with self._database.begin() as connection:
            ordered = query.where(columns.sweep == sweep).order_by(
                columns.promoted_at, columns.version
            )
            return [StoredPromotion(*row) for row in connection.execute(ordered)]
