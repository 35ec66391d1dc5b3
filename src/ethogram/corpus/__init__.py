"""Corpus: rows of training data from files; what is bad is named by file and line, nothing is lost.

Reading and using:

read(path, *, format, fixes)    -> Row | BadRow, one after another, with flat memory
documents, conversations,
preferences, votes(rows)        -> the rows of one kind, or one error that names the bad ones
fingerprint(paths)              -> SHA-256 of their content, in order
overlap(rows, prompts, *, n=8)  -> rows that hold a suite's prompts, by shared n-grams
split(rows, share, *, seed, by) -> rows to learn from and held-out rows, without leakage
alike(texts)                    -> groups of near-duplicates

Looking and rewriting:

inspect(path)                   -> shapes, fields, lengths, duplicates and every bad row
convert(paths, out, *, to)      -> one file of one shape, whole or not at all
deduplicate(paths, out)         -> rows without those that repeat an earlier one
write_rows(rows, out)           -> JSON lines
token_counts(rows, encode)      -> lengths for a tokenizer
"""

from ethogram.corpus.duplicates import Deduplicated, Duplicate, deduplicate
from ethogram.corpus.fixes import RULES, BadRows, FixCounter, Reason
from ethogram.corpus.reading import FORMATS, read
from ethogram.corpus.rows import BadRow, Row, Turn
from ethogram.corpus.similar import ALIKE, Overlap, alike, overlap, split
from ethogram.corpus.survey import Survey, inspect
from ethogram.corpus.tokens import TokenCounts, token_counts
from ethogram.corpus.using import (
    bad_rows,
    conversations,
    documents,
    fingerprint,
    preferences,
    votes,
)
from ethogram.corpus.writing import SHAPES, BadRowsError, Converted, convert, write_rows

__all__ = [
    "ALIKE",
    "FORMATS",
    "RULES",
    "SHAPES",
    "BadRow",
    "BadRows",
    "BadRowsError",
    "Converted",
    "Deduplicated",
    "Duplicate",
    "FixCounter",
    "Overlap",
    "Reason",
    "Row",
    "Survey",
    "TokenCounts",
    "Turn",
    "alike",
    "bad_rows",
    "conversations",
    "convert",
    "deduplicate",
    "documents",
    "fingerprint",
    "inspect",
    "overlap",
    "preferences",
    "read",
    "split",
    "token_counts",
    "votes",
    "write_rows",
]
