"""Conversations of a recipe's data files: those to learn from, and those held out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from ethogram.corpus import BadRow, FixCounter, Row, conversations, read, split
from ethogram.train.voted import data_fingerprint, voted_rows

if TYPE_CHECKING:
    from ethogram.train.job import Job


@dataclass(frozen=True, slots=True)
class TrainingRows:
    """What a recipe's data files hold.

    Attributes:
        train: rows to learn from.
        held_out: rows to evaluate on.
        fingerprint: digest of the content of the files.
        used: how often each rule of `fixes` changed or dropped a row.
    """

    train: Sequence[Row]
    held_out: Sequence[Row]
    fingerprint: str
    used: Mapping[str, int] = field(default_factory=dict)


def read_rows(
    job: Job, wanted: Callable[[Iterable[Row | BadRow]], list[Row]] = conversations
) -> TrainingRows:
    """Read the files of a recipe, or its votes, and hold rows out as it says.

    Args:
        job: the training.
        wanted: which rows can be used: `corpus.conversations`, `preferences` or `votes`.

    Raises:
        DataError: a file is missing, a row is bad, or there is none.
    """
    data, folder = job.recipe.data, job.study.folder
    rules = FixCounter(data.fixes)

    def rows(names: Sequence[str], most: int | None) -> Iterator[Row | BadRow]:
        for name in names:
            yield from islice(read(folder / name, format=data.format, fixes=rules), most)

    source = voted_rows(job, rules) if data.votes else rows(data.train, data.max_rows)
    train, held = wanted(source), list[Row]()
    if isinstance(data.held_out, tuple):
        held = wanted(rows(data.held_out, None))
    elif data.held_out:
        train, held = split(train, data.held_out)
    return TrainingRows(train, held, data_fingerprint(job), rules.used)
