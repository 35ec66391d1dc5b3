"""Numbers and differences in words, the same in the terminal, the log and the page."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ethogram.metrics import Metric
from ethogram.study.aims import Aim, Aims
from ethogram.study.difference import Difference

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Metrics named as the price of a version, at most.
_MOST_PRICES = 3


def value_words(metric: Metric, value: float) -> str:
    """A value with its unit: a share as a percentage, other units with enough digits to check."""
    if math.isnan(value):
        return "–"
    unit = str(metric.unit)
    if unit == "share":
        return _percent(100 * value)
    if unit == "percent":
        return _percent(value)
    return _digits(value)


def change_words(item: Difference) -> str:
    """A difference with its 95 % interval: `−33 points [−51, −14]`."""
    if math.isnan(item.estimate):
        return "not measured"
    unit = str(item.metric.unit)
    scale = {"share": 100.0, "percent": 1.0}.get(unit)
    if scale is None:
        return f"{_signed(item.estimate)} [{_signed(item.low)}, {_signed(item.high)}]"
    low, middle, high = (scale * value for value in (item.low, item.estimate, item.high))
    small = max(map(abs, (low, middle, high))) < 1
    digits = 2 if small else 1 if max(map(abs, (low, high))) < 10 else 0
    words = [
        _minus(f"{value:+.{digits}f}") if not math.isnan(value) else "–"
        for value in (middle, low, high)
    ]
    return f"{words[0]} points [{words[1]}, {words[2]}]"


def moved_words(item: Difference) -> str:
    """`loop rate 33 % → 1 %`."""
    before, after = (value_words(item.metric, value) for value in (item.before, item.after))
    return f"{name_words(item.metric)} {before} → {after}"


def name_words(metric: Metric) -> str:
    """A metric's title inside a sentence."""
    title = metric.title
    return title if title[1:2].isupper() else title[0].lower() + title[1:]


def aim_sentence(aims: Aims) -> str:
    """What the aims came to and their price, answer first."""
    head = {"met": "Aim met", "not met": "Aim not met", "undecided": "Undecided"}[aims.outcome]
    parts = "; ".join(_aim_words(aim, alone=len(aims.aims) == 1) for aim in aims.aims)
    return f"**{head}:** {parts}. {price_sentence(aims.price)}"


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
            f"; about {aim.needed} prompts would tell"
            if aim.needed
            else "; no number of prompts like these would tell"
        )
    wanted = f"meant to be {aim.way}" if aim.way == "same" else f"meant to get {aim.way}"
    return words if aim.outcome == "met" else f"{words}; {wanted}"


def _percent(value: float) -> str:
    if value in (0, 100):
        return f"{value:.0f} %"
    return f"{value:.1f} %" if abs(value) < 10 else f"{value:.0f} %"


def _digits(value: float) -> str:
    return "0" if value == 0 else f"{value:.{_places(value)}f}"


def _signed(value: float) -> str:
    return "–" if math.isnan(value) else _minus(f"{value:+.{_places(value)}f}")


def _places(value: float) -> int:
    """Three significant digits, none beyond the third decimal."""
    return 3 if abs(value) < 1 else 2 if abs(value) < 10 else 1


def _minus(text: str) -> str:
    return text.replace("-", "−")
