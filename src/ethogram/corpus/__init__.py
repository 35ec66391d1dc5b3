"""Corpus: rows of training data from files; what is bad is named by file and line, nothing is lost.

read(path)                  -> Row | BadRow, one after another, with flat memory
documents, conversations,
preferences, votes(rows)    -> the rows of one kind, or one error that names the bad ones
fingerprint(paths)          -> digest of their content
overlap(rows, prompts)      -> rows that hold a suite's prompts
split(rows, share)          -> rows to learn from and held-out rows, without leakage
alike(texts)                -> groups of near-duplicates
"""

from ethogram.corpus.reading import FORMATS, read
from ethogram.corpus.rows import BadRow, Row, Turn
from ethogram.corpus.shapes import FixCounter
from ethogram.corpus.similar import ALIKE, Overlap, alike, overlap, split
from ethogram.corpus.using import (
    bad_rows,
    conversations,
    documents,
    fingerprint,
    preferences,
    votes,
)

__all__ = [
    "ALIKE",
    "FORMATS",
    "BadRow",
    "FixCounter",
    "Overlap",
    "Row",
    "Turn",
    "alike",
    "bad_rows",
    "conversations",
    "documents",
    "fingerprint",
    "overlap",
    "preferences",
    "read",
    "split",
    "votes",
]
