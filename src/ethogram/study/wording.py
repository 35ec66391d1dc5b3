"""Differences and aims in sentences, the same in the terminal, a notebook, the log and the page."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ethogram.metrics import Metric
from ethogram.study.aims import Aim, Aims
from ethogram.study.difference import Difference
from ethogram.study.headline import from_to
from ethogram.study.numbers import difference_in, interval_in, is_percentage, value_in

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: Metrics named as the price of a version, at most.
_MOST_PRICES = 3


def value_words(metric: Metric, value: float) -> str:
    """A value with its unit."""
    return value_in(metric.unit, value)


def change_words(item: Difference) -> str:
    """A difference with its 95 % interval: `-33.3 points [-51.2, -14.8]`."""
    if math.isnan(item.estimate):
        return "not measured"
    unit = item.metric.unit
    points = " points" if is_percentage(unit) else ""
    estimate = difference_in(unit, item.estimate)
    return f"{estimate}{points} {interval_in(unit, item.low, item.high)}"


def moved_words(item: Difference) -> str:
    """`loop rate 33 % → 1 %`."""
    return f"{name_words(item.metric)} {from_to(item)}"


def name_words(metric: Metric) -> str:
    """A metric's title inside a sentence; a pitfall's is its name."""
    title = metric.title.removeprefix("Pitfall: ")
    return title if title[1:2].isupper() else title[0].lower() + title[1:]


def aim_sentence(aims: Aims) -> str:
    """What the aims came to and their price, answer first."""
    return f"{aim_head(aims)}: {aim_parts(aims)}"


def aim_head(aims: Aims) -> str:
    """`Aim met`, `Aim not met` or `Aim undecided`."""
    return f"Aim {aims.outcome}"


def aim_parts(aims: Aims) -> str:
    """Each aim with its numbers, and the price."""
    parts = "; ".join(_aim_words(aim, alone=len(aims.aims) == 1) for aim in aims.aims)
    return f"{parts}. {price_sentence(aims.price)}"


def price_sentence(price: Sequence[Difference]) -> str:
    """What got worse meanwhile."""
    if not price:
        return "Price: none seen."
    shown = [
        f"{moved_words(item)}, {'worse' if item.is_clear else 'perhaps worse'}"
        for item in price[:_MOST_PRICES]
    ]
    more = len(price) - len(shown)
    return f"Price: {'; '.join(shown)}{f'; and {more} more' if more > 0 else ''}."


def _aim_words(aim: Aim, *, alone: bool) -> str:
    item = aim.difference
    words = f"{moved_words(item)} ({change_words(item)}, {item.test.prompts} prompts)"
    if not alone:
        words += f", {aim.outcome}"
    if aim.outcome == "undecided":
        words += (
            f"; about {aim.needed} prompts would decide it"
            if aim.needed
            else "; more prompts like these would not decide it"
        )
    wanted = f"meant to be {aim.way}" if aim.way == "same" else f"meant to get {aim.way}"
    return words if aim.outcome == "met" else f"{words}; {wanted}"


def processor_words(processors: Mapping[str, int]) -> str:
    """A note where outputs were computed on several kinds of processors; else nothing."""
    if len(processors) < 2:
        return ""
    kinds = "; ".join(f"{count} on {kind}" for kind, count in sorted(processors.items()))
    return (
        f"The outputs were computed on {len(processors)} kinds of processors, which may differ in "
        f"the last bits: {kinds}."
    )
