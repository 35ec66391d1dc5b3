"""Generations, scores and runs in a database: an SQLite file by default, PostgreSQL by URL."""

from ethogram.store.connect import location_of
from ethogram.store.locking import run_lock
from ethogram.store.rows import Scored, Scorer
from ethogram.store.schema import SCHEMA_VERSION
from ethogram.store.store import RunRecord, Store
from ethogram.store.trainings import Point, TrainingOutput, TrainingRecord, Trainings
from ethogram.store.verdicts import StoredVerdict, Verdicts

__all__ = [
    "SCHEMA_VERSION",
    "Point",
    "RunRecord",
    "Scored",
    "Scorer",
    "Store",
    "StoredVerdict",
    "TrainingOutput",
    "TrainingRecord",
    "Trainings",
    "Verdicts",
    "location_of",
    "run_lock",
]
