"""Masks: rows in which nothing is learned, or everything."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ethogram.train.job import Finding
from ethogram.train.preflight.showing import of_rows

if TYPE_CHECKING:
    from ethogram.train.chats import TokenRow


def empty_masks(rows: Sequence[TokenRow], tokenizer: Any) -> Finding | None:
    """Rows that teach nothing: no reply, or a reply that was cut away."""
    bad = [row for row in rows if not row.learned_tokens]
    return of_rows(
        "empty_mask",
        bad,
        len(rows),
        "have no token to learn",
        "add a reply, or remove the rows; a row cut by the context may have lost its reply",
        tokenizer,
    )


def full_masks(rows: Sequence[TokenRow], tokenizer: Any) -> Finding | None:
    """Rows whose prompt is learned too. A decoder's target is all reply, so it does not count."""
    bad = [row for row in rows if row.ids and not row.source and all(row.learned)]
    return of_rows(
        "full_mask",
        bad,
        len(rows),
        "learn their prompt too",
        "put the prompt into a message of the user",
        tokenizer,
    )
