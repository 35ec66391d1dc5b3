"""Arena: blind votes between versions, and the ratings that follow from them.

Arena(study, versions).next(voter)  -> two outputs of a prompt, without whose they are
Arena.vote(ticket, voter, choice)   -> the stored vote; a second or late one is refused
rank(study, versions)               -> ratings with intervals, a verdict, agreement of voters
write_recipe(study, versions, path) -> a DPO recipe that learns from the votes

It draws nothing: the terminal and the page show what it returns.
"""

from ethogram.arena.matches import Match, Matches
from ethogram.arena.played import is_played, store_played
from ethogram.arena.ranking import rank
from ethogram.arena.recipe import write_recipe
from ethogram.arena.result import PairRating, Ranking, Rating
from ethogram.arena.session import Arena, ShownPair

__all__ = [
    "Arena",
    "Match",
    "Matches",
    "PairRating",
    "Ranking",
    "Rating",
    "ShownPair",
    "is_played",
    "rank",
    "store_played",
    "write_recipe",
]
