"""Conversations of a recipe's data files: those to learn from, and those held out."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ethogram.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from ethogram.train.job import Job


@dataclass(frozen=True, slots=True)
class Turn:
    """One message."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Talk:
    """A conversation.

    Attributes:
        messages: in order.
        where: file and line.
    """

    messages: tuple[Turn, ...]
    where: str


@dataclass(frozen=True, slots=True)
class Conversations:
    """What a recipe's data files hold.

    Attributes:
        train: to learn from.
        held_out: to evaluate on.
        fingerprint: digest of the content of the files.
        dropped: rows that stated rules of the recipe dropped.
    """

    train: Sequence[Talk]
    held_out: Sequence[Talk]
    fingerprint: str
    dropped: int = 0


def read_conversations(job: Job) -> Conversations:
    """Read the files of a recipe.

    Raises:
        DataError: a bad row, or a file that does not exist.
    """
    data = job.recipe.data
    paths = [job.study.folder / name for name in data.train]
    train = _talks(paths, data.max_rows)
    if isinstance(data.held_out, tuple):
        held = [job.study.folder / name for name in data.held_out]
        return Conversations(train, _talks(held, None), _digest([*paths, *held]))
    count = round(len(train) * data.held_out)
    return Conversations(train[count:], train[:count], _digest(paths))


def _talks(paths: Sequence[Path], most: int | None) -> list[Talk]:
    from ethogram.formats import messages_of
    from ethogram.formats.files import values

    talks: list[Talk] = []
    for path in paths:
        if not path.is_file():
            raise DataError("no such file", where=str(path))
        for value in list(values(path))[:most]:
            turns = messages_of(value.data.get("messages"))
            if not turns:
                raise DataError("its turns must have a role and a text each", where=value.where)
            messages = tuple(Turn(turn["role"], turn["content"]) for turn in turns)
            talks.append(Talk(messages, value.where))
    return talks


def _digest(paths: Sequence[Path]) -> str:
    found = hashlib.sha256()
    for path in paths:
        found.update(path.read_bytes())
    return found.hexdigest()
