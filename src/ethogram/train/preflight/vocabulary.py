"""Vocabulary: ids that the model has no embedding or no logit for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ethogram.train.job import Finding

if TYPE_CHECKING:
    from ethogram.train.chats import TokenRow


def outside_vocabulary(rows: Sequence[TokenRow], vocab_size: int) -> Finding | None:
    """Rows with an id outside 0..vocab_size-1."""
    bad = [
        (row, token)
        for row in rows
        for token in (*row.source, *row.ids)
        if not 0 <= token < vocab_size
    ]
    if not bad:
        return None
    count = len({id(row) for row, _ in bad})
    row, token = bad[0]
    return Finding(
        "outside_vocabulary",
        f"{count} of {len(rows)} rows have an id outside the model's vocabulary of {vocab_size}; "
        f"the first is {token}",
        "the tokenizer has tokens that the model lacks: use the model's own tokenizer",
        where=row.where,
    )
