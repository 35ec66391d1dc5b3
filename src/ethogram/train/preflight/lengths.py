"""Lengths: rows that the model's context would cut."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ethogram.train.job import Finding
from ethogram.train.preflight.showing import of_rows

if TYPE_CHECKING:
    from ethogram.train.chats import TokenRow


def cut_rows(rows: Sequence[TokenRow], context: int, tokenizer: Any) -> Finding | None:
    """Rows that are longer than the context: they would lose their end token."""
    bad = [row for row in rows if max(len(row.ids), len(row.source)) > context]
    longest = max((max(len(row.ids), len(row.source)) for row in bad), default=0)
    return of_rows(
        "too_long",
        bad,
        len(rows),
        f"have more tokens than the context of {context} (up to {longest})",
        "shorten them, or set data.too_long to cut or drop",
        tokenizer,
    )
