"""Charts of a sweep: trade-off of two metrics, parallel coordinates, the race by rounds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ethogram.plots.chart import Chart, layered, nominal, quantitative
from ethogram.plots.fates import Fate, fate_colour, fate_shape, present

#: Pixels of the charts, and between two axes of parallel coordinates.
SIDE, HEIGHT, BETWEEN = 360, 300, 130
#: Lines that are drawn: 3000 take a second in a browser.
MOST_LINES = 1000
#: The scale of an axis that does not begin at 0.
_NEAR = {"scale": {"zero": False, "nice": True}}


@dataclass(frozen=True)
class FrontPoint:
    """A setting by two metrics.

    Attributes:
        setting: its name.
        words: its fields with values.
        x: the first metric; NaN leaves it out.
        y: the second.
        fate: what became of it.
    """

    setting: str
    words: str
    x: float
    y: float
    fate: Fate


@dataclass(frozen=True)
class ParallelAxis:
    """An axis of parallel coordinates.

    Attributes:
        title: of the setting or metric.
        at: place on the axis, 0 to 1, of each line in order; None leaves the line's point out.
        labels: place and words of what is written beside the axis.
    """

    title: str
    at: Sequence[float | None]
    labels: Sequence[tuple[float, str]]


@dataclass(frozen=True)
class RacePoint:
    """A setting after a round.

    Attributes:
        setting: its name.
        words: its fields with values.
        round: from 1.
        value: of the metric; NaN leaves it out.
        fate: what became of it in the end.
        is_last: whether it was eliminated here.
    """

    setting: str
    words: str
    round: int
    value: float
    fate: Fate
    is_last: bool = False


def front_chart(
    points: Sequence[FrontPoint], *, x: str, y: str, is_whole_front: bool = True, words: str = ""
) -> Chart:
    """A scatter of two metrics with the Pareto front.

    Args:
        points: settings, and the parent.
        x: title of the first metric.
        y: of the second.
        is_whole_front: whether these two are all objectives, so that a line joins the front.
        words: what it shows.
    """
    kept = [each for each in points if math.isfinite(each.x) and math.isfinite(each.y)]
    rows = [asdict(each) for each in kept]
    fates: list[Fate] = [each.fate for each in kept]
    axes = {"x": quantitative("x", title=x, **_NEAR), "y": quantitative("y", title=y, **_NEAR)}
    tooltip = [nominal("words"), quantitative("x"), quantitative("y"), nominal("fate")]
    dots = {
        "name": "settings",
        "data": {"values": rows},
        "mark": {"type": "point", "size": 90, "filled": True, "opacity": 0.9},
        "encoding": {
            **axes,
            "color": fate_colour(fates),
            "shape": fate_shape(fates),
            "tooltip": tooltip,
        },
    }
    front = [row for row in rows if row["fate"] in ("front", "chosen")]
    mark = {"type": "line", "color": "#009e73", "strokeDash": [4, 3], "opacity": 0.7}
    line = {"data": {"values": front}, "mark": mark, "encoding": axes}
    layers: list[dict[str, Any]] = [line, dots] if is_whole_front and len(front) > 1 else [dots]
    spec = layered(layers, width=SIDE, height=HEIGHT, clicked="setting", marks="settings")
    return Chart(spec, words)


def parallel_chart(
    axes: Sequence[ParallelAxis], lines: Sequence[tuple[str, str, Fate]], *, words: str = ""
) -> Chart:
    """Parallel coordinates: a line for each setting, over its fields and metrics.

    Args:
        axes: from left to right.
        lines: name, words and fate of each setting; the first `MOST_LINES` are drawn.
        words: what it shows.
    """
    rows = [
        {"setting": name, "words": said, "fate": fate, "axis": axis.title, "at": axis.at[line]}
        for line, (name, said, fate) in enumerate(lines[:MOST_LINES])
        for axis in axes
        if axis.at[line] is not None
    ]
    fates: list[Fate] = [fate for _, _, fate in lines[:MOST_LINES]]
    across = nominal(
        "axis",
        sort=[axis.title for axis in axes],
        title=None,
        axis={
            "orient": "top",
            "labelAngle": 0,
            "labelLimit": BETWEEN,
            "domain": False,
            "ticks": False,
        },
        scale={"type": "point", "padding": 0.6},
    )
    place = {"x": across, "y": quantitative("at", axis=None, scale={"domain": [-0.04, 1.1]})}
    bars = [{"axis": axis.title, "at": 0.0, "end": 1.0} for axis in axes]
    labels = [
        {"axis": axis.title, "at": at, "label": said} for axis in axes for at, said in axis.labels
    ]
    layers: list[dict[str, Any]] = [
        {
            "data": {"values": bars},
            "mark": {"type": "rule", "opacity": 0.6},
            "encoding": {**place, "y2": {"field": "end"}},
        },
        {
            "name": "settings",
            "data": {"values": rows},
            "mark": {"type": "line", "point": {"size": 25}},
            "encoding": {**place, **_line(fates)},
        },
        {
            "data": {"values": labels},
            "mark": {"type": "text", "align": "left", "dx": 6, "dy": -8, "fontSize": 11},
            "encoding": {**place, "text": nominal("label")},
        },
    ]
    spec = layered(
        layers,
        width=BETWEEN * len(axes),
        height=HEIGHT,
        clicked="setting",
        marks="settings",
        view={"stroke": None},
    )
    return Chart(spec, words)


def _line(fates: Sequence[Fate]) -> dict[str, Any]:
    """How a line of parallel coordinates shows what became of its setting."""
    strong = [fate for fate in present(fates) if fate in ("chosen", "front", "parent")]
    is_strong = {"field": "fate", "oneOf": strong}
    is_chosen = {"field": "fate", "equal": "chosen"}
    return {
        "detail": nominal("setting"),
        "color": fate_colour(fates),
        "opacity": {"condition": {"test": is_strong, "value": 1}, "value": 0.4},
        "strokeWidth": {"condition": {"test": is_chosen, "value": 4}, "value": 1.5},
        "tooltip": [nominal("words"), nominal("fate")],
    }


def race_chart(
    points: Sequence[RacePoint], *, title: str, rounds: Sequence[str], words: str = ""
) -> Chart:
    """The race: each setting's value round by round, until it is eliminated.

    Args:
        points: of the settings and the parent.
        title: of the metric.
        rounds: what each round is called, in order.
        words: what it shows.
    """
    kept = [each for each in points if math.isfinite(each.value)]
    rows = [{**asdict(each), "at": rounds[each.round - 1]} for each in kept]
    at = {"field": "at", "type": "ordinal", "sort": list(rounds), "title": None}
    encoding = {
        "x": {**at, "axis": {"labelAngle": 0, "labelLimit": 110}},
        "y": quantitative("value", title=title, **_NEAR),
        "detail": nominal("setting"),
        "color": fate_colour([each.fate for each in kept]),
        "tooltip": [nominal("words"), nominal("at"), quantitative("value"), nominal("fate")],
    }
    dot = {"type": "point", "size": 45, "filled": True, "opacity": 0.9}
    end = {"type": "point", "size": 160, "shape": "cross", "filled": True, "angle": 45}
    layers: list[dict[str, Any]] = [
        {"mark": {"type": "line", "opacity": 0.7, "strokeWidth": 2}, "encoding": encoding},
        {"name": "settings", "mark": dot, "encoding": encoding},
        {
            "transform": [{"filter": "datum.is_last"}],
            "mark": {**end, "opacity": 1},
            "encoding": encoding,
        },
    ]
    spec = layered(
        layers,
        rows=rows,
        width=max(SIDE, 110 * len(rounds)),
        height=HEIGHT,
        clicked="setting",
        marks="settings",
    )
    return Chart(spec, words)
