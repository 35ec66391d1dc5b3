"""Example rows in messages: short, and on one line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ethogram.train.job import Finding

if TYPE_CHECKING:
    from ethogram.train.chats import TokenRow

_SHOWN = 60


def example(text: str) -> str:
    """A text in quotes, shortened in the middle, without line breaks."""
    flat = " ".join(text.split())
    if len(flat) > _SHOWN:
        flat = f"{flat[: _SHOWN // 2]} … {flat[-_SHOWN // 2 :]}"
    return repr(flat)


def of_rows(
    code: str,
    bad: Sequence[TokenRow],
    total: int,
    what: str,
    hint: str,
    tokenizer: Any,
    *,
    refuses: bool = True,
) -> Finding | None:
    """The finding that some rows are bad; None if none is.

    Args:
        code: of the finding.
        bad: rows that are.
        total: how many rows there are.
        what: what they do, after "3 of 8 rows".
        hint: how to fix it.
        tokenizer: to show the first.
        refuses: whether the training must not start.
    """
    if not bad:
        return None
    first = bad[0]
    text = tokenizer.decode([*first.source, *first.ids])
    message = f"{len(bad)} of {total} rows {what}; the first is {example(text)}"
    return Finding(code, message, hint, refuses=refuses, where=first.where)
