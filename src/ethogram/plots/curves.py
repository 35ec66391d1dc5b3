"""Curves of trainings by step: one quantity, several trainings over each other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from ethogram.plots.chart import Chart, layered, nominal, quantitative

#: Pixels.
WIDTH, HEIGHT = 320, 180
#: Told apart with any colour vision, on light and dark (after Okabe and Ito 2008).
PALETTE = ("#2e86c9", "#d55e00", "#009e73", "#cc79a7", "#b8860b", "#7570d8", "#8b8677", "#4aa3a2")

DASHES = ([1, 0], [6, 3], [2, 2], [8, 2, 2, 2])


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
    words: str = "",
) -> Chart:
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
        words: what it shows.
    """
    rows = [asdict(each) for each in points if math.isfinite(each.value)]
    runs = list(dict.fromkeys(each.run for each in points))
    series = list(dict.fromkeys(each.series for each in points))
    large = any(abs(row["value"]) >= 1000 for row in rows)
    axis = {"format": ".0%" if percent else "~s" if large else "~r", "tickCount": 4}
    up = {"title": title, "scale": {"zero": percent, "nice": True}, "axis": axis}
    across = quantitative(
        "step",
        title="step",
        scale={"type": "log" if log else "linear", "nice": False},
        axis={"format": "~s", "tickCount": 5},
    )
    looks = _told_apart(runs, series)
    line = {"x": across, "detail": [nominal("run"), nominal("series")], **looks}
    raw, mean = ({**line, "y": quantitative(field, **up)} for field in ("value", "mean"))
    dots = {key: value for key, value in raw.items() if key != "strokeDash"}
    dots["tooltip"] = [*line["detail"], quantitative("step"), quantitative("value")]
    drawn = [{"filter": "datum.step > 0"}] if log else []
    is_smooth = {"field": "series", "oneOf": list(smoothed) if window > 1 else []}
    is_dense = {"field": "series", "oneOf": list(smoothed)}
    strong = {"type": "line", "strokeWidth": 2}
    layers = [
        {
            "transform": [*drawn, {"filter": is_smooth}],
            "mark": {"type": "line", "strokeWidth": 1, "opacity": 0.3},
            "encoding": raw,
        },
        {
            "transform": [*drawn, {"filter": is_smooth}, _mean(window)],
            "mark": strong,
            "encoding": mean,
        },
        {
            "transform": [*drawn, {"filter": {"not": is_smooth}}],
            "mark": strong,
            "encoding": raw,
        },
        {
            "transform": [*drawn, {"filter": {"not": is_dense}}],
            "mark": {"type": "point", "filled": True, "size": 28},
            "encoding": dots,
        },
    ]
    return Chart(layered(layers, rows=rows, width=width, height=height), words)


def _mean(window: int) -> dict[str, Any]:
    """The mean of the last points of each curve."""
    return {
        "window": [{"op": "mean", "field": "value", "as": "mean"}],
        "frame": [1 - window, 0],
        "groupby": ["run", "series"],
        "sort": [{"field": "step"}],
    }


def _told_apart(runs: Sequence[str], series: Sequence[str]) -> dict[str, Any]:
    """Colours, and dashes where trainings and series both have to be told apart."""
    field, names = ("run", runs) if len(runs) > 1 else ("series", series)
    legend = {
        "orient": "top",
        "title": None,
        "columns": 2,
        "labelLimit": 150,
        "symbolType": "stroke",
        "symbolOpacity": 1,  # Else that of the faint line.
        "symbolStrokeWidth": 3,
    }
    colours = {"domain": list(names), "range": [PALETTE[at % len(PALETTE)] for at in _of(names)]}
    found = {"color": nominal(field, scale=colours, legend=legend if len(names) > 1 else None)}
    if len(runs) > 1 and len(series) > 1:
        dashes = {"domain": list(series), "range": [DASHES[at % len(DASHES)] for at in _of(series)]}
        found["strokeDash"] = nominal("series", scale=dashes, legend=legend)
    return found


def _of(names: Sequence[str]) -> range:
    return range(len(names))
