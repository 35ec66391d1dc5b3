"""Curves of trainings by step: one quantity, several trainings over each other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from ethogram.extras import require

if TYPE_CHECKING:
    from altair import LayerChart

#: Pixels.
WIDTH, HEIGHT = 320, 180
#: Told apart with any colour vision, on light and dark (after Okabe and Ito 2008).
PALETTE = ("#2e86c9", "#d55e00", "#009e73", "#cc79a7", "#b8860b", "#7570d8", "#8b8677", "#4aa3a2")


@dataclass(frozen=True)
class CurvePoint:
    """One value.

    Attributes:
        run: name of the training.
        series: which of several curves of it, such as a decoding or a held-out file.
        step: optimiser steps done.
        value: finite.
    """

    run: str
    series: str
    step: int
    value: float


def thinned(points: Sequence[CurvePoint], most: int) -> list[CurvePoint]:
    """At most so many points of one curve: lowest and highest of each stretch, and both ends.

    Args:
        points: of one curve, by step.
        most: at least 4.
    """
    if len(points) <= most:
        return list(points)
    inner, stretches = points[1:-1], (most - 2) // 2
    kept = [points[0]]
    for place in range(stretches):
        low, high = (round(at * len(inner) / stretches) for at in (place, place + 1))
        some = range(low, high)
        ends = {
            min(some, key=lambda at: inner[at].value),
            max(some, key=lambda at: inner[at].value),
        }
        kept += [inner[at] for at in sorted(ends)]
    return [*kept, points[-1]]


def curves_chart(
    points: Sequence[CurvePoint],
    *,
    title: str,
    smoothed: Sequence[str] = (),
    window: int = 1,
    log: bool = False,
    percent: bool = False,
    width: int | Literal["container"] = WIDTH,
    height: int = HEIGHT,
) -> LayerChart:
    """Curves by step. Where there is one training, colours tell its series; else the trainings.

    Args:
        points: of all curves.
        title: of the quantity.
        smoothed: series that have a value for each step; of these the mean of the last `window`
            points is drawn, and the points themselves faintly.
        window: points; 1 smooths nothing.
        log: logarithmic axis of steps, which leaves out step 0.
        percent: values are shares, to be shown in percent.
        width: pixels, or `container` to fill the page's column.
        height: pixels.

    Raises:
        MissingExtraError: Altair is not installed.
    """
    alt = require("altair", extra="ui", needed_for="a chart")
    rows = [asdict(each) for each in points if math.isfinite(each.value)]
    runs = list(dict.fromkeys(each.run for each in points))
    series = list(dict.fromkeys(each.series for each in points))
    smooth = list(smoothed) if window > 1 else []
    encoded = {
        "x": alt.X(
            "step:Q",
            title="step",
            scale=alt.Scale(type="log" if log else "linear", nice=False),
            axis=alt.Axis(format="~s", tickCount=5),
        ),
        **_told_apart(alt, runs, series),
    }
    large = any(abs(row["value"]) >= 1000 for row in rows)
    axis = alt.Axis(format=".0%" if percent else "~s" if large else "~r", tickCount=4)
    scale = alt.Scale(zero=percent, nice=True)
    y, detail = alt.Y("value:Q", title=title, scale=scale, axis=axis), ["run:N", "series:N"]
    tooltip = [*detail, "step:Q", "value:Q"]
    base: Any = alt.Chart()
    if log:
        base = base.transform_filter("datum.step > 0")
    noisy = base.transform_filter(alt.FieldOneOfPredicate(field="series", oneOf=smooth))
    plain = base.transform_filter(
        alt.LogicalNotPredicate(**{"not": alt.FieldOneOfPredicate(field="series", oneOf=smooth)})
    )
    sparse = plain.transform_filter(
        alt.LogicalNotPredicate(
            **{"not": alt.FieldOneOfPredicate(field="series", oneOf=list(smoothed))}
        )
    )
    mean = noisy.transform_window(
        mean="mean(value)",
        frame=[1 - window, 0],
        groupby=["run", "series"],
        sort=[alt.SortField("step")],
    )
    layers = [
        noisy.mark_line(strokeWidth=1, opacity=0.3).encode(y=y, detail=detail, **encoded),
        mean.mark_line(strokeWidth=2).encode(
            y=alt.Y("mean:Q", title=title, scale=scale, axis=axis), detail=detail, **encoded
        ),
        plain.mark_line(strokeWidth=2).encode(y=y, detail=detail, **encoded),
        sparse.mark_point(filled=True, size=28).encode(y=y, detail=detail, tooltip=tooltip, **{
            name: value for name, value in encoded.items() if name != "strokeDash"
        }),
    ]  # fmt: skip
    chart: LayerChart = alt.layer(*layers, data=alt.Data(values=rows)).properties(
        width=width, height=height
    )
    return chart


def _told_apart(alt: Any, runs: Sequence[str], series: Sequence[str]) -> dict[str, Any]:
    """Colours, and dashes where trainings and series both have to be told apart."""
    field, names = ("run", runs) if len(runs) > 1 else ("series", series)
    legend = alt.Legend(
        orient="top",
        title=None,
        columns=2,
        labelLimit=150,
        symbolType="stroke",
        symbolOpacity=1,  # Else that of the faint line.
        symbolStrokeWidth=3,
    )
    colours = [PALETTE[place % len(PALETTE)] for place in range(len(names))]
    found = {
        "color": alt.Color(
            f"{field}:N",
            scale=alt.Scale(domain=list(names), range=colours),
            legend=legend if len(names) > 1 else None,
        )
    }
    if len(runs) > 1 and len(series) > 1:
        dashes = [[1, 0], [6, 3], [2, 2], [8, 2, 2, 2]]
        found["strokeDash"] = alt.StrokeDash(
            "series:N",
            scale=alt.Scale(
                domain=list(series), range=[dashes[place % 4] for place in range(len(series))]
            ),
            legend=legend,
        )
    return found
