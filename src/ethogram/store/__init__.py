"""Generations, scores and runs in a database: an SQLite file by default, PostgreSQL by URL."""

from ethogram.store.connect import location_of
from ethogram.store.locking import run_lock
from ethogram.store.rows import Scored, Scorer
from ethogram.store.schema import SCHEMA_VERSION
from ethogram.store.store import RunRecord, Store
from ethogram.store.sweeps import (
    StoredPromotion,
    StoredTrial,
    StoredValue,
    SweepRecord,
    Sweeps,
)
from ethogram.store.trainings import Point, TrainingOutput, TrainingRecord, Trainings
from ethogram.store.verdicts import StoredVerdict, Verdicts
from ethogram.store.votes import Choice, OfferedPair, StoredVote, VoterKind, Votes

__all__ = [
    "SCHEMA_VERSION",
    "Choice",
    "OfferedPair",
    "Point",
    "RunRecord",
    "Scored",
    "Scorer",
    "Store",
    "StoredPromotion",
    "StoredTrial",
    "StoredValue",
    "StoredVerdict",
    "StoredVote",
    "SweepRecord",
    "Sweeps",
    "TrainingOutput",
    "TrainingRecord",
    "Trainings",
    "Verdicts",
    "VoterKind",
    "Votes",
    "location_of",
    "run_lock",
]
