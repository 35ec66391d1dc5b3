"""Tokens: how long rows are for a tokenizer, and what it cannot write."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from ethogram.corpus.fixes import BadRows
from ethogram.corpus.rows import BadRow, Row
from ethogram.corpus.survey import percentiles
from ethogram.corpus.writing import BadRowsError

Encode = Callable[[Sequence[str]], Sequence[Sequence[int]]]
_BATCH = 256


@dataclass(frozen=True, slots=True)
class TokenCounts:
    """Tokens of rows, without those that a chat template adds.

    Attributes:
        rows: how many.
        tokens: of all rows.
        characters: of all rows.
        per_row: percentiles of a row's tokens.
        context: tokens from which a row is cut; None if not asked.
        cut_rows: share of rows longer than that.
        cut_tokens: share of tokens beyond it.
        unknown: share of tokens that stand for text that the tokenizer cannot write.
        byte_fallback: share of tokens that are single bytes for want of a better one.
    """

    rows: int
    tokens: int
    characters: int
    per_row: Mapping[int, int]
    context: int | None
    cut_rows: float
    cut_tokens: float
    unknown: float
    byte_fallback: float

    @property
    def characters_per_token(self) -> float:
        """Mean length of a token."""
        return self.characters / self.tokens if self.tokens else 0.0


def token_counts(
    rows: Iterable[Row | BadRow],
    encode: Encode,
    *,
    context: int | None = None,
    unknown: int | None = None,
    byte_tokens: Collection[int] = (),
) -> TokenCounts:
    """Count the tokens of rows.

    Args:
        rows: of any kind; all their text counts.
        encode: texts to token ids, without special tokens.
        context: tokens that a model reads at most.
        unknown: id of the tokenizer's unknown token.
        byte_tokens: ids of its byte-fallback tokens, such as `<0x0A>`.

    Raises:
        BadRowsError: rows are bad.
    """
    bad = BadRows()
    lengths = array("Q")
    characters = unknowns = bytes_ = 0
    special = frozenset(byte_tokens)

    def texts() -> Iterator[str]:
        for row in rows:
            if isinstance(row, BadRow):
                bad.add(row)
            else:
                yield row.words

    words = texts()
    while batch := list(islice(words, _BATCH)):
        characters += sum(map(len, batch))
        for ids in encode(batch):
            lengths.append(len(ids))
            unknowns += sum(1 for each in ids if each == unknown) if unknown is not None else 0
            bytes_ += sum(1 for each in ids if each in special) if special else 0
    if bad.total:
        raise BadRowsError(bad)
    counts = np.asarray(lengths)
    total = int(counts.sum())
    over = np.maximum(counts.astype(np.int64) - context, 0) if context else np.zeros(0)
    return TokenCounts(
        rows=len(counts),
        tokens=total,
        characters=characters,
        per_row=percentiles(counts),
        context=context,
        cut_rows=float((over > 0).mean()) if len(over) else 0.0,
        cut_tokens=float(over.sum()) / total if total else 0.0,
        unknown=unknowns / total if total else 0.0,
        byte_fallback=bytes_ / total if total else 0.0,
    )
