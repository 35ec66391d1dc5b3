"""Ends: replies whose end token is not learned, so that the model would never stop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ethogram.train.job import Finding
from ethogram.train.preflight.showing import of_rows

if TYPE_CHECKING:
    from ethogram.train.chats import Chat, TokenRow


def no_end_token(rows: Sequence[TokenRow], chat: Chat) -> Finding | None:
    """Rows in which some reply does not end with the end token, or has it inside.

    Args:
        rows: that were not cut.
        chat: the chat format.
    """
    bad = [row for row in rows if row.learned_tokens and not _ends(row, chat.end_id)]
    if chat.end_id is None:
        what = "learn no end token, so the model would never stop"
        hint = "end replies with the end token in the template, or leave the template out"
    else:
        name = chat.tokenizer.convert_ids_to_tokens(chat.end_id)
        what = f"have a reply that does not end with its only {name}"
        hint = f"remove {name} from the text of the rows, and let the template end each reply"
    return of_rows("no_end_token", bad, len(rows), what, hint, chat.tokenizer)


def _ends(row: TokenRow, end: int | None) -> bool:
    """Whether each run of learned tokens has the end token as its last one, and only there."""
    if end is None:
        return False
    following = (*row.learned[1:], False)
    for token, learned, more in zip(row.ids, row.learned, following, strict=True):
        if learned and (token == end) != (not more):
            return False
    return True
