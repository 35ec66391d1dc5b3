"""Plots: every chart as a Vega-Lite specification, from plain data.

The page and the report draw the specification and need no library of Python for it. With Altair a
notebook shows the chart, and `chart.save("x.svg")` writes a file (extra `plots`). A chart holds its
data and loads nothing.
"""

from ethogram.plots.curves import CurvePoint, curves_chart, thinned
from ethogram.plots.fates import Fate
from ethogram.plots.heat import HeatCell, heat_chart
from ethogram.plots.paired import PairedPoint, paired_chart, paired_spec
from ethogram.plots.sweeps import (
    FrontPoint,
    ParallelAxis,
    RacePoint,
    front_chart,
    parallel_chart,
    race_chart,
)

__all__ = [
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
    "paired_spec",
    "parallel_chart",
    "race_chart",
    "thinned",
]
