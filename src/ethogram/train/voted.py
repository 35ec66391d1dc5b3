"""Voted: the votes of an arena as a recipe's data, in place of files."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ethogram.corpus import BadRow, FixCounter, Row, fingerprint
from ethogram.corpus.shapes import row_of
from ethogram.spec.identity import digest
from ethogram.study.pairs import VOTES, preference_pairs
from ethogram.train.child import resolved
from ethogram.train.documents import data_paths

if TYPE_CHECKING:
    from ethogram.train.job import Job


def voted_rows(job: Job, rules: FixCounter) -> Iterator[Row | BadRow]:
    """The preference pairs that votes decide, worded as the child version words its prompts.

    Args:
        job: of a recipe with `data.votes`.
        rules: which may change or drop rows, as those of a file.

    Raises:
        SpecError: no such version, or no votes on its outputs.
    """
    named = Path(f"votes on {' and '.join(job.recipe.data.votes)}")
    for number, fields in enumerate(islice(_pairs(job), job.recipe.data.max_rows), start=1):
        rules.line = number
        row = row_of(fields, named, number, rules)
        rules.settle(row)
        if not isinstance(row, BadRow) or not rules.drops(row):
            yield row


def data_fingerprint(job: Job) -> str:
    """Digest of the content of a recipe's data: files, and votes as the pairs that they decide.

    Raises:
        DataError: a file is missing.
        SpecError: no votes.
    """
    files = fingerprint(data_paths(job.study, job.recipe.data))
    if not job.recipe.data.votes:
        return files
    return digest(["votes", files, list(_pairs(job))])


def _pairs(job: Job) -> Iterator[dict[str, Any]]:
    return preference_pairs(job.study, job.recipe.data.votes, [VOTES], worded_by=resolved(job))
