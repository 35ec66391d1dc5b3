"""Paired values: each prompt as a point, its value before and after."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from ethogram.plots.chart import Chart, layered, nominal, quantitative

#: Pixels of a side: both axes have one scale, so the chart is square. It fits a phone.
SIDE = 275
#: Square pixels of a point for one prompt, and most of those for several at one place.
AREA, MOST_AREA = 60, 600
#: Prompts at one place that are written on their point, which is large enough for the number then.
COUNTED = 4
#: Pixels between the plot and its axes: points at an end would hide their labels.
OFFSET = 10
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
    points: Sequence[PairedPoint],
    *,
    title: str,
    before: str,
    after: str,
    percent: bool = False,
    words: str = "",
) -> Chart:
    """A scatter of prompts around the line of no change; the size counts prompts at one place.

    Args:
        points: one for each prompt.
        title: of the metric.
        before: name of the first version.
        after: of the second.
        percent: values are shares, to be shown in percent.
        words: what it shows.
    """
    kept = [p for p in points if not (math.isnan(p.before) or math.isnan(p.after))]
    alike = Counter((p.before, p.after) for p in kept)
    shown = [asdict(point) | {"prompts": alike[point.before, point.after]} for point in kept]
    values = [value for p in kept for value in (p.before, p.after)] or [0.0, 1.0]
    low, high = min(values), max(values)
    domain = [low, high if high > low else low + 1]
    scale = {"scale": {"domain": domain, "nice": True}}
    axis = {"axis": {"offset": OFFSET, **({"format": ".0%"} if percent else {})}}
    line = {
        "data": {"values": [{"at": place} for place in domain]},
        "mark": {"type": "line", "strokeDash": [4, 4], "color": COLOURS["same"], "opacity": 0.6},
        "encoding": {side: quantitative("at", **scale) for side in "xy"},
    }
    # A metric without a direction has none that is better or worse.
    verdicts = [each for each in COLOURS if any(each == point.verdict for point in kept)]
    looks = {"domain": verdicts, "range": [COLOURS[each] for each in verdicts]}
    most = max([2, *alike.values()])
    sizes = {"domain": [1, most], "range": [AREA, min(MOST_AREA, AREA * most)]}
    dots = {
        "name": "prompts",
        "data": {"values": shown},
        "mark": {"type": "circle", "opacity": 0.9},
        "encoding": {
            "x": quantitative("before", title=f"{title}, {before}", **scale, **axis),
            "y": quantitative("after", title=f"{title}, {after}", **scale, **axis),
            "color": nominal("verdict", title=None, scale=looks, legend={"orient": "top"}),
            "size": quantitative("prompts", legend=None, scale=sizes),
            "tooltip": [nominal("prompt"), *map(quantitative, ("before", "after", "prompts"))],
        },
    }
    places = {(row["before"], row["after"]): row for row in shown}
    numbers = {
        "data": {"values": [row for row in places.values() if row["prompts"] >= COUNTED]},
        "mark": {"type": "text", "fontSize": 11, "fontWeight": "bold", "color": "black"},
        "encoding": {
            "x": quantitative("before", **scale),
            "y": quantitative("after", **scale),
            "text": quantitative("prompts"),
        },
    }
    spec = layered(
        [line, dots, numbers], width=SIDE, height=SIDE, clicked="prompt", marks="prompts"
    )
    return Chart(spec, words)
