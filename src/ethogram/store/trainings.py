"""Trainings: what was measured and generated while a model was trained, by step.

Steps that a killed training repeats after it is resumed replace their points, so that the curve of
a resumed training is that of an undisturbed one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, Table, and_, delete, func, insert, or_, select, update

from ethogram.store.queries import CHUNK, insert_new
from ethogram.store.rows import now
from ethogram.store.schema import points_table, training_outputs_table, trainings_table
from ethogram.store.store import Store


@dataclass(frozen=True, slots=True)
class TrainingRecord:
    """One training: a recipe with one seed.

    Attributes:
        id: counts up.
        key: digest of all that decides the weights.
        name: of the recipe.
        kind: of the recipe.
        seed: of this training.
        started_at: in UTC.
        finished_at: in UTC; None while it runs, or if it was interrupted.
        recipe: JSON of the recipe.
        plan: JSON of what was planned: examples, tokens, steps, memory, seconds.
        result: JSON of what came out, if it finished.
    """

    id: int
    key: str
    name: str
    kind: str
    seed: int
    started_at: str
    finished_at: str | None
    recipe: str
    plan: str
    result: str | None


@dataclass(frozen=True, slots=True)
class Point:
    """One measured value: `train/loss`, `held_out/bits_per_byte`, `greedy/loop_rate`, ….

    Attributes:
        step: optimiser steps done when it was measured.
        name: of the quantity.
        value: None where it could not be measured.
    """

    step: int
    name: str
    value: float | None


@dataclass(frozen=True, slots=True)
class TrainingOutput:
    """One output generated while training.

    Attributes:
        step: optimiser steps done.
        decoding: name of the decoding in the recipe.
        prompt_id: of the suite.
        sample_index: from 0.
        text: untrusted.
        finish_reason: as of a generation.
    """

    step: int
    decoding: str
    prompt_id: str
    sample_index: int
    text: str
    finish_reason: str


class Trainings:
    """The trainings of a store."""

    def __init__(self, store: Store) -> None:
        self._database = store.database

    def begin(
        self, *, key: str, name: str, kind: str, seed: int, recipe: str, plan: str
    ) -> TrainingRecord:
        """The training of this key: the recorded one, to be resumed, or a new one."""
        with self._database.begin(writes=True) as connection:
            known = select(trainings_table).where(trainings_table.c.key == key)
            if connection.execute(known).first() is None:
                row = {"key": key, "name": name, "kind": kind, "seed": seed, "started_at": now()}
                insert_new(connection, trainings_table, [{**row, "recipe": recipe, "plan": plan}])
            return TrainingRecord(*connection.execute(known).one())

    def finish(self, training: int, result: str) -> None:
        """Record that a training completed, and what came out."""
        with self._database.begin(writes=True) as connection:
            connection.execute(
                update(trainings_table)
                .where(trainings_table.c.id == training)
                .values(finished_at=now(), result=result)
            )

    def all(self, name: str | None = None) -> list[TrainingRecord]:
        """The recorded trainings, oldest first; those of one recipe if `name` is given."""
        query = select(trainings_table).order_by(trainings_table.c.id)
        if name is not None:
            query = query.where(trainings_table.c.name == name)
        with self._database.begin() as connection:
            return [TrainingRecord(*row) for row in connection.execute(query)]

    def add_points(self, training: int, points: Iterable[Point]) -> None:
        """Store points in one transaction; a point of the same step and name is replaced."""
        rows = {(point.step, point.name): point for point in points}
        with self._database.begin(writes=True) as connection:
            _replace(connection, points_table, training, list(rows.values()), ("step", "name"))

    def points(self, training: int, names: Sequence[str] | None = None) -> list[Point]:
        """The points of a training by step, then name; all, or those of some names."""
        columns = points_table.c
        query = select(columns.step, columns.name, columns.value).where(
            columns.training == training
        )
        if names is not None:
            query = query.where(columns.name.in_(names))
        with self._database.begin() as connection:
            ordered = query.order_by(columns.step, columns.name)
            return [Point(*row) for row in connection.execute(ordered)]

    def ends(self, training: int) -> dict[str, tuple[Point, Point]]:
        """The first and the last point of each name, without reading those between."""
        columns = points_table.c
        mine = columns.training == training
        edges = (
            select(columns.name, func.min(columns.step), func.max(columns.step))
            .where(mine, columns.value.is_not(None))
            .group_by(columns.name)
        )
        found = {}
        with self._database.begin() as connection:
            for name, *steps in connection.execute(edges).all():
                wanted = select(columns.step, columns.name, columns.value).where(
                    mine, columns.name == name, columns.step.in_(steps)
                )
                rows = connection.execute(wanted.order_by(columns.step)).all()
                found[name] = (Point(*rows[0]), Point(*rows[-1]))
        return found

    def since(self, training: int, step: int) -> list[Point]:
        """The points from a step on, by step, then name."""
        columns = points_table.c
        query = select(columns.step, columns.name, columns.value).where(
            columns.training == training, columns.step >= step
        )
        with self._database.begin() as connection:
            ordered = query.order_by(columns.step, columns.name)
            return [Point(*row) for row in connection.execute(ordered)]

    def get(self, training: int) -> TrainingRecord | None:
        """A training by its id; None if it is unknown."""
        query = select(trainings_table).where(trainings_table.c.id == training)
        with self._database.begin() as connection:
            row = connection.execute(query).first()
        return None if row is None else TrainingRecord(*row)

    def drop_after(self, training: int, step: int) -> None:
        """Forget what was recorded after a step, which is repeated."""
        with self._database.begin(writes=True) as connection:
            for table in (points_table, training_outputs_table):
                connection.execute(
                    delete(table).where(table.c.training == training, table.c.step > step)
                )

    def add_outputs(self, training: int, outputs: Iterable[TrainingOutput]) -> None:
        """Store outputs in one transaction; those of the same place are replaced."""
        keys = ("step", "decoding", "prompt_id", "sample_index")
        with self._database.begin(writes=True) as connection:
            _replace(connection, training_outputs_table, training, list(outputs), keys)

    def outputs(self, training: int, *, after: int = -1) -> list[TrainingOutput]:
        """The outputs of a training by step, decoding, prompt and sample index.

        Args:
            training: its id.
            after: leave out those of this step and before.
        """
        columns = training_outputs_table.c
        wanted = [column for column in columns if column.name != "training"]
        query = (
            select(*wanted)
            .where(columns.training == training, columns.step > after)
            .order_by(*wanted[:4])
        )
        with self._database.begin() as connection:
            return [TrainingOutput(*row) for row in connection.execute(query)]


def _replace(
    connection: Connection,
    table: Table,
    training: int,
    items: Sequence[Point] | Sequence[TrainingOutput],
    keys: Sequence[str],
) -> None:
    for start in range(0, len(items), CHUNK // 4):
        some = items[start : start + CHUNK // 4]
        same = [and_(*(table.c[key] == getattr(item, key) for key in keys)) for item in some]
        connection.execute(delete(table).where(table.c.training == training, or_(*same)))
        connection.execute(insert(table), [{"training": training, **asdict(each)} for each in some])
