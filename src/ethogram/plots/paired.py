"""Paired values: each prompt as a point, its value before and after."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from ethogram.extras import require

if TYPE_CHECKING:
    from altair import LayerChart

#: Pixels of a side: both axes have one scale, so the chart is square.
SIDE = 320
#: Square pixels of a point for one prompt, and for the place with the most.
AREAS = [60, 600]
#: Colours that are told apart with any colour vision, on light and dark (Okabe and Ito 2008).
COLOURS = {"better": "#009e73", "worse": "#d55e00", "changed": "#cc79a7", "same": "#8b8677"}


@dataclass(frozen=True)
class PairedPoint:
    """One prompt.

    Attributes:
        prompt: its id.
        before: the metric's value for the first version; NaN leaves the point out.
        after: for the second.
        verdict: better, worse, changed or same.
    """

    prompt: str
    before: float
    after: float
    verdict: str


def paired_chart(
    points: Sequence[PairedPoint], *, title: str, before: str, after: str, percent: bool = False
) -> LayerChart:
    """A scatter of prompts around the line of no change; the size counts prompts at one place.

    Args:
        points: one for each prompt.
        title: of the metric.
        before: name of the first version.
        after: of the second.
        percent: values are shares, to be shown in percent.

    Raises:
        MissingExtraError: Altair is not installed.
    """
    alt = require("altair", extra="ui", needed_for="a chart")
    kept = [p for p in points if not (math.isnan(p.before) or math.isnan(p.after))]
    alike = Counter((p.before, p.after) for p in kept)
    shown = [asdict(point) | {"prompts": alike[point.before, point.after]} for point in kept]
    values = [value for p in kept for value in (p.before, p.after)] or [0.0, 1.0]
    low, high = min(values), max(values)
    scale = alt.Scale(domain=[low, high if high > low else low + 1], nice=True)
    axis = alt.Axis(format=".0%") if percent else alt.Axis()
    line = (
        alt.Chart(alt.Data(values=[{"at": scale.domain[0]}, {"at": scale.domain[1]}]))
        .mark_line(strokeDash=[4, 4], color=COLOURS["same"], opacity=0.6)
        .encode(x=alt.X("at:Q", scale=scale), y=alt.Y("at:Q", scale=scale))
    )
    clicked = alt.selection_point(name="clicked", fields=["prompt"])
    dots = (
        alt.Chart(alt.Data(values=shown))
        .mark_circle(opacity=0.75)
        .encode(
            x=alt.X("before:Q", scale=scale, axis=axis, title=f"{title}, {before}"),
            y=alt.Y("after:Q", scale=scale, axis=axis, title=f"{title}, {after}"),
            color=alt.Color(
                "verdict:N",
                title=None,
                scale=alt.Scale(domain=list(COLOURS), range=list(COLOURS.values())),
            ),
            size=alt.Size("prompts:Q", legend=None, scale=alt.Scale(type="sqrt", range=AREAS)),
            tooltip=["prompt:N", "before:Q", "after:Q", "prompts:Q"],
        )
        .add_params(clicked)
    )
    chart: LayerChart = alt.layer(line, dots).properties(width=SIDE, height=SIDE)
    return chart
