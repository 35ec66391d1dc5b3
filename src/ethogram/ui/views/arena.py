"""Arena: blind votes, ratings, and a training on the votes."""

from __future__ import annotations

import json
import math
import threading
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import Field

from ethogram.arena import Arena, PairRating, Ranking, Rating, ShownPair, write_recipe
from ethogram.arena.ranking import ranking_of
from ethogram.arena.tally import tally
from ethogram.arena.words import facts, interval_words, pair_words, percent, points
from ethogram.errors import VoteError
from ethogram.stats import Interval
from ethogram.study.numbers import p_value
from ethogram.study.pairs import VOTES, preference_pairs
from ethogram.study.workspace import Study
from ethogram.ui.context import Context
from ethogram.ui.events import Event
from ethogram.ui.jobs import JobInfo
from ethogram.ui.models import Answer, Body, Text
from ethogram.ui.training_process import start_training

#: Longest file name of a recipe.
_LONGEST = 80
Versions = Annotated[tuple[str, ...], Field(min_length=1, max_length=50)]


class VotesChanged(Event):
    """A vote was given or taken back."""

    type: Literal["votes"] = "votes"


class ArenaVersion(Answer):
    """A version that can be voted on."""

    name: str
    title: Text


class ArenaPair(Answer):
    """Two outputs to vote on; nothing here tells whose they are."""

    ticket: str
    prompt: Text
    left: Text
    right: Text
    voted: int
    pairs: int


class Turn(Answer):
    """What a voter sees after voting.

    Attributes:
        pair: to vote on next; None if all are done.
        refused: why the vote does not count; empty if it does.
        standing: the choice that counts instead, where there is one.
    """

    pair: ArenaPair | None
    refused: Text = ""
    standing: str | None = None


class VoterBody(Body):
    """Who votes on which versions."""

    versions: Versions
    voter: str


class VoteBody(VoterBody):
    """A vote on a pair that was shown."""

    ticket: str
    choice: Literal["left", "right", "tie", "both_bad", "skip"]


class RecipeBody(Body):
    """A recipe to write into the study's folder, and to train."""

    versions: Versions
    name: str = Field(max_length=_LONGEST, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*\.ya?ml$")


class RatingInfo(Answer):
    """A version in the ranking; numbers are in words as in the terminal."""

    version: str
    group: int | None
    low: float | None
    estimate: float | None
    high: float | None
    rating: str
    interval: str
    equal_length: str
    wins: int
    losses: int
    ties: int
    both_bad: int
    note: str


class PairInfo(Answer):
    """Two versions, the one with the higher rating first."""

    first: str
    second: str
    win_rate: str
    interval: str
    equal_length: str
    votes: int
    p: str
    decided: bool
    verdict: str


class RankingInfo(Answer):
    """A ranking: the verdict, the ratings, pairs, and what is to be known of the votes."""

    verdict: str
    votes: int
    ratings: list[RatingInfo]
    pairs: list[PairInfo]
    facts: list[Text]
    voters: list[Text]


EVENTS = (VotesChanged,)


class _Arenas:
    """Arenas of the study as it is now, made once for each set of versions."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._known: dict[tuple[str, ...], tuple[object, Arena]] = {}
        self._lock = threading.Lock()

    def of(self, study: Study, versions: tuple[str, ...]) -> Arena:
        """The arena of some versions; its outputs are read again when a run has ended."""
        finished = sum(run.finished_at is not None for run in study.store.runs())
        stamp = (id(study), finished)
        with self._lock:
            known = self._known.get(versions)
            if known is None or known[0] != stamp:
                known = (stamp, Arena(study, versions))
                self._known = {versions: known}  # One at a time: outputs take memory.
            return known[1]


def router(context: Context) -> APIRouter:
    """The routes of the view."""
    routes, arenas = APIRouter(), _Arenas(context)
    _add_voting(routes, context, arenas)
    _add_ranking(routes, context, arenas)
    _add_training(routes, context)
    return routes


def _add_voting(routes: APIRouter, context: Context, arenas: _Arenas) -> None:
    @routes.get("/arena/versions")
    def arena_versions() -> list[ArenaVersion]:
        """The versions of the study."""
        with context.study() as study:
            return [
                ArenaVersion(name=name, title=each.title) for name, each in study.versions.items()
            ]

    @routes.post("/arena/next")
    def arena_next(body: VoterBody) -> Turn:
        """The pair that a voter has to vote on."""
        with context.study() as study:
            return Turn(pair=_pair(arenas.of(study, body.versions).next(body.voter)))

    @routes.post("/arena/vote")
    def arena_vote(body: VoteBody) -> Turn:
        """Store a vote, or say why it does not count; and the next pair."""
        with context.study() as study:
            arena = arenas.of(study, body.versions)
            refused, standing = "", None
            try:
                arena.vote(body.ticket, body.voter, body.choice)
            except VoteError as error:
                refused, standing = str(error), error.standing
            turn = Turn(pair=_pair(arena.next(body.voter)), refused=refused, standing=standing)
        if not refused:
            context.events.publish(VotesChanged())
        return turn

    @routes.post("/arena/undo")
    def arena_undo(body: VoterBody) -> Turn:
        """Take back the voter's last vote and show its pair again."""
        with context.study() as study:
            arena = arenas.of(study, body.versions)
            back = arena.undo(body.voter)
            refused = "" if back else "there is no vote to undo"
            turn = Turn(pair=_pair(back or arena.next(body.voter)), refused=refused)
        if back:
            context.events.publish(VotesChanged())
        return turn


def _add_ranking(routes: APIRouter, context: Context, arenas: _Arenas) -> None:
    @routes.get("/arena/ranking")
    def arena_ranking(
        versions: Annotated[list[str], Query(min_length=1, max_length=50)],
        voter: str = "",
    ) -> RankingInfo:
        """Ratings by the votes of people; of one voter if named."""
        with context.study() as study:
            arena = arenas.of(study, tuple(versions))
            given = arena.votes.all(kind="human", voters=(voter,) if voter else ())
            everyone = given if not voter else arena.votes.all(kind="human")
            found = ranking_of(arena.matches, tally(arena.matches, given))
            names = {each.pair.voter for each in tally(arena.matches, everyone).votes}
        return _ranking(found, sorted(names))

    @routes.get("/arena/pairs.jsonl", response_class=Response)
    def arena_pairs(
        versions: Annotated[list[str], Query(min_length=1, max_length=50)],
    ) -> Response:
        """The votes as preference pairs, as TRL reads them."""
        with context.study() as study:
            rows = list(preference_pairs(study, versions, [VOTES]))
        text = "".join(json.dumps(row, ensure_ascii=True) + "\n" for row in rows)
        named = {"content-disposition": 'attachment; filename="pairs.jsonl"'}
        return Response(text, media_type="application/jsonl", headers=named)


def _add_training(routes: APIRouter, context: Context) -> None:
    @routes.post("/arena/train")
    def arena_train(body: RecipeBody) -> JobInfo:
        """Write a DPO recipe for the votes, unless it is there, and train it as a job."""
        with context.study() as study:
            for name in body.versions:
                study.spec.version(name)
            if not (study.folder / body.name).exists():
                write_recipe(study, body.versions, body.name)
        return start_training(context, body.name)


def _pair(shown: ShownPair | None) -> ArenaPair | None:
    return None if shown is None else ArenaPair.model_validate(shown)


def _ranking(found: Ranking, voters: list[str]) -> RankingInfo:
    return RankingInfo(
        verdict=found.verdict,
        votes=found.votes,
        ratings=[_rating(each) for each in found.ratings],
        pairs=[_two(each) for each in found.pairs],
        facts=facts(found),
        voters=voters,
    )


def _rating(each: Rating) -> RatingInfo:
    low, estimate, high = _finite(each.rating)
    return RatingInfo(
        version=each.version,
        group=each.group,
        low=low,
        estimate=estimate,
        high=high,
        rating=points(each.rating.estimate),
        interval=interval_words(each.rating, points),
        equal_length=points(each.equal_length.estimate),
        wins=each.wins,
        losses=each.losses,
        ties=each.ties,
        both_bad=each.both_bad,
        note=each.note,
    )


def _finite(interval: Interval) -> tuple[float | None, float | None, float | None]:
    low, estimate, high = (
        value if math.isfinite(value) else None
        for value in (interval.low, interval.estimate, interval.high)
    )
    return low, estimate, high


def _two(each: PairRating) -> PairInfo:
    return PairInfo(
        first=each.first,
        second=each.second,
        win_rate=percent(each.win_rate.estimate),
        interval=interval_words(each.win_rate, percent),
        equal_length=percent(each.equal_length.estimate),
        votes=each.votes,
        p=p_value(each.p),
        decided=each.decided,
        verdict=pair_words(each),
    )
