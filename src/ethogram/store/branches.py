"""Branches: continuations of stored outputs from one of their tokens, each with its trace."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Row, insert, select, update

from ethogram.errors import StoreError
from ethogram.spec.generation import Generation
from ethogram.store.rows import generation_from, generation_row, trace_from, trace_row
from ethogram.store.schema import branches_table
from ethogram.store.store import Store


@dataclass(frozen=True, slots=True)
class StoredBranch:
    """One branch.

    Attributes:
        origin: identity of the generation that it began from, itself or through other branches.
        parent: id of the branch that it began from; None if that was the generation.
        version: name of the version of the generation.
        at: index of the first token that may differ.
        token: id of the token put there; None if the decoding chose it.
        settings: dotted fields of the version that differ, with their values; of all branches
            on the way together.
        draw: 0 for the random numbers of the generation, else which others.
        generation: the whole output with its trace, and the identity of the branch.
        id: counts up; 0 before it is stored.
        undone: whether it is hidden.
    """

    origin: str
    parent: int | None
    version: str
    at: int
    token: int | None
    settings: dict[str, Any]
    draw: int
    generation: Generation
    id: int = 0
    undone: bool = False


class Branches:
    """The branches of a store."""

    def __init__(self, store: Store) -> None:
        self._database = store.database

    def add(self, branch: StoredBranch, *, model: str) -> StoredBranch:
        """Store a branch, or show it again where it is stored and was undone; returns it.

        Args:
            branch: its generation has a trace.
            model: identity of the model that made it.

        Raises:
            StoreError: disk full, read-only, …; nothing is stored then.
        """
        identity = branch.generation.identity
        query = select(branches_table).where(branches_table.c.identity == identity)
        with self._database.begin(writes=True) as connection:
            if connection.execute(query).first() is None:
                connection.execute(insert(branches_table).values(**_row(branch, model)))
            again = update(branches_table).where(branches_table.c.identity == identity)
            connection.execute(again.values(undone=0))
            return self._branch(connection.execute(query).one())

    def get(self, number: int) -> StoredBranch | None:
        """The branch of an id."""
        query = select(branches_table).where(branches_table.c.id == number)
        with self._database.begin() as connection:
            row = connection.execute(query).first()
        return None if row is None else self._branch(row)

    def by_identity(self, identity: str) -> StoredBranch | None:
        """The branch of an identity."""
        query = select(branches_table).where(branches_table.c.identity == identity)
        with self._database.begin() as connection:
            row = connection.execute(query).first()
        return None if row is None else self._branch(row)

    def of(self, origins: Sequence[str] | None = None) -> list[StoredBranch]:
        """Branches in the order in which they were made, those undone included.

        Args:
            origins: identities of generations; None is all.
        """
        query = select(branches_table).order_by(branches_table.c.id)
        if origins is not None:
            query = query.where(branches_table.c.origin.in_(list(origins)))
        with self._database.begin() as connection:
            return [self._branch(row) for row in connection.execute(query)]

    def set_undone(self, number: int, undone: bool) -> None:
        """Hide a branch, or show it again."""
        change = update(branches_table).where(branches_table.c.id == number)
        with self._database.begin(writes=True) as connection:
            connection.execute(change.values(undone=int(undone)))

    def _branch(self, row: Row[Any]) -> StoredBranch:
        try:
            trace = trace_from(row)
        except ValueError as error:
            raise StoreError(str(error), where=self._database.where) from None
        return StoredBranch(
            origin=row.origin,
            parent=row.parent,
            version=row.version,
            at=row.at,
            token=row.token,
            settings=json.loads(row.settings),
            draw=row.draw,
            generation=replace(generation_from(row), trace=trace),
            id=row.id,
            undone=bool(row.undone),
        )


def _row(branch: StoredBranch, model: str) -> dict[str, Any]:
    made = branch.generation
    assert made.trace is not None
    stored = generation_row(made, model, None)
    del stored["processor"]  # A branch is made and compared on one machine.
    return {
        **trace_row(made.identity, made.trace),
        **stored,
        "origin": branch.origin,
        "parent": branch.parent,
        "version": branch.version,
        "at": branch.at,
        "token": branch.token,
        "settings": json.dumps(branch.settings, sort_keys=True),
        "draw": branch.draw,
        "undone": int(branch.undone),
    }
