"""Choosing: which two outputs a voter sees next, where a vote tells most.

First which versions meet: versions that no vote connects yet, the least voted ones first; then
those whose next vote takes most uncertainty from the difference of their ratings. Then which
outputs: those with the fewest votes, so that prompts are balanced. Of every few pairs one is a pair
that others have voted on, so that the agreement of voters can be measured.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ethogram.spec.identity import digest

if TYPE_CHECKING:
    from ethogram.arena.matches import Match, Matches
    from ethogram.stats import Strengths
    from ethogram.store import StoredVote

#: Of so many pairs that a voter sees, one was voted on by another voter, where there is such.
SHARED_EVERY = 5


def choose(
    matches: Matches,
    votes: Sequence[StoredVote],
    strengths: Strengths | None,
    voter: str,
    seed: int,
) -> Match | None:
    """The next two outputs for a voter; None if the voter has seen all.

    Args:
        matches: what can be shown.
        votes: standing ones of all voters of this kind, on these matches.
        strengths: fitted to them, in the order of `matches.versions`; None without votes.
        voter: whose turn it is.
        seed: decides between equals.
    """
    mine = {(vote.pair.first, vote.pair.second) for vote in votes if vote.pair.voter == voter}
    turn = len(mine)
    counts = Counter((vote.pair.first, vote.pair.second) for vote in votes)
    free = {
        pair: left
        for pair, some in matches.pairs.items()
        if (left := [match for match in some if (match.first, match.second) not in mine])
    }
    if not free:
        return None

    def lot(*parts: object) -> str:
        """Decides between equals: the same for the same seed, voter and turn."""
        return digest([seed, voter, turn, *map(str, parts)])

    if turn % SHARED_EVERY == SHARED_EVERY - 1:
        known = [
            match
            for some in free.values()
            for match in some
            if counts[match.first, match.second] == 1
        ]
        if known:
            return min(known, key=lambda match: lot(match.first, match.second))
    order = _by_gain(free, matches.versions, strengths)
    best = max(order.values())
    pair = min((each for each in free if order[each] == best), key=lambda each: lot(*each))
    by_prompt = Counter(
        vote.pair.prompt_id
        for vote in votes
        if {vote.pair.first_version, vote.pair.second_version} == set(pair)
    )
    return min(
        free[pair],
        key=lambda match: (
            by_prompt[match.prompt_id],
            counts[match.first, match.second],
            lot(match.first, match.second),
        ),
    )


def _by_gain(
    free: Mapping[tuple[str, str], Sequence[Match]],
    versions: Sequence[str],
    strengths: Strengths | None,
) -> dict[tuple[str, str], float]:
    """What one vote between two versions tells: the rise of the log-determinant of information.

    Infinite where the two are not connected; among these fewer votes count as more.
    """
    if strengths is None:
        return dict.fromkeys(free, math.inf)
    index = {name: at for at, name in enumerate(versions)}
    votes = strengths.votes.sum(axis=1)
    gains = {}
    for pair in free:
        one, other = (index[name] for name in pair)
        if strengths.connected(one, other):
            information = strengths.information(one, other)
            gains[pair] = math.log1p(information * strengths.variance(one, other))
        else:
            gains[pair] = 1e9 / (1 + int(votes[one] + votes[other]))
    return gains
