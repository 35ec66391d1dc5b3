"""Endings: whether outputs end by themselves after tuning on conversations."""

from __future__ import annotations

from ethogram.train.after.values import Values, pairs, warning
from ethogram.train.job import Finding

#: Share of outputs that should end by themselves.
_ENOUGH = 0.5


def end_not_learned(first: Values, last: Values) -> list[Finding]:
    """Decodings under which outputs run on to their limit, whatever was so before."""
    return [
        warning(
            "end_not_learned",
            f"only {after:.0%} of the outputs under {decoding} end by themselves "
            f"({before:.0%} before)",
            "train longer, or allow more tokens in evaluate.max_new_tokens",
        )
        for decoding, before, after in pairs(first, last, "ends_by_itself")
        if after < _ENOUGH
    ]
