"""Session: a voter's turn in the arena: the next pair, the vote on it, and taking it back."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ethogram.arena.choosing import choose
from ethogram.arena.matches import Matches
from ethogram.arena.tally import tally
from ethogram.errors import SpecError
from ethogram.spec.identity import digest
from ethogram.store.votes import Choice, OfferedPair, StoredVote, VoterKind, Votes

if TYPE_CHECKING:
    from ethogram.study.workspace import Study

#: Both outputs are cut here, so that a very long one does not show its length, or fill a page.
SHOWN_CHARACTERS = 3000
#: A voter's name is shown in tables.
LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class ShownPair:
    """What a voter sees: nothing tells whose the outputs are, or how long what was cut is.

    Attributes:
        ticket: to vote with.
        prompt: as the suite words it.
        left: an output, untrusted.
        right: the other, untrusted.
        voted: pairs that this voter has voted on, skipped ones included.
        pairs: that there are for each voter.
    """

    ticket: str
    prompt: str
    left: str
    right: str
    voted: int
    pairs: int


class Arena:
    """Blind votes between versions of a study; any number of voters, also at once.

    Args:
        study: the opened study; nothing is generated.
        versions: two or more names.
        kind: whether people vote, or judging models.
        new_ticket: makes an unguessable name for each pair that is shown.

    Raises:
        SpecError: fewer than two versions, missing generations, no shared prompt, or only pairs of
            equal texts.
    """

    def __init__(
        self,
        study: Study,
        versions: Sequence[str],
        *,
        kind: VoterKind = "human",
        new_ticket: Callable[[], str] = secrets.token_urlsafe,
    ) -> None:
        self.kind = kind
        self.matches = Matches(study, versions)
        self.votes = Votes(study.store)
        self._seed = study.spec.settings.seed
        self._new_ticket = new_ticket
        self.pairs = sum(map(len, self.matches.pairs.values()))
        if not self.pairs:
            raise SpecError(
                "all their outputs are the same texts, so there is nothing to vote on",
                where=", ".join(versions),
            )

    def next(self, voter: str) -> ShownPair | None:
        """The pair that a voter has to vote on; the same one until the vote. None: all are done.

        Raises:
            SpecError: the name is empty or too long.
        """
        name = checked_name(voter)
        offered = self.votes.offer(
            name,
            self.kind,
            lambda: self._propose(name),
            versions=self.matches.versions,
            usable=self._usable,
        )
        return None if offered is None else self._shown(offered)

    def vote(self, ticket: str, voter: str, choice: Choice) -> StoredVote:
        """Store a vote.

        Raises:
            VoteError: no such pair was shown to the voter, or it has a vote already; `standing` of
                the error is that vote.
        """
        return self.votes.cast(ticket, checked_name(voter), choice)

    def undo(self, voter: str) -> ShownPair | None:
        """Take back the voter's last vote here and show its pair again; None if there is none."""
        again = self.votes.undo(
            checked_name(voter),
            self.kind,
            self._new_ticket(),
            versions=self.matches.versions,
            usable=self._usable,
        )
        return None if again is None else self._shown(again)

    def _standing(self) -> list[StoredVote]:
        return list(tally(self.matches, self.votes.all(kind=self.kind)).votes)

    def _propose(self, voter: str) -> OfferedPair | None:
        counted = tally(self.matches, self.votes.all(kind=self.kind))
        match = choose(self.matches, counted.votes, counted.fit(), voter, self._seed)
        if match is None:
            return None
        drawn = digest([self._seed, voter, match.first, match.second])
        return OfferedPair(
            ticket=self._new_ticket(),
            voter=voter,
            kind=self.kind,
            prompt_id=match.prompt_id,
            first=match.first,
            second=match.second,
            first_version=match.first_version,
            second_version=match.second_version,
            left="first" if int(drawn[:8], 16) % 2 else "second",
        )

    def _usable(self, pair: OfferedPair) -> bool:
        return self.matches.holds(pair.first, pair.first_version, pair.second, pair.second_version)

    def _shown(self, pair: OfferedPair) -> ShownPair:
        sides = (pair.first, pair.second)
        found = self.matches.texts(sides)
        texts = [found[each] for each in sides]
        left, right = texts if pair.left == "first" else reversed(texts)
        return ShownPair(
            ticket=pair.ticket,
            prompt=self.matches.prompts[pair.prompt_id],
            left=cut(left),
            right=cut(right),
            voted=sum(vote.pair.voter == pair.voter for vote in self._standing()),
            pairs=self.pairs,
        )


def cut(text: str) -> str:
    """An output as it is shown: at most `SHOWN_CHARACTERS`, with a mark where more followed."""
    return text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + " …"


def checked_name(voter: str) -> str:
    """A voter's name without white space around it.

    Raises:
        SpecError: it is empty, too long, or has characters that cannot be printed.
    """
    name = voter.strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise SpecError(
            f"a voter's name has 1 to {LONGEST_NAME} printable characters",
            where="voter",
            hint="name yourself with --voter NAME",
        )
    return name
