"""Beginnings: a begin token that is there twice, which no prompt of generation has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ethogram.train.job import Finding
from ethogram.train.preflight.showing import of_rows

if TYPE_CHECKING:
    from ethogram.train.chats import TokenRow


def doubled_bos(rows: Sequence[TokenRow], tokenizer: Any) -> Finding | None:
    """Rows that begin with the begin token twice."""
    bos = tokenizer.bos_token_id
    if bos is None:
        return None
    bad = [row for row in rows if (row.source or row.ids)[:2] == (bos, bos)]
    return of_rows(
        "doubled_bos",
        bad,
        len(rows),
        f"begin with {tokenizer.bos_token} twice",
        "the chat template writes it once: remove it from the data, or from the template",
        tokenizer,
    )
