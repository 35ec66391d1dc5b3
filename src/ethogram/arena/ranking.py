"""Ranking: ratings of versions by votes, with intervals, and the verdict in words."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING

from ethogram.arena.matches import Matches
from ethogram.arena.result import LEVEL, PairRating, Ranking, Rating
from ethogram.arena.tally import Tally, tally
from ethogram.arena.verdict import FEWEST_VOTES, verdict_of
from ethogram.errors import SpecError
from ethogram.stats import Interval, Strengths, adjust, krippendorff_alpha
from ethogram.store.votes import VoterKind, Votes
from ethogram.study.calling import names_of, takes_study
from ethogram.study.stale import has_results

if TYPE_CHECKING:
    from ethogram.study.workspace import Study

#: Points of a rating for a tenfold of odds, and the mean of a group: the scale of chess.
POINTS, MEAN = 400.0, 1000.0


@takes_study
def rank(
    study: Study,
    versions: Sequence[str] | None = None,
    *,
    kind: VoterKind = "human",
    voters: Sequence[str] = (),
) -> Ranking:
    """Rate versions by the stored votes on their outputs.

    Args:
        study: opened; nothing is generated.
        versions: names; default all that have votes.
        kind: votes of people, or those of judging models.
        voters: only votes of these; default all.

    Raises:
        SpecError: no votes where no version is named, an unknown version, fewer than two with
            votes, or missing generations.
    """
    given = Votes(study.store).all(kind=kind, voters=tuple(voters))
    if versions is None:
        if not given:
            raise SpecError(
                " ".join(
                    ["no votes", *([f"by {' or '.join(voters)}"] if voters else []), "are stored"]
                ),
                hint=f"collect some with: {_arena_command(study, kind)}",
            )
        met = {
            name for vote in given for name in (vote.pair.first_version, vote.pair.second_version)
        }
        names = [name for name in study.versions if name in met and has_results(study, name)]
    else:
        names = names_of(study, versions)
    matches = Matches(study, names)
    return ranking_of(matches, tally(matches, given), kind)


def _arena_command(study: Study, kind: VoterKind) -> str:
    """A command that collects votes, with two versions that have outputs if there are."""
    ready = [name for name in study.versions if has_results(study, name)][-2:]
    names = ready if len(ready) == 2 else ["BEFORE", "AFTER"]
    return " ".join(["ethogram arena", *names, *(["--kind judge"] if kind == "judge" else [])])


def ranking_of(matches: Matches, counted: Tally, kind: VoterKind = "human") -> Ranking:
    """The ranking that votes give."""
    names = matches.versions
    fit = counted.fit()
    voted = [each for vote in counted.decided for each in (vote.pair.first, vote.pair.second)]
    texts = matches.texts(voted)
    lengths = {identity: len(texts[identity]) for identity in voted}
    equal = counted.fit(lengths)
    ratings, pairs = [], []
    if fit is None or equal is None:
        ratings = [_unrated(name) for name in names]
    else:
        ratings = _ratings(names, counted, fit, equal)
        pairs = _pairs(names, [each.version for each in ratings], fit, equal)
    return Ranking(
        ratings=ratings,
        pairs=pairs,
        kind=kind,
        voters=dict(sorted(Counter(vote.pair.voter for vote in counted.votes).items())),
        agreement=krippendorff_alpha(
            ((vote.pair.first, vote.pair.second), 2 * (vote.won or 0.0) - 1)
            for vote in counted.decided
        ),
        skipped=len(counted.votes) - len(counted.decided),
        stale=counted.stale,
        identical=matches.identical,
        verdict=verdict_of(ratings, pairs),
    )


def _unrated(name: str) -> Rating:
    unknown = Interval(math.nan, math.nan, math.nan)
    return Rating(name, unknown, unknown, None, 0, 0, 0, 0, "no votes")


def _ratings(
    names: Sequence[str], counted: Tally, fit: Strengths, equal: Strengths
) -> list[Rating]:
    results = _results(counted)
    found = []
    for at, name in enumerate(names):
        group = next((n for n, each in enumerate(fit.components) if at in each), None)
        if group is None:
            found.append(_unrated(name))
            continue
        wins, losses, ties, both_bad = (
            results[name, each] for each in ("win", "loss", "tie", "both_bad")
        )
        found.append(
            Rating(
                version=name,
                rating=_points(fit.interval(at), MEAN),
                equal_length=_points(equal.interval(at), MEAN),
                group=group,
                wins=wins,
                losses=losses,
                ties=ties,
                both_bad=both_bad,
                note=_note(wins, losses, ties + both_bad),
            )
        )
    order = {name: at for at, name in enumerate(names)}
    return sorted(
        found,
        key=lambda each: (
            math.inf if each.group is None else each.group,
            -each.rating.estimate if each.group is not None else 0.0,
            order[each.version],
        ),
    )


def _results(counted: Tally) -> Counter[tuple[str, str]]:
    """Version and result to number of votes."""
    results: Counter[tuple[str, str]] = Counter()
    for vote in counted.decided:
        sides = (vote.pair.first_version, vote.pair.second_version)
        if vote.choice in ("tie", "both_bad"):
            results.update((name, vote.choice) for name in sides)
        else:
            results[sides[0], "win" if vote.won == 1 else "loss"] += 1
            results[sides[1], "loss" if vote.won == 1 else "win"] += 1
    return results


def _note(wins: int, losses: int, ties: int) -> str:
    votes = wins + losses + ties
    if votes < FEWEST_VOTES:
        return f"only {votes} vote{'' if votes == 1 else 's'}"
    if votes == wins:
        return "won every vote"
    return "lost every vote" if votes == losses else ""


def _pairs(
    names: Sequence[str], order: Sequence[str], fit: Strengths, equal: Strengths
) -> list[PairRating]:
    index = {name: at for at, name in enumerate(names)}
    connected = [
        (one, other)
        for one, other in combinations(order, 2)
        if fit.connected(index[one], index[other])
    ]
    p = adjust([fit.p_value(index[one], index[other]) for one, other in connected])
    found = []
    for (one, other), value in zip(connected, p, strict=True):
        a, b = index[one], index[other]
        difference = fit.difference(a, b)
        found.append(
            PairRating(
                first=one,
                second=other,
                votes=int(fit.votes[a, b]),
                win_rate=fit.win_rate(a, b),
                equal_length=equal.win_rate(a, b),
                difference=_points(difference, 0.0),
                p=float(value),
                more_votes=None if value <= LEVEL else _more_votes(difference, fit, a, b),
            )
        )
    return found


def _more_votes(difference: Interval, fit: Strengths, a: int, b: int) -> int | None:
    """Votes between two versions after which the interval would just exclude zero.

    As errors shrink with the square root of the votes, and if the difference stays as it is.
    """
    distance, margin = abs(difference.estimate), difference.high - difference.estimate
    direct = int(fit.votes[a, b])
    if distance <= 0 or not direct:
        return None
    return max(1, math.ceil(direct * ((margin / distance) ** 2 - 1)))


def _points(interval: Interval, mean: float) -> Interval:
    scale = POINTS / math.log(10)
    return Interval(
        *(mean + scale * each for each in (interval.estimate, interval.low, interval.high))
    )
