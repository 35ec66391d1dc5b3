"""What voters are shown: every pair once, blind, where it tells most; what they take back."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from pathlib import Path

import pytest
from tests.arena.studies import named, outputs, prefers, vote_all, write_study

from ethogram.arena import Arena
from ethogram.errors import SpecError, VoteError
from ethogram.store import Votes
from ethogram.study import Study

THREE = {name: named(word) for name, word in (("v1.0.0", "A"), ("v1.1.0", "B"), ("v1.2.0", "C"))}
NAMES = list(THREE)


def test_each_voter_sees_every_pair_once(tmp_path: Path) -> None:
    with Study(write_study(tmp_path, THREE, samples=2)) as study:
        arena = Arena(study, NAMES)
        assert arena.pairs == 3 * 6 * 2
        for voter in ("ann", "bob"):
            assert vote_all(arena, voter, prefers("ABC")) == arena.pairs
        seen = Counter((v.pair.voter, v.pair.first, v.pair.second) for v in arena.votes.all())
        assert len(seen) == 2 * arena.pairs
        assert set(seen.values()) == {1}
        assert arena.next("ann") is None


def test_nothing_that_is_shown_tells_whose_it_is(tmp_path: Path) -> None:
    with Study(write_study(tmp_path, THREE)) as study:
        arena = Arena(study, NAMES)
        shown = arena.next("ann")
        assert shown is not None
        assert set(asdict(shown)) == {"ticket", "prompt", "left", "right", "voted", "pairs"}
        fields = asdict(shown) | {"left": "", "right": "", "prompt": ""}
        identities = {each for found in arena.matches.outputs.values() for each in found}
        for value in map(str, fields.values()):
            assert not any(name in value for name in NAMES)
            assert not any(identity in value for identity in identities)


def test_both_outputs_are_cut_at_the_same_length(tmp_path: Path) -> None:
    long = {"v1.0.0": lambda p, s: "a" * 5000, "v1.1.0": lambda p, s: "b" * 90_000}
    with Study(write_study(tmp_path, long)) as study:
        shown = Arena(study, list(long)).next("ann")
        assert shown is not None
        assert len(shown.left) == len(shown.right)


def test_the_order_is_random_and_the_seed_decides_it(tmp_path: Path) -> None:
    two = {"v1.0.0": named("A"), "v1.1.0": named("B")}
    orders = []
    for folder in ("one", "two"):
        with Study(write_study(tmp_path / folder, two, prompts=60)) as study:
            arena = Arena(study, list(two))
            vote_all(arena, "ann", prefers("AB"))
            orders.append(
                [
                    (vote.pair.prompt_id, vote.pair.first_version, vote.pair.left)
                    for vote in arena.votes.all()
                ]
            )
    assert orders[0] == orders[1]
    left = sum((version == "v1.0.0") == (side == "first") for _, version, side in orders[0])
    assert 18 <= left <= 42  # Of 60; outside with probability 0.001.


def test_versions_that_never_met_come_first_and_prompts_are_balanced(tmp_path: Path) -> None:
    with Study(write_study(tmp_path, THREE)) as study:
        arena = Arena(study, NAMES)
        vote_all(arena, "ann", prefers("ABC"), most=2)
        met = {frozenset((v.pair.first_version, v.pair.second_version)) for v in arena.votes.all()}
        assert len(met) == 2  # Two pairs of three versions connect all of them.
        vote_all(arena, "ann", prefers("ABC"))
        prompts = Counter(vote.pair.prompt_id for vote in arena.votes.all())
        assert set(prompts.values()) == {3}


def test_votes_go_where_the_difference_is_uncertain(tmp_path: Path) -> None:
    with Study(write_study(tmp_path, THREE, prompts=60)) as study:
        arena = Arena(study, NAMES)

        def decide(shown: object) -> str:
            """C loses always; A and B are equally good."""
            left, right = (text.split()[0] for text in (shown.left, shown.right))  # type: ignore[attr-defined]
            if "C" in (left, right):
                return "right" if left == "C" else "left"
            return "left" if len(arena.votes.all()) % 2 else "right"

        vote_all(arena, "ann", decide, most=90)  # type: ignore[arg-type]
        counts = Counter(
            frozenset((v.pair.first_version, v.pair.second_version)) for v in arena.votes.all()
        )
        assert counts[frozenset(("v1.0.0", "v1.1.0"))] == max(counts.values())
        assert min(counts.values()) >= 5


def test_some_pairs_are_shared_between_voters(tmp_path: Path) -> None:
    two = {"v1.0.0": named("A"), "v1.1.0": named("B")}
    with Study(write_study(tmp_path, two, prompts=100)) as study:
        arena = Arena(study, list(two))
        for voter in ("ann", "bob"):
            vote_all(arena, voter, prefers("AB"), most=40)
        pairs = Counter((v.pair.first, v.pair.second) for v in arena.votes.all())
        assert sum(count == 2 for count in pairs.values()) >= 40 // 5


def test_undo_shows_the_pair_again(tmp_path: Path) -> None:
    with Study(write_study(tmp_path, THREE)) as study:
        arena = Arena(study, NAMES)
        assert arena.undo("ann") is None
        first = arena.next("ann")
        assert first is not None
        arena.vote(first.ticket, "ann", "left")
        second = arena.next("ann")
        again = arena.undo("ann")
        assert again is not None
        assert second is not None
        assert (again.left, again.right, again.voted) == (first.left, first.right, 0)
        with pytest.raises(VoteError):
            arena.vote(second.ticket, "ann", "left")
        arena.vote(again.ticket, "ann", "right")
        assert [vote.choice for vote in arena.votes.all()] == ["right"]


def test_two_arenas_of_a_voter_do_not_disturb_each_other(tmp_path: Path) -> None:
    with Study(write_study(tmp_path, THREE)) as study:
        one, other = Arena(study, NAMES[:2]), Arena(study, NAMES[1:])
        first, second = one.next("ann"), other.next("ann")
        assert first is not None
        assert second is not None
        one.vote(first.ticket, "ann", "left")
        other.vote(second.ticket, "ann", "left")
        assert one.undo("ann") is not None
        assert [vote.pair.ticket for vote in one.votes.all()] == [second.ticket]


def test_a_pair_of_outputs_from_before_an_edit_is_withdrawn(tmp_path: Path) -> None:
    folder = write_study(tmp_path, THREE)
    with Study(folder) as study:
        old = Arena(study, NAMES[:2]).next("ann")
    (folder / "outputs/v1.0.0.jsonl").write_text(outputs(named("Z")))
    with Study(folder) as study:
        arena = Arena(study, NAMES[:2])
        new = arena.next("ann")
        assert old is not None
        assert new is not None
        assert new.ticket != old.ticket
        with pytest.raises(VoteError, match="withdrawn"):
            arena.vote(old.ticket, "ann", "left")


def test_equal_texts_are_not_shown(tmp_path: Path) -> None:
    alike = {"v1.0.0": named("A"), "v1.1.0": lambda p, s: named("AB"[p % 2])(p, s)}
    folder = write_study(tmp_path, alike)
    with Study(folder) as study:
        arena = Arena(study, list(alike))
        assert (arena.pairs, arena.matches.identical) == (3, 3)
    (folder / "outputs/v1.1.0.jsonl").write_text(outputs(named("A")))
    with Study(folder) as study, pytest.raises(SpecError, match="nothing to vote on"):
        Arena(study, list(alike))


@pytest.mark.parametrize(
    ("versions", "words"),
    [
        ([], "two different versions"),
        (["v1.0.0"], "two different versions"),
        (["v1.0.0", "v1.0.0"], "two different versions"),
        (["v1.0.0", "v9.0.0"], "v9.0.0"),
    ],
)
def test_versions_that_cannot_meet_are_refused(
    versions: list[str], words: str, tmp_path: Path
) -> None:
    with Study(write_study(tmp_path, THREE)) as study, pytest.raises(SpecError, match=words):
        Arena(study, versions)


@pytest.mark.parametrize("name", ["", "  ", "x" * 61, "a\x1b[31m"])
def test_a_voter_has_a_name_that_can_be_printed(name: str, tmp_path: Path) -> None:
    with Study(write_study(tmp_path, THREE)) as study:
        with pytest.raises(SpecError, match="printable characters"):
            Arena(study, NAMES).next(name)
        assert Votes(study.store).all() == []
