"""Heat map: a metric over two settings of a sweep."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ethogram.extras import require

if TYPE_CHECKING:
    from altair import LayerChart

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
) -> LayerChart:
    """Cells coloured by a metric, brighter where it is better.

    Args:
        cells: one for each pair of values; a pair without one stays empty.
        x: title of the first setting.
        y: of the second; empty where there is only one.
        title: of the metric.
        x_order: labels of the first axis in order; None where it is continuous.
        y_order: of the second.
        higher_is_better: direction of the metric; None where neither is, so that high is bright.

    Raises:
        MissingExtraError: Altair is not installed.
    """
    alt = require("altair", extra="ui", needed_for="a chart")
    known = [cell.value for cell in cells if math.isfinite(cell.value)]
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    is_reversed = higher_is_better is False
    rows = [_row(cell, low, high, is_reversed=is_reversed) for cell in cells]
    is_grid = x_order is not None and y_order is not None
    better = {True: ["(higher is better)"], False: ["(lower is better)"], None: []}
    scale = alt.Scale(
        scheme="viridis",
        domain=[low, high] if high > low else [low, low + 1],
        reverse=is_reversed,
    )
    base = alt.Chart(alt.Data(values=rows)).encode(
        x=_axis(alt, alt.X, "x", x, x_order), y=_axis(alt, alt.Y, "y", y, y_order)
    )
    mark = base.mark_rect() if is_grid else base.mark_circle(size=160, opacity=1)
    coloured = mark.encode(
        color=alt.Color(
            "value:Q",
            scale=scale,
            title=[title, *better[higher_is_better]],
            legend=alt.Legend(gradientLength=120),
        ),
        tooltip=["x:N", "y:N", "words:N"],
    ).add_params(alt.selection_point(name="clicked", fields=["setting"]))
    layers = [coloured]
    if is_grid and len(cells) <= MOST_NUMBERS:
        numbers = base.mark_text(fontSize=12).encode(
            text="text:N",
            color=alt.Color("ink:N", scale=None),
            tooltip=["x:N", "y:N", "words:N"],
        )
        layers.append(numbers)
    made: LayerChart = (
        alt.layer(*layers)
        .properties(
            width=SIDE if x_order is None else alt.Step(WIDE),
            height=SIDE if y_order is None else alt.Step(HIGH),
        )
        .resolve_scale(color="independent")  # The ink of numbers has no scale.
    )
    return made


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


def _axis(alt: Any, channel: Any, field: str, title: str, order: Sequence[str] | None) -> Any:
    if order is None:
        return channel(f"{field}:Q", title=title, scale=alt.Scale(zero=False, nice=True))
    wanted = order if field == "x" else list(reversed(order))  # Upwards, as numbers go.
    axis = alt.Axis(labelAngle=0, labelLimit=160, titleLimit=300) if title else None
    return channel(f"{field}:O", title=title, sort=list(wanted), axis=axis)
