"""Votes in the store: one a ticket, one a voter and pair, none lost, doubled or late."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, insert

from ethogram.errors import VoteError
from ethogram.store import SCHEMA_VERSION, OfferedPair, Store, Votes
from ethogram.store.schema import MIGRATIONS, _add_votes, schema_table

PAIR = OfferedPair("t0", "ann", "human", "p", "a", "b", "v1", "v2", "first")


@pytest.fixture
def votes(tmp_path: Path) -> Iterator[Votes]:
    with Store.open(tmp_path / "store.db") as store:
        yield Votes(store)


def offers(*pairs: tuple[str, str], voter: str = "ann") -> Callable[[], OfferedPair | None]:
    """Proposes the pairs in turn, each under a ticket of its own."""
    left = iter(pairs)
    numbers = count()

    def propose() -> OfferedPair | None:
        names = next(left, None)
        ticket = f"{voter}{next(numbers)}"
        if names is None:
            return None
        return replace(PAIR, ticket=ticket, voter=voter, first=names[0], second=names[1])

    return propose


def test_a_vote_comes_back_as_it_was_given(votes: Votes) -> None:
    shown = votes.offer("ann", "human", offers(("a", "b")))
    assert shown is not None
    cast = votes.cast(shown.ticket, "ann", "left")
    assert cast.pair == shown
    assert (cast.choice, cast.won, cast.undone) == ("left", 1.0, False)
    assert votes.all() == [cast]


@pytest.mark.parametrize(
    ("choice", "left", "won"),
    [
        ("left", "first", 1.0),
        ("left", "second", 0.0),
        ("right", "first", 0.0),
        ("right", "second", 1.0),
        ("tie", "first", 0.5),
        ("both_bad", "second", 0.5),
        ("skip", "first", None),
    ],
)
def test_who_won_follows_from_the_order_shown(
    votes: Votes, choice: Any, left: Any, won: float | None
) -> None:
    shown = votes.offer("ann", "human", lambda: replace(PAIR, left=left))
    assert shown is not None
    assert votes.cast(shown.ticket, "ann", choice).won == won


def test_an_open_pair_is_shown_again_until_it_has_a_vote(votes: Votes) -> None:
    propose = offers(("a", "b"), ("a", "c"))
    first = votes.offer("ann", "human", propose)
    assert first is not None
    assert votes.offer("ann", "human", propose) == first
    votes.cast(first.ticket, "ann", "tie")
    second = votes.offer("ann", "human", propose)
    assert second is not None
    assert second.second == "c"


def test_a_second_vote_on_a_ticket_is_refused(votes: Votes) -> None:
    shown = votes.offer("ann", "human", offers(("a", "b")))
    assert shown is not None
    votes.cast(shown.ticket, "ann", "left")
    with pytest.raises(VoteError, match="has a vote already") as refused:
        votes.cast(shown.ticket, "ann", "right")
    assert refused.value.standing == "left"
    assert [vote.choice for vote in votes.all()] == ["left"]


def test_the_database_itself_refuses_what_the_code_would_not(votes: Votes, tmp_path: Path) -> None:
    shown = votes.offer("ann", "human", offers(("a", "b")))
    assert shown is not None
    votes.cast(shown.ticket, "ann", "left")
    columns = "ticket, voter, kind, prompt_id, first, second, first_version, second_version, "
    columns += '"left", choice, voted_at, undone'
    with sqlite3.connect(tmp_path / "store.db") as connection:
        for ticket in ("'other'", "ticket"):
            copied = columns.replace("ticket", ticket, 1)
            with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
                connection.execute(f"insert into votes ({columns}) select {copied} from votes")


def test_a_second_ticket_of_the_same_outputs_is_refused(votes: Votes) -> None:
    """Two windows of a voter that were shown the same pair at the same moment."""
    first = votes.offer("ann", "human", offers(("a", "b")))
    assert first is not None
    other = replace(PAIR, ticket="window2")
    with votes._database.begin(writes=True) as connection:
        from ethogram.store.votes import _offer_of

        connection.execute(_offer_of(other))
    votes.cast(first.ticket, "ann", "left")
    with pytest.raises(VoteError, match="has a vote already"):
        votes.cast(other.ticket, "ann", "right")


def test_tickets_belong_to_their_voter(votes: Votes) -> None:
    shown = votes.offer("ann", "human", offers(("a", "b")))
    assert shown is not None
    for ticket, voter in ((shown.ticket, "bob"), ("forged", "ann")):
        with pytest.raises(VoteError, match="no such pair"):
            votes.cast(ticket, voter, "left")
    with pytest.raises(VoteError, match="unknown choice"):
        votes.cast(shown.ticket, "ann", "withdrawn")  # type: ignore[arg-type]
    assert votes.all() == []


def test_undo_keeps_the_vote_and_shows_the_pair_again(votes: Votes) -> None:
    propose = offers(("a", "b"), ("a", "c"))
    first = votes.offer("ann", "human", propose)
    assert first is not None
    votes.cast(first.ticket, "ann", "left")
    second = votes.offer("ann", "human", propose)
    assert second is not None
    again = votes.undo("ann", "human", "again")
    assert again == replace(first, ticket="again")
    assert votes.offer("ann", "human", propose) == again
    with pytest.raises(VoteError):  # The browser that sends the first vote once more.
        votes.cast(first.ticket, "ann", "left")
    with pytest.raises(VoteError, match="withdrawn"):  # Late: the voter went back meanwhile.
        votes.cast(second.ticket, "ann", "left")
    votes.cast("again", "ann", "right")
    assert [vote.choice for vote in votes.all()] == ["right"]
    assert [(vote.choice, vote.undone) for vote in votes.all(undone=True)] == [
        ("left", True),
        ("right", False),
    ]
    for ticket in ("x", "y"):  # The same pair, taken back over and over.
        assert votes.undo("ann", "human", ticket) is not None
        votes.cast(ticket, "ann", "tie")
    assert votes.undo("bob", "human", "z") is None


def test_a_pair_that_cannot_be_shown_any_more_is_withdrawn(votes: Votes) -> None:
    shown = votes.offer("ann", "human", offers(("a", "b")))
    assert shown is not None
    other = votes.offer(
        "ann", "human", lambda: replace(PAIR, ticket="new"), usable=lambda pair: pair != shown
    )
    assert other is not None
    assert other.ticket == "new"
    with pytest.raises(VoteError, match="withdrawn"):
        votes.cast(shown.ticket, "ann", "left")
    votes.cast("new", "ann", "left")


def test_votes_of_judges_are_kept_apart(votes: Votes) -> None:
    for kind, ticket in (("human", "h"), ("judge", "j")):
        pair = replace(PAIR, ticket=ticket, kind=kind)  # type: ignore[arg-type]
        assert votes.offer("ann", pair.kind, lambda pair=pair: pair) == pair  # type: ignore[misc]
        votes.cast(ticket, "ann", "left")
    assert [vote.pair.kind for vote in votes.all(kind="judge")] == ["judge"]
    assert len(votes.all()) == 2
    assert votes.all(voters=("bob",)) == []


def _vote_on_all(path: Path, voter: str, pairs: list[tuple[str, str]], told: Any) -> None:
    with Store.open(path) as store:
        votes, propose = Votes(store), offers(*pairs, voter=voter)
        while (shown := votes.offer(voter, "human", propose)) is not None:
            vote = votes.cast(shown.ticket, voter, "left")
            told.put((voter, vote.pair.first, vote.pair.second))


def test_voters_at_once_lose_and_double_nothing(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    Store.open(path).close()
    pairs = [("a", f"b{at:03}") for at in range(40)]
    context = multiprocessing.get_context("spawn")
    told = context.Queue()
    workers = [
        context.Process(target=_vote_on_all, args=(path, voter, pairs, told))
        for voter in ("ann", "bob", "eve")
    ]
    for worker in workers:
        worker.start()
    answers = [told.get(timeout=60) for _ in range(3 * len(pairs))]
    for worker in workers:
        worker.join()
    with Store.open(path) as store:
        stored = [
            (vote.pair.voter, vote.pair.first, vote.pair.second) for vote in Votes(store).all()
        ]
    assert sorted(stored) == sorted(answers)
    assert len(set(stored)) == 3 * len(pairs)


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL")
def test_a_killed_process_loses_no_vote_that_it_reported(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    Store.open(path).close()
    pairs = [("a", f"b{at:04}") for at in range(2000)]
    context = multiprocessing.get_context("spawn")
    told = context.Queue()
    worker = context.Process(target=_vote_on_all, args=(path, "ann", pairs, told))
    worker.start()
    answers = [told.get(timeout=60) for _ in range(20)]
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGKILL)
    worker.join()
    time.sleep(0.1)
    with Store.open(path) as store:
        votes = Votes(store)
        stored = [(vote.pair.voter, vote.pair.first, vote.pair.second) for vote in votes.all()]
        assert set(answers) <= set(stored)
        assert len(stored) == len(set(stored)) < len(pairs)
        # What was shown when the process died is shown again, and can be voted on once.
        shown = votes.offer("ann", "human", offers(("a", "z"), voter="bob"))
        assert shown is not None
        votes.cast(shown.ticket, shown.voter, "left")


def test_a_store_from_before_gains_the_tables(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    before = MIGRATIONS.index(_add_votes)
    with create_engine(f"sqlite:///{path}").begin() as connection:
        schema_table.create(connection)
        for number, step in enumerate(MIGRATIONS[:before], start=1):
            step(connection)
            connection.execute(insert(schema_table).values(version=number))
    with Store.open(path) as store:
        assert Votes(store).all() == []
    with sqlite3.connect(path) as connection:
        (version,) = connection.execute("select max(version) from schema_version").fetchone()
    assert version == SCHEMA_VERSION
