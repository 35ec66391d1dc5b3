"""What a ranking says: who is preferred, what is undecided, who never met."""

from __future__ import annotations

import math
import random
import time
from pathlib import Path

import pytest
from tests.arena.studies import named, outputs, prefers, vote_all, write_study

from ethogram.arena import Arena, ShownPair, rank
from ethogram.arena.matches import Matches
from ethogram.arena.ranking import ranking_of
from ethogram.arena.tally import tally
from ethogram.errors import SpecError
from ethogram.store import Choice, OfferedPair, StoredVote, Votes
from ethogram.study import Study

WORDS = {"v1.0.0": "A", "v1.1.0": "B", "v1.2.0": "C", "v1.3.0": "D"}
FOUR = {name: named(word) for name, word in WORDS.items()}
NAMES = list(FOUR)


def test_a_version_that_wins_every_vote_is_preferred_with_a_finite_rating(tmp_path: Path) -> None:
    with Study(write_study(tmp_path, FOUR, prompts=20)) as study:
        vote_all(Arena(study, NAMES), "ann", prefers("ABCD"))
        found = rank(study)
    assert [each.version for each in found.ratings] == NAMES
    best = found.ratings[0]
    assert math.isfinite(best.rating.high)
    assert best.note == "won every vote"
    assert found.verdict.startswith("v1.0.0 is preferred to all others; against v1.1.0")
    assert found.votes == 6 * 20


def test_too_few_votes_are_not_ranked(tmp_path: Path) -> None:
    with Study(write_study(tmp_path, FOUR)) as study:
        vote_all(Arena(study, NAMES[:2]), "ann", prefers("AB"), most=4)
        found = rank(study, NAMES[:2])
    assert found.verdict == (
        "Not enough votes to rank v1.0.0 (4) and v1.1.0 (4): at least 10 are needed."
    )


def test_an_even_split_is_undecided_and_says_how_many_votes_would_decide(tmp_path: Path) -> None:
    draw = random.Random(2)

    def decide(shown: ShownPair) -> Choice:
        better = prefers("AB")(shown)
        worse: Choice = "right" if better == "left" else "left"
        return better if draw.random() < 0.6 else worse

    with Study(write_study(tmp_path, FOUR, prompts=40)) as study:
        vote_all(Arena(study, NAMES[:2]), "ann", decide)
        found = rank(study, NAMES[:2])
    (pair,) = found.pairs
    assert not pair.decided
    assert pair.more_votes is not None
    assert found.verdict.startswith("No clear preference between v1.")
    assert f"About {pair.more_votes} more votes" in found.verdict


def test_groups_that_never_met_are_not_ordered(tmp_path: Path) -> None:
    with Study(write_study(tmp_path, FOUR, prompts=20)) as study:
        vote_all(Arena(study, NAMES[:2]), "ann", prefers("AB"))
        vote_all(Arena(study, NAMES[2:]), "ann", prefers("CD"))
        found = rank(study, NAMES)
        assert {each.group for each in found.ratings} == {0, 1}
        assert {(each.first, each.second) for each in found.pairs} == {
            ("v1.0.0", "v1.1.0"),
            ("v1.2.0", "v1.3.0"),
        }
        assert "Not comparable, as they never met: v1.0.0, v1.1.0 and v1.2.0, v1.3.0." in (
            found.verdict.replace("v1.0.0 and v1.1.0", "v1.0.0, v1.1.0").replace(
                "v1.2.0 and v1.3.0", "v1.2.0, v1.3.0"
            )
        )
        without = rank(study, NAMES[:3])
    assert without.ratings[-1].group is None
    assert without.ratings[-1].note == "no votes"
    assert without.verdict.endswith("Without a vote: v1.2.0.")


def test_choices_count_as_they_should(tmp_path: Path) -> None:
    choices: list[Choice] = ["left", "right", "tie", "both_bad", "skip"]
    with Study(write_study(tmp_path, FOUR, prompts=5)) as study:
        answers = iter(choices)
        vote_all(Arena(study, NAMES[:2]), "ann", lambda _: next(answers))
        found = rank(study, NAMES[:2])
    one, other = found.ratings
    assert (one.wins, one.losses) == (other.losses, other.wins)
    assert one.wins + one.losses == 2
    assert (one.ties, one.both_bad, found.skipped, found.votes) == (1, 1, 1, 4)


def test_the_order_of_the_votes_changes_nothing(tmp_path: Path) -> None:
    with Study(write_study(tmp_path, FOUR, prompts=10)) as study:
        for voter, order in (("ann", "ABCD"), ("bob", "BADC")):
            vote_all(Arena(study, NAMES), voter, prefers(order))
        matches, votes = Matches(study, NAMES), Votes(study.store).all()
    once = ranking_of(matches, tally(matches, votes)).to_json()
    random.Random(1).shuffle(votes)
    again = ranking_of(matches, tally(matches, votes)).to_json()
    assert again == _nearly(once)


def _nearly(value: object) -> object:
    if isinstance(value, dict):
        return {key: _nearly(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_nearly(item) for item in value]
    return pytest.approx(value, rel=1e-6, abs=1e-9) if isinstance(value, float) else value


def test_agreement_of_voters(tmp_path: Path) -> None:
    with Study(write_study(tmp_path, FOUR, prompts=10)) as study:
        for voter in ("ann", "bob"):
            vote_all(Arena(study, NAMES), voter, prefers("ABCD"))
        found = rank(study)
        assert found.agreement.interval.estimate == pytest.approx(1.0)
        assert found.voters == {"ann": 60, "bob": 60}
        vote_all(Arena(study, NAMES), "eve", prefers("DCBA"))
        assert rank(study).agreement.interval.estimate < 0.5
        assert rank(study, voters=["ann"]).voters == {"ann": 60}


def test_votes_of_judges_are_kept_apart(tmp_path: Path) -> None:
    with Study(write_study(tmp_path, FOUR, prompts=12)) as study:
        vote_all(Arena(study, NAMES[:2]), "ann", prefers("AB"))
        vote_all(Arena(study, NAMES[:2], kind="judge"), "small-model", prefers("BA"))
        assert rank(study).verdict.startswith("v1.0.0 is preferred")
        judged = rank(study, kind="judge")
        assert judged.verdict.startswith("v1.1.0 is preferred")
        assert judged.voters == {"small-model": 12}


def test_votes_on_outputs_from_before_an_edit_do_not_count(tmp_path: Path) -> None:
    folder = write_study(tmp_path, FOUR, prompts=12)
    with Study(folder) as study:
        vote_all(Arena(study, NAMES[:2]), "ann", prefers("AB"))
    (folder / "outputs/v1.0.0.jsonl").write_text(
        outputs(lambda p, s: named("A")(p, s) if p < 6 else "edited", 12)
    )
    with Study(folder) as study:
        found = rank(study, NAMES[:2])
    assert (found.votes, found.stale) == (6, 6)


def test_equal_length_takes_the_length_out(tmp_path: Path) -> None:
    """One version writes more on most prompts, and the voter likes what is longer."""
    draw = random.Random(4)
    extra = [draw.randint(-10, 40) for _ in range(200)]
    two = {
        "v1.0.0": lambda p, s: "A" + "." * (50 + extra[p]),
        "v1.1.0": lambda p, s: "B" + "." * 50,
    }

    def longer(shown: ShownPair) -> Choice:
        distance = (len(shown.left) - len(shown.right)) / 6
        return "left" if draw.random() < 1 / (1 + math.exp(-distance)) else "right"

    with Study(write_study(tmp_path, two, prompts=200)) as study:
        vote_all(Arena(study, list(two)), "ann", longer)
        (pair,) = rank(study).pairs
    assert pair.win_rate.low > 0.5
    assert pair.equal_length.low < 0.5 < pair.equal_length.high


def test_no_votes_are_said(tmp_path: Path) -> None:
    with Study(write_study(tmp_path, FOUR)) as study:
        assert rank(study, NAMES[:2]).verdict == "No votes yet."
        with pytest.raises(SpecError, match="no votes are stored") as refused:
            rank(study)
    assert f"collect some with: ethogram arena {' '.join(NAMES[:2])}" in str(refused.value)


@pytest.mark.long
def test_ten_thousand_votes_are_rated_in_a_moment(tmp_path: Path) -> None:
    """The bar is 50 ms warm on an idle machine; here with room for a busy one."""
    with Study(write_study(tmp_path, FOUR, prompts=500)) as study:
        matches = Matches(study, NAMES)
    draw, votes = random.Random(1), []
    pairs = [match for some in matches.pairs.values() for match in some]
    for number in range(10_000):
        match = pairs[number % len(pairs)]
        pair = OfferedPair(
            f"t{number}", f"voter {number // len(pairs)}", "human", match.prompt_id, match.first,
            match.second, match.first_version, match.second_version, "first",
        )  # fmt: skip
        choice: Choice = draw.choice(("left", "right", "tie"))
        votes.append(StoredVote(number, pair, choice, "", False))
    counted = tally(matches, votes)
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        assert counted.fit() is not None
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.2
