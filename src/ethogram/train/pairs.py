"""Pairs and votes of a recipe's data files, and their rows of token ids."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from ethogram.corpus import (
    BadRow,
    FixCounter,
    Row,
    Turn,
    fingerprint,
    preferences,
    read,
    split,
    votes,
)
from ethogram.errors import DataError
from ethogram.train.documents import Documents, data_paths, rules_used
from ethogram.train.job import Counts, Finding, Job

if TYPE_CHECKING:
    from ethogram.train.chats import Chat, TokenRow

Usable = Callable[[Iterable[Row | BadRow]], list[Row]]


@dataclass(frozen=True, slots=True)
class Talk:
    """A prompt with one of its replies, as a conversation.

    Attributes:
        messages: in order; the last one is the reply.
        where: file and line.
    """

    messages: tuple[Turn, ...]
    where: str


@dataclass(frozen=True, slots=True)
class Replies:
    """What a recipe's files of preferences hold.

    Attributes:
        train: rows to learn from.
        held_out: rows to evaluate on; replies to one prompt are on one side.
        fingerprint: digest of the content of the files.
        findings: a warning for each rule of `fixes` that was used.
    """

    train: Sequence[Row]
    held_out: Sequence[Row]
    fingerprint: str
    findings: Sequence[Finding] = ()


def read_pairs(job: Job) -> Replies:
    """Read the preference pairs of a recipe.

    Raises:
        DataError: a file is missing, a row is bad or no pair, or there is none.
    """
    return _read(job, preferences)


def read_votes(job: Job) -> Replies:
    """Read the votes of a recipe: replies that were liked or disliked.

    A preference pair counts as two votes.

    Raises:
        DataError: a file is missing, a row is bad, or there is none.
    """
    return _read(job, lambda rows: votes(each for row in rows for each in _as_votes(row)))


def _as_votes(row: Row | BadRow) -> list[Row | BadRow]:
    if isinstance(row, BadRow) or row.kind != "preference":
        return [row]
    return [
        Row("vote", row.file, row.line, messages=row.messages, reply=reply, label=label)
        for reply, label in ((row.chosen, True), (row.rejected, False))
    ]


def _read(job: Job, usable: Usable) -> Replies:
    data = job.recipe.data
    rules = FixCounter(data.fixes)

    def rows(names: Sequence[str], most: int | None = None) -> list[Row]:
        return usable(
            row
            for name in names
            for row in islice(read(job.study.folder / name, format=data.format, fixes=rules), most)
        )

    train = rows(data.train, data.max_rows)
    held: list[Row] = []
    if isinstance(data.held_out, tuple):
        held = rows(data.held_out)
    elif data.held_out:
        train, held = split(train, data.held_out)
    if not train:
        raise DataError(
            "every row is held out", where=str(job.path), hint="lower data.held_out, or add rows"
        )
    used = rules_used(Documents([], {}, rules.used))
    return Replies(train, held, fingerprint(data_paths(job.study, data)), used)


def talk(row: Row, reply: str) -> Talk:
    """A row's prompt with a reply."""
    return Talk((*row.messages, Turn("assistant", reply)), row.where)


def token_row(chat: Chat, row: Row, reply: str) -> TokenRow:
    """A reply after its prompt as token ids; only the reply and its end token are learned."""
    return chat.rows(talk(row, reply).messages, where=row.where, last_only=True)[0]


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
