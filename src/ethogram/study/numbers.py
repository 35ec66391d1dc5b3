"""Numbers in words: how values, differences and p-values are written, wherever they are shown."""

from __future__ import annotations

import math

#: Units that are shown in percent; their differences are percentage points.
PERCENTAGES = {"share": 100.0, "percent": 1.0}


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


def value_in(unit: str, value: float) -> str:
    """A value of a metric of that unit: shares and percentages in percent."""
    if math.isnan(value):
        return "–"
    if unit in PERCENTAGES:
        return f"{PERCENTAGES[unit] * value:.1f} %"
    return f"{value:.2f}" if abs(value) < 100 else f"{value:.0f}"


def difference_in(unit: str, value: float) -> str:
    """A difference of a metric of that unit; of percentages, in percentage points."""
    if math.isnan(value):
        return "–"
    if unit in PERCENTAGES:
        return f"{PERCENTAGES[unit] * value:+.1f}"
    return f"{value:+.2f}" if abs(value) < 100 else f"{value:+.0f}"


def interval_in(unit: str, low: float, high: float) -> str:
    """An interval around a difference."""
    if math.isnan(low) or math.isnan(high):
        return "–"
    return f"[{difference_in(unit, low)}, {difference_in(unit, high)}]"
