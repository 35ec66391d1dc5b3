"""Paired values: each prompt as a point, its value before and after."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

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


def paired_spec(
    points: Sequence[PairedPoint], *, title: str, before: str, after: str, percent: bool = False
) -> dict[str, Any]:
    """A scatter of prompts around the line of no change; the size counts prompts at one place.

    Args:
        points: one for each prompt.
        title: of the metric.
        before: name of the first version.
        after: of the second.
        percent: values are shares, to be shown in percent.
    """
    kept = [p for p in points if not (math.isnan(p.before) or math.isnan(p.after))]
    alike = Counter((p.before, p.after) for p in kept)
    shown = [asdict(point) | {"prompts": alike[point.before, point.after]} for point in kept]
    values = [value for p in kept for value in (p.before, p.after)] or [0.0, 1.0]
    low, high = min(values), max(values)
    domain = [low, high if high > low else low + 1]
    scaled = {"type": "quantitative", "scale": {"domain": domain, "nice": True}}
    axis = {"axis": {"format": ".0%"} if percent else {}}
    line = {
        "data": {"values": [{"at": place} for place in domain]},
        "mark": {"type": "line", "strokeDash": [4, 4], "color": COLOURS["same"], "opacity": 0.6},
        "encoding": {side: {"field": "at", **scaled} for side in "xy"},
    }
    dots = {
        "name": "prompts",
        "data": {"values": shown},
        "mark": {"type": "circle", "opacity": 0.75},
        "encoding": {
            "x": {"field": "before", "title": f"{title}, {before}", **scaled, **axis},
            "y": {"field": "after", "title": f"{title}, {after}", **scaled, **axis},
            "color": {
                "field": "verdict",
                "type": "nominal",
                "title": None,
                "scale": {"domain": [*COLOURS], "range": [*COLOURS.values()]},
            },
            "size": {
                "field": "prompts",
                "type": "quantitative",
                "legend": None,
                "scale": {"type": "sqrt", "range": AREAS},
            },
            "tooltip": [{"field": "prompt", "type": "nominal"}]
            + [{"field": each, "type": "quantitative"} for each in ("before", "after", "prompts")],
        },
    }
    click = {"type": "point", "fields": ["prompt"]}
    return {
        "width": SIDE,
        "height": SIDE,
        "layer": [line, dots],
        "params": [{"name": "clicked", "select": click, "views": ["prompts"]}],
    }


def paired_chart(
    points: Sequence[PairedPoint], *, title: str, before: str, after: str, percent: bool = False
) -> LayerChart:
    """The same as an Altair chart, which a notebook shows and which can be saved.

    Raises:
        MissingExtraError: Altair is not installed.
    """
    alt = require("altair", extra="plots", needed_for="a chart in Python")
    spec = paired_spec(points, title=title, before=before, after=after, percent=percent)
    chart: LayerChart = alt.LayerChart.from_dict(spec)
    return chart
