"""Verdict: what a ranking says, in a sentence or two."""

from __future__ import annotations

from collections.abc import Sequence

from ethogram.arena.result import PairRating, Rating

#: Versions with fewer votes are not ranked in words.
FEWEST_VOTES = 10
#: Beyond so many more votes, no number is named.
MOST_VOTES = 5000


def verdict_of(ratings: Sequence[Rating], pairs: Sequence[PairRating]) -> str:
    """The preferred version; what is undecided and how many votes would decide; who never met."""
    rated = [each for each in ratings if each.group is not None]
    unmet = [each.version for each in ratings if each.group is None]
    if not rated:
        return "No votes yet."
    groups = sorted({each.group for each in rated if each.group is not None})
    words = [
        _group_words([each for each in rated if each.group == group], pairs) for group in groups
    ]
    if len(groups) > 1:
        listed = " and ".join(
            _listed([each.version for each in rated if each.group == group]) for group in groups
        )
        words.append(f"Not comparable, as they never met: {listed}.")
    if unmet:
        words.append(f"Without a vote: {_listed(unmet)}.")
    return " ".join(words)


def _group_words(members: Sequence[Rating], pairs: Sequence[PairRating]) -> str:
    best = members[0]
    against = [each for each in pairs if each.first == best.version]
    few = [each for each in members if each.votes < FEWEST_VOTES]
    if few:
        named = _listed([f"{each.version} ({each.votes})" for each in few])
        return f"Not enough votes to rank {named}: at least {FEWEST_VOTES} are needed."
    open_pairs = [each for each in against if not each.decided]
    if not open_pairs:
        if len(against) == 1:
            (only,) = against
            return f"{best.version} is preferred to {only.second}: {_rate(only)}."
        nearest = min(against, key=lambda each: each.win_rate.estimate)
        return (
            f"{best.version} is preferred to all others; against {nearest.second}, the nearest, "
            f"{_rate(nearest)}."
        )
    rivals = _listed([each.second for each in open_pairs])
    words = f"No clear preference between {best.version} and {rivals}"
    if len(open_pairs) == 1:
        words += f": {best.version} {_rate(open_pairs[0])}"
    return f"{words}. {_more_words(open_pairs)}"


def _rate(pair: PairRating) -> str:
    low, high = pair.win_rate.low, pair.win_rate.high
    return (
        f"wins {pair.win_rate.estimate:.0%} of decided votes (95 % interval {low:.0%}–{high:.0%})"
    )


def _more_words(pairs: Sequence[PairRating]) -> str:
    """How many votes would decide, of the pair that needs fewest."""
    known = [(each.more_votes, each) for each in pairs if each.more_votes is not None]
    if not known:
        return "Let them meet directly to decide."
    more, pair = min(known, key=lambda each: each[0])
    if more > MOST_VOTES:
        return "They are too alike for votes to decide."
    votes = "vote" if more == 1 else "votes"
    return f"About {more} more {votes} between {pair.first} and {pair.second} would decide."


def _listed(names: Sequence[str]) -> str:
    """Names with commas and a last `and`."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
