"""Collapse: outputs that lost diversity or length, that are empty, or that loop, since before.

The limits are between what useful and ruined trainings showed: DPO at a fitting rate kept both
distinct-2 and length within a third, and at a rate five times as high lost every token, or looped.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ethogram.train.after.values import Values, pairs, warning
from ethogram.train.job import Finding


@dataclass(frozen=True, slots=True)
class _Rule:
    metric: str
    is_collapse: Callable[[float, float], bool]
    what: str
    form: str


_RULES = (
    _Rule(
        "distinct_2",
        lambda before, after: after < 0.7 * before,
        "diversity collapsed: distinct-2 went",
        ".2f",
    ),
    _Rule(
        "empty_rate",
        lambda before, after: after > before + 0.1,
        "more outputs are empty: their share went",
        ".0%",
    ),
    _Rule(
        "tokens",
        lambda before, after: after < 0.2 * before,
        "outputs became short: their mean number of tokens went",
        ".1f",
    ),
    _Rule(
        "tokens",
        lambda before, after: after > 3 * before,
        "outputs became long: their mean number of tokens went",
        ".1f",
    ),
    _Rule(
        "loop_rate",
        lambda before, after: after > before + 0.3,
        "outputs loop: the share of them went",
        ".0%",
    ),
)


def collapses(first: Values, last: Values) -> list[Finding]:
    """What collapsed, by metric and decoding.

    Args:
        first: values before the first step.
        last: values after the last step.
    """
    return [
        warning(
            f"collapse_{rule.metric}",
            f"{rule.what} from {before:{rule.form}} to {after:{rule.form}} under {decoding}",
            "train less: a lower learning rate, fewer steps, or a stronger reference",
        )
        for rule in _RULES
        for decoding, before, after in pairs(first, last, rule.metric)
        if rule.is_collapse(before, after) and not _ends_earlier(rule, decoding, first, last)
    ]


def _ends_earlier(rule: _Rule, decoding: str, first: Values, last: Values) -> bool:
    """Whether outputs are shorter because they end now, where they ran to their limit before.

    Tuning on conversations is meant to do that. Empty outputs are another rule.
    """
    name = f"{decoding}/ends_by_itself"
    before, after = first.get(name), last.get(name)
    if rule.metric != "tokens" or before is None or after is None:
        return False
    length = last.get(f"{decoding}/tokens")
    return after > before + 0.3 and length is not None and length >= 2
