"""Pairs and votes of a recipe's data files, and their rows of token ids."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ethogram.corpus import (
    BadRow,
    Row,
    Turn,
    preferences,
    votes,
)
from ethogram.errors import DataError
from ethogram.train.conversations import TrainingRows, read_rows
from ethogram.train.job import Counts, Job

if TYPE_CHECKING:
    from ethogram.train.chats import Chat, TokenRow


def read_pairs(job: Job) -> TrainingRows:
    """Read the preference pairs of a recipe.

    Raises:
        DataError: a file is missing, a row is bad or no pair, or there is none.
    """
    return read_some(job, preferences)


def read_votes(job: Job) -> TrainingRows:
    """Read the votes of a recipe: replies that were liked or disliked.

    A preference pair counts as two votes.

    Raises:
        DataError: a file is missing, a row is bad, or there is none.
    """
    return read_some(job, lambda rows: votes(each for row in rows for each in _as_votes(row)))


def _as_votes(row: Row | BadRow) -> list[Row | BadRow]:
    if isinstance(row, BadRow) or row.kind != "preference":
        return [row]
    return [
        Row("vote", row.file, row.line, messages=row.messages, reply=reply, label=label)
        for reply, label in ((row.chosen, True), (row.rejected, False))
    ]


def read_some(job: Job, usable: Callable[[Iterable[Row | BadRow]], list[Row]]) -> TrainingRows:
    """The rows of a recipe, of which some are left to learn from.

    Args:
        job: the training.
        usable: which rows can be used, or an error.

    Raises:
        DataError: a file is missing, a row is bad, or there is none to learn from.
    """
    found = read_rows(job, usable)
    if not found.train:
        raise DataError(
            "every row is held out", where=str(job.path), hint="lower data.held_out, or add rows"
        )
    return found


def conversation(row: Row, reply: str) -> Row:
    """A row's prompt with a reply, as a conversation."""
    messages = (*row.messages, Turn("assistant", reply))
    return Row("messages", row.file, row.line, messages=messages)


def token_row(chat: Chat, row: Row, reply: str) -> TokenRow:
    """A reply after its prompt as token ids; only the reply and its end token are learned."""
    return chat.rows(conversation(row, reply).messages, where=row.where, last_only=True)[0]


@dataclass(frozen=True, slots=True)
class Fitted:
    """Groups of token rows (the two of a pair, or the one of a vote) that fit into the context.

    Attributes:
        groups: that are used.
        kept: position of each among all.
        cut: groups of which the end of a row was cut.
        dropped: groups that were left out.
    """

    groups: Sequence[tuple[TokenRow, ...]]
    kept: Sequence[int]
    cut: int = 0
    dropped: int = 0


def fit(groups: Sequence[tuple[TokenRow, ...]], context: int, rule: str) -> Fitted:
    """Cut or drop groups with a row longer than the context; refusing them is for the checks.

    A row of which only the prompt would remain is dropped, as nothing of it could be learned.

    Args:
        groups: token rows.
        context: longest row that the model reads, in tokens.
        rule: `data.too_long` of the recipe.
    """
    if rule == "refuse":
        return Fitted(groups, range(len(groups)))
    kept, used, cut = [], [], 0
    for at, group in enumerate(groups):
        long = any(len(row) > context for row in group)
        shorter = tuple(row.cut(context) for row in group)
        if long and (rule == "drop" or not all(row.learned_tokens for row in shorter)):
            continue
        cut += long
        kept.append(at)
        used.append(shorter)
    return Fitted(used, kept, cut, len(groups) - len(used))


def counts_of(train: Fitted, held_out: Fitted) -> Counts:
    """What a training reads; a sequence is a pair or a vote, padding apart."""
    tokens = sum(len(row) for group in train.groups for row in group)
    return Counts(
        rows=len(train.groups),
        held_out_rows=len(held_out.groups),
        tokens=tokens,
        learned_tokens=sum(row.learned_tokens for group in train.groups for row in group),
        sequences=len(train.groups),
        sequence_tokens=-(-tokens // max(1, len(train.groups))),
        cut_rows=train.cut,
        dropped_rows=train.dropped,
    )
