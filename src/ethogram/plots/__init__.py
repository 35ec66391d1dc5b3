"""Plots: every chart as a Vega-Lite specification, from plain data.

The page, the report, notebooks and files draw the same specification. It holds its data and loads
nothing. A notebook draws a `Chart` by itself; `chart.save("x.svg")` needs the extra `plots`.
"""

from ethogram.plots.chart import Chart
from ethogram.plots.curves import CurvePoint, curves_chart, thinned
from ethogram.plots.fates import Fate
from ethogram.plots.heat import HeatCell, heat_chart
from ethogram.plots.paired import PairedPoint, paired_chart
from ethogram.plots.sweeps import (
    FrontPoint,
    ParallelAxis,
    RacePoint,
    front_chart,
    parallel_chart,
    race_chart,
)

__all__ = [
    "Chart",
    "CurvePoint",
    "Fate",
    "FrontPoint",
    "HeatCell",
    "PairedPoint",
    "ParallelAxis",
    "RacePoint",
    "curves_chart",
    "front_chart",
    "heat_chart",
    "paired_chart",
    "parallel_chart",
    "race_chart",
    "thinned",
]
