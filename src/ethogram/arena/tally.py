"""Tally: the votes about outputs that versions have now, as arrays, and the fit to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ethogram.stats import Strengths, bradley_terry

if TYPE_CHECKING:
    from ethogram.arena.matches import Matches
    from ethogram.store import StoredVote


@dataclass(frozen=True)
class Tally:
    """Votes that count for the ratings of some versions.

    Attributes:
        versions: names.
        votes: those that count, with skipped pairs.
        stale: votes on outputs that the versions no longer have, as they were edited since.
    """

    versions: Sequence[str]
    votes: Sequence[StoredVote]
    stale: int

    @property
    def decided(self) -> list[StoredVote]:
        """Votes that say something: all but skipped ones."""
        return [vote for vote in self.votes if vote.won is not None]

    def fit(self, lengths: dict[str, int] | None = None) -> Strengths | None:
        """Strengths of the versions; None without a vote.

        Args:
            lengths: identity to length of an output, for strengths at equal length.
        """
        votes = self.decided
        if not votes:
            return None
        index = {name: at for at, name in enumerate(self.versions)}
        return bradley_terry(
            [index[vote.pair.first_version] for vote in votes],
            [index[vote.pair.second_version] for vote in votes],
            [vote.won or 0.0 for vote in votes],
            versions=len(self.versions),
            clusters=[vote.pair.prompt_id for vote in votes],
            length_differences=None
            if lengths is None
            else [lengths[vote.pair.first] - lengths[vote.pair.second] for vote in votes],
        )


def tally(matches: Matches, votes: Sequence[StoredVote]) -> Tally:
    """The votes that are about what the versions of `matches` answer now."""
    wanted = set(matches.versions)
    counted, stale = [], 0
    for vote in votes:
        pair = vote.pair
        if pair.first_version not in wanted or pair.second_version not in wanted:
            continue
        if matches.holds(pair.first, pair.first_version, pair.second, pair.second_version):
            counted.append(vote)
        else:
            stale += 1
    return Tally(matches.versions, counted, stale)
