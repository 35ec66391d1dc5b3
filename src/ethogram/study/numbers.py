"""Numbers in words: how values, differences and p-values are written, wherever they are shown."""

from __future__ import annotations

import math

from ethogram.metrics.units import PERCENT, SHARE, Unit

#: What turns values of a unit into percent; differences are then percentage points.
_TO_PERCENT = {SHARE: 100.0, PERCENT: 1.0}


def is_percentage(unit: Unit) -> bool:
    """Whether values of a unit are shown in percent."""
    return unit in _TO_PERCENT


def number(value: float) -> str:
    """A value without its unit: enough digits to be checked, not more."""
    if math.isnan(value):
        return "–"
    if value == 0:
        return "0"
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.2f}"


def signed(value: float) -> str:
    """A difference without its unit."""
    return "–" if math.isnan(value) else f"{value:+.3f}" if abs(value) < 10 else f"{value:+.2f}"


def p_value(value: float) -> str:
    """A p-value."""
    return "–" if math.isnan(value) else "<0.001" if value < 0.001 else f"{value:.3f}"


def value_in(unit: Unit, value: float) -> str:
    """A value of a metric of that unit: shares and percentages in percent."""
    if math.isnan(value):
        return "–"
    if unit in _TO_PERCENT:
        return f"{_TO_PERCENT[unit] * value:.1f} %"
    return f"{value:.2f}" if abs(value) < 100 else f"{value:.0f}"


def difference_in(unit: Unit, value: float) -> str:
    """A difference of a metric of that unit; of percentages, in percentage points."""
    if math.isnan(value):
        return "–"
    if unit in _TO_PERCENT:
        return f"{_TO_PERCENT[unit] * value:+.1f}"
    return f"{value:+.2f}" if abs(value) < 100 else f"{value:+.0f}"


def interval_in(unit: Unit, low: float, high: float) -> str:
    """An interval around a difference."""
    if math.isnan(low) or math.isnan(high):
        return "–"
    return f"[{difference_in(unit, low)}, {difference_in(unit, high)}]"
