"""Heat map: a metric over two settings of a sweep."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ethogram.plots.chart import Chart, layered, nominal, quantitative

#: Pixels of a cell with a number in it, and of a side where a setting is continuous.
WIDE, HIGH, SIDE = 64, 36, 320
#: Cells above which numbers would be too small to read.
MOST_NUMBERS = 150
#: Share of the range from which on a cell is so bright that its number is dark.
_BRIGHT = 0.55


@dataclass(frozen=True)
class HeatCell:
    """A cell.

    Attributes:
        x: value of the first setting, a label or a number.
        y: of the second.
        setting: name of the setting of the sweep that is shown here.
        value: of the metric; NaN where it applies to no output.
        words: the value in words.
        mark: a sign behind the number, such as that of the choice.
    """

    x: str | float
    y: str | float
    setting: str
    value: float
    words: str
    mark: str = ""


def heat_chart(
    cells: Sequence[HeatCell],
    *,
    x: str,
    y: str,
    title: str,
    x_order: Sequence[str] | None = None,
    y_order: Sequence[str] | None = None,
    higher_is_better: bool | None = True,
    words: str = "",
) -> Chart:
    """Cells coloured by a metric, brighter where it is better.

    Args:
        cells: one for each pair of values; a pair without one stays empty.
        x: title of the first setting.
        y: of the second; empty where there is only one.
        title: of the metric.
        x_order: labels of the first axis in order; None where it is continuous.
        y_order: of the second.
        higher_is_better: direction of the metric; None where neither is, so that high is bright.
        words: what it shows.
    """
    known = [cell.value for cell in cells if math.isfinite(cell.value)]
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    is_reversed = higher_is_better is False
    rows = [_row(cell, low, high, is_reversed=is_reversed) for cell in cells]
    is_grid = x_order is not None and y_order is not None
    better = {True: ["(higher is better)"], False: ["(lower is better)"], None: []}
    scale = {
        "scheme": "viridis",
        "domain": [low, high if high > low else low + 1],
        "reverse": is_reversed,
    }
    axes = {
        "x": _axis("x", x, x_order),
        "y": _axis("y", y, y_order),
        "tooltip": [nominal(each) for each in ("x", "y", "words")],
    }
    colour = quantitative(
        "value",
        scale=scale,
        title=[title, *better[higher_is_better]],
        legend={"gradientLength": 120},
    )
    layers = [
        {
            "name": "cells",
            "mark": {"type": "rect"} if is_grid else {"type": "circle", "size": 160, "opacity": 1},
            "encoding": {**axes, "color": colour},
        }
    ]
    if is_grid and len(cells) <= MOST_NUMBERS:
        ink = {"text": nominal("text"), "color": nominal("ink", scale=None)}
        mark = {"type": "text", "fontSize": 12}
        layers.append({"mark": mark, "encoding": {**axes, **ink}})
    spec = layered(
        layers,
        rows=rows,
        width=SIDE if x_order is None else {"step": WIDE},
        height=SIDE if y_order is None else {"step": HIGH},
        clicked="setting",
        marks="cells",
        resolve={"scale": {"color": "independent"}},  # The ink of numbers has no scale.
    )
    return Chart(spec, words)


def _row(cell: HeatCell, low: float, high: float, *, is_reversed: bool) -> dict[str, Any]:
    value = cell.value if math.isfinite(cell.value) else None
    share = 0.5 if value is None or high <= low else (value - low) / (high - low)
    bright = 1 - share if is_reversed else share
    return {
        "x": cell.x,
        "y": cell.y,
        "setting": cell.setting,
        "value": value,
        "words": cell.words,
        "text": f"{cell.words} {cell.mark}".strip(),
        "ink": "#111111" if bright > _BRIGHT else "#ffffff",
    }


def _axis(field: str, title: str, order: Sequence[str] | None) -> dict[str, Any]:
    if order is None:
        return quantitative(field, title=title, scale={"zero": False, "nice": True})
    wanted = list(order if field == "x" else reversed(order))  # Upwards, as numbers go.
    axis = {"labelAngle": 0, "labelLimit": 160, "titleLimit": 300} if title else None
    return {"field": field, "type": "ordinal", "title": title, "sort": wanted, "axis": axis}
