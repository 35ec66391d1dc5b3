"""Charts of a sweep: trade-off of two metrics, parallel coordinates, the race by rounds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ethogram.extras import require
from ethogram.plots.fates import Fate, fate_colour, fate_shapes, present

if TYPE_CHECKING:
    from altair import LayerChart

#: Pixels of the charts, and between two axes of parallel coordinates.
SIDE, HEIGHT, BETWEEN = 360, 300, 130
#: Lines that are drawn: 3000 take a second in a browser.
MOST_LINES = 1000


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
    points: Sequence[FrontPoint], *, x: str, y: str, is_whole_front: bool = True
) -> LayerChart:
    """A scatter of two metrics with the Pareto front.

    Args:
        points: settings, and the parent.
        x: title of the first metric.
        y: of the second.
        is_whole_front: whether these two are all objectives, so that a line joins the front.

    Raises:
        MissingExtraError: Altair is not installed.
    """
    alt = require("altair", extra="ui", needed_for="a chart")
    kept = [each for each in points if math.isfinite(each.x) and math.isfinite(each.y)]
    rows = [_plain(each) for each in kept]
    fates: list[Fate] = [each.fate for each in kept]
    axes = {
        "x": alt.X("x:Q", title=x, scale=alt.Scale(zero=False, nice=True)),
        "y": alt.Y("y:Q", title=y, scale=alt.Scale(zero=False, nice=True)),
    }
    dots = (
        alt.Chart(alt.Data(values=rows))
        .mark_point(size=90, filled=True, opacity=0.9)
        .encode(
            **axes,
            color=fate_colour(alt, fates),
            shape=alt.Shape("fate:N", title=None, scale=fate_shapes(alt, fates)),
            tooltip=["words:N", "x:Q", "y:Q", "fate:N"],
        )
        .add_params(alt.selection_point(name="clicked", fields=["setting"]))
    )
    front = [row for row in rows if row["fate"] in ("front", "chosen")]
    layers = [dots]
    if is_whole_front and len(front) > 1:
        line = alt.Chart(alt.Data(values=front)).mark_line(
            color="#009e73", strokeDash=[4, 3], opacity=0.7
        )
        layers.insert(0, line.encode(**axes))
    made: LayerChart = alt.layer(*layers).properties(width=SIDE, height=HEIGHT)
    return made


def parallel_chart(
    axes: Sequence[ParallelAxis], lines: Sequence[tuple[str, str, Fate]]
) -> LayerChart:
    """Parallel coordinates: a line for each setting, over its fields and metrics.

    Args:
        axes: from left to right.
        lines: name, words and fate of each setting; the first `MOST_LINES` are drawn.

    Raises:
        MissingExtraError: Altair is not installed.
    """
    alt = require("altair", extra="ui", needed_for="a chart")
    rows = [
        {"setting": name, "words": words, "fate": fate, "axis": axis.title, "at": axis.at[line]}
        for line, (name, words, fate) in enumerate(lines[:MOST_LINES])
        for axis in axes
        if axis.at[line] is not None
    ]
    fates: list[Fate] = [fate for _, _, fate in lines[:MOST_LINES]]
    across = alt.X(
        "axis:N",
        sort=[axis.title for axis in axes],
        title=None,
        axis=alt.Axis(orient="top", labelAngle=0, labelLimit=BETWEEN, domain=False, ticks=False),
        scale=alt.Scale(type="point", padding=0.6),
    )
    up = alt.Y("at:Q", axis=None, scale=alt.Scale(domain=[-0.04, 1.1]))
    bars = [{"axis": axis.title, "at": 0.0, "end": 1.0} for axis in axes]
    labels = [
        {"axis": axis.title, "at": at, "label": words} for axis in axes for at, words in axis.labels
    ]
    strong = [fate for fate in present(fates) if fate in ("chosen", "front", "parent")]
    drawn = (
        alt.Chart(alt.Data(values=rows))
        .mark_line(point=alt.OverlayMarkDef(size=25))
        .encode(
            x=across,
            y=up,
            detail="setting:N",
            color=fate_colour(alt, fates),
            opacity=alt.condition(
                alt.FieldOneOfPredicate(field="fate", oneOf=strong), alt.value(1), alt.value(0.4)
            ),
            strokeWidth=alt.condition(
                alt.FieldEqualPredicate(field="fate", equal="chosen"), alt.value(4), alt.value(1.5)
            ),
            tooltip=["words:N", "fate:N"],
        )
        .add_params(alt.selection_point(name="clicked", fields=["setting"]))
    )
    made: LayerChart = alt.layer(
        alt.Chart(alt.Data(values=bars)).mark_rule(opacity=0.6).encode(x=across, y=up, y2="end:Q"),
        drawn,
        alt.Chart(alt.Data(values=labels))
        .mark_text(align="left", dx=6, dy=-8, fontSize=11)
        .encode(x=across, y=up, text="label:N"),
    ).properties(width=BETWEEN * len(axes), height=HEIGHT, view=alt.ViewBackground(stroke=None))
    return made


def race_chart(points: Sequence[RacePoint], *, title: str, rounds: Sequence[str]) -> LayerChart:
    """The race: each setting's value round by round, until it is eliminated.

    Args:
        points: of the settings and the parent.
        title: of the metric.
        rounds: what each round is called, in order.

    Raises:
        MissingExtraError: Altair is not installed.
    """
    alt = require("altair", extra="ui", needed_for="a chart")
    kept = [each for each in points if math.isfinite(each.value)]
    rows = [{**_plain(each), "at": rounds[each.round - 1]} for each in kept]
    fates: list[Fate] = [each.fate for each in kept]
    base = alt.Chart(alt.Data(values=rows)).encode(
        x=alt.X(
            "at:O",
            sort=list(rounds),
            title=None,
            axis=alt.Axis(labelAngle=0, labelLimit=110),
        ),
        y=alt.Y("value:Q", title=title, scale=alt.Scale(zero=False, nice=True)),
        detail="setting:N",
        color=fate_colour(alt, fates),
        tooltip=["words:N", "at:N", "value:Q", "fate:N"],
    )
    clicked = alt.selection_point(name="clicked", fields=["setting"])
    made: LayerChart = alt.layer(
        base.mark_line(opacity=0.7, strokeWidth=2),
        base.mark_point(size=45, filled=True, opacity=0.9).add_params(clicked),
        base.transform_filter("datum.is_last").mark_point(
            size=160, shape="cross", filled=True, angle=45, opacity=1
        ),
    ).properties(width=max(SIDE, 110 * len(rounds)), height=HEIGHT)
    return made


def _plain(point: FrontPoint | RacePoint) -> dict[str, Any]:
    return {name: getattr(point, name) for name in point.__dataclass_fields__}
