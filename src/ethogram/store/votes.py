"""Votes: pairs of outputs that were shown, and what voters chose.

Each pair is shown under a ticket, and the database admits one vote a ticket and one standing vote
a voter and pair. So a vote that is sent twice, from two windows or after a crash, counts once. A
vote is one transaction: once `cast` has returned, a vote survives a killed process.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, get_args

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    Table,
    exists,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from ethogram.errors import VoteError
from ethogram.store.rows import now
from ethogram.store.schema import offered_pairs_table, votes_table
from ethogram.store.store import Store

#: What a voter can answer. `both_bad` is a tie for the ratings; `skip` says nothing.
Choice = Literal["left", "right", "tie", "both_bad", "skip"]
VoterKind = Literal["human", "judge"]
Side = Literal["first", "second"]
CHOICES: tuple[Choice, ...] = get_args(Choice)
#: Closes a ticket without a vote, so that a late vote on it meets the same constraint.
_WITHDRAWN = "withdrawn"
_PAIRS, _VOTES = offered_pairs_table.c, votes_table.c


@dataclass(frozen=True, slots=True)
class OfferedPair:
    """Two outputs of a prompt as they were shown to a voter.

    Attributes:
        ticket: names this showing; given back with the vote.
        voter: name of a person, or of a judging model.
        kind: whether the voter is a person or a model.
        prompt_id: of the suite.
        first: identity of a generation, below `second` in order.
        second: identity of the other.
        first_version: whose output `first` was.
        second_version: whose output `second` was.
        left: which of the two was shown on the left.
    """

    ticket: str
    voter: str
    kind: VoterKind
    prompt_id: str
    first: str
    second: str
    first_version: str
    second_version: str
    left: Side


@dataclass(frozen=True, slots=True)
class StoredVote:
    """A vote.

    Attributes:
        id: counts up in the order of voting.
        pair: that was shown.
        choice: by the place on the screen.
        voted_at: in UTC.
        undone: whether the voter took it back.
    """

    id: int
    pair: OfferedPair
    choice: Choice
    voted_at: str
    undone: bool

    @property
    def won(self) -> float | None:
        """1 if `first` won, 0 if `second` did, 0.5 for a tie; None for a skipped pair."""
        if self.choice in ("tie", "both_bad"):
            return 0.5
        if self.choice == "skip":
            return None
        return float((self.choice == "left") == (self.pair.left == "first"))


#: Columns that both tables have.
_SHARED = tuple(field.name for field in fields(OfferedPair))


class Votes:
    """The votes of a store."""

    def __init__(self, store: Store) -> None:
        self._database = store.database

    def offer(
        self,
        voter: str,
        kind: VoterKind,
        propose: Callable[[], OfferedPair | None],
        *,
        versions: Collection[str] = (),
        usable: Callable[[OfferedPair], bool] = lambda _: True,
    ) -> OfferedPair | None:
        """The pair that a voter was shown last and has not voted on, or a new one.

        Args:
            voter: the name.
            kind: person or model.
            propose: makes a new pair; None if there is none left.
            versions: whose outputs are meant; default any. Open pairs of others are left alone.
            usable: whether an open pair can still be shown; one that cannot is withdrawn.

        Returns:
            The pair; None if nothing is left to vote on.
        """
        proposed: OfferedPair | None = None
        while True:
            with self._database.begin(writes=True) as connection:
                for pair in _open_pairs(connection, voter, kind, versions):
                    if usable(pair):
                        return pair
                    _close(connection, pair)
                if proposed is not None and not _has_standing(connection, proposed):
                    connection.execute(_offer_of(proposed))
                    return proposed
            # Chosen outside of the transaction, which would hold other writers up.
            proposed = propose()
            if proposed is None:
                return None

    def cast(self, ticket: str, voter: str, choice: Choice) -> StoredVote:
        """Store the vote on a pair that was shown.

        Args:
            ticket: of the pair.
            voter: who votes; the pair was shown to this one.
            choice: one of `CHOICES`.

        Raises:
            VoteError: the voter was shown no such pair, or voted on it or withdrew it already.
            StoreError: disk full, read-only, …; nothing is stored then.
        """
        if choice not in CHOICES:
            raise VoteError(f"unknown choice {choice!r}", hint=f"one of {', '.join(CHOICES)}")
        with self._database.begin(writes=True) as connection:
            query = select(offered_pairs_table).where(
                _PAIRS.ticket == ticket, _PAIRS.voter == voter
            )
            row = connection.execute(query).first()
            if row is None:
                raise VoteError("no such pair was shown to this voter", hint="load the next pair")
            pair = _pair_from(row)
            try:
                with connection.begin_nested():
                    connection.execute(_vote_of(pair, choice))
            except IntegrityError:
                raise _refusal(connection, pair) from None
            return _read(connection, _VOTES.ticket == ticket)[0]

    def undo(
        self,
        voter: str,
        kind: VoterKind,
        ticket: str,
        *,
        versions: Collection[str] = (),
        usable: Callable[[OfferedPair], bool] = lambda _: True,
    ) -> OfferedPair | None:
        """Take back a voter's last standing vote, whose pair is then shown again.

        Args:
            voter: the name.
            kind: person or model.
            ticket: a new one, for the pair that is shown again.
            versions: whose outputs are meant; default any.
            usable: which pairs can still be shown; votes on others stay.

        Returns:
            The pair; None if there is no vote to take back.
        """
        mine = (_VOTES.voter == voter) & (_VOTES.kind == kind) & (_VOTES.undone == 0)
        with self._database.begin(writes=True) as connection:
            given = reversed(_read(connection, mine, *_about(votes_table, versions)))
            last = next((vote for vote in given if usable(vote.pair)), None)
            if last is None:
                return None
            for pair in _open_pairs(connection, voter, kind, versions):
                _close(connection, pair)
            connection.execute(
                update(votes_table).where(_VOTES.id == last.id).values(undone=last.id)
            )
            again = replace(last.pair, ticket=ticket)
            connection.execute(_offer_of(again))
            return again

    def all(
        self,
        *,
        kind: VoterKind | None = None,
        voters: tuple[str, ...] = (),
        undone: bool = False,
    ) -> list[StoredVote]:
        """The votes, in the order of voting.

        Args:
            kind: of people or of models only.
            voters: of these only; default all.
            undone: with those that were taken back.
        """
        conditions: list[ColumnElement[bool]] = [_VOTES.choice != _WITHDRAWN]
        if kind is not None:
            conditions.append(_VOTES.kind == kind)
        if voters:
            conditions.append(_VOTES.voter.in_(voters))
        if not undone:
            conditions.append(_VOTES.undone == 0)
        with self._database.begin() as connection:
            return _read(connection, *conditions)


def _read(connection: Connection, *conditions: ColumnElement[bool]) -> list[StoredVote]:
    query: Select[Any] = select(
        *(_VOTES[name] for name in _SHARED),
        _VOTES.id,
        _VOTES.choice,
        _VOTES.voted_at,
        _VOTES.undone,
    )
    rows = connection.execute(query.where(*conditions).order_by(_VOTES.id))
    return [
        StoredVote(row[-4], OfferedPair(*row[: len(_SHARED)]), row[-3], row[-2], bool(row[-1]))
        for row in rows
    ]


def _pair_from(row: Row[Any]) -> OfferedPair:
    return OfferedPair(**{name: row._mapping[name] for name in _SHARED})


def _open_pairs(
    connection: Connection, voter: str, kind: VoterKind, versions: Collection[str]
) -> list[OfferedPair]:
    """Pairs that a voter was shown and did not vote on, the latest first."""
    query = (
        select(offered_pairs_table)
        .where(
            _PAIRS.voter == voter,
            _PAIRS.kind == kind,
            ~exists().where(_VOTES.ticket == _PAIRS.ticket),
            *_about(offered_pairs_table, versions),
        )
        .order_by(_PAIRS.offered_at.desc())
    )
    return [_pair_from(row) for row in connection.execute(query)]


def _about(table: Table, versions: Collection[str]) -> list[ColumnElement[bool]]:
    """The condition that both outputs are of these versions; none for any version."""
    names = sorted(versions)
    columns = (table.c.first_version, table.c.second_version)
    return [column.in_(names) for column in columns] if names else []


def _has_standing(connection: Connection, pair: OfferedPair) -> bool:
    """Whether the voter has a vote on the two outputs that counts."""
    return connection.execute(select(_VOTES.id).where(_standing(pair))).first() is not None


def _standing(pair: OfferedPair) -> ColumnElement[bool]:
    return (
        (_VOTES.voter == pair.voter)
        & (_VOTES.kind == pair.kind)
        & (_VOTES.first == pair.first)
        & (_VOTES.second == pair.second)
        & (_VOTES.undone == 0)
    )


def _offer_of(pair: OfferedPair) -> Any:
    return insert(offered_pairs_table).values(**asdict(pair), offered_at=now())


def _vote_of(pair: OfferedPair, choice: str, undone: int = 0) -> Any:
    values = {**asdict(pair), "choice": choice, "voted_at": now(), "undone": undone}
    return insert(votes_table).values(**values)


def _close(connection: Connection, pair: OfferedPair) -> None:
    """Withdraw an open pair."""
    # Negative, as no vote's id is, and another number for each ticket of the pair; 31 bits.
    mark = -(zlib.crc32(pair.ticket.encode()) >> 1) - 1
    connection.execute(_vote_of(pair, _WITHDRAWN, undone=mark))


def _refusal(connection: Connection, pair: OfferedPair) -> VoteError:
    """Why a vote is not admitted."""
    earlier = connection.execute(
        select(_VOTES.choice).where((_VOTES.ticket == pair.ticket) | _standing(pair))
    ).scalar()
    if earlier == _WITHDRAWN:
        return VoteError("this pair was withdrawn before the vote", hint="load the next pair")
    refused = VoteError("this pair has a vote already", hint="undo it first, or go on")
    refused.standing = earlier
    return refused
