"""Plots: every chart as a Vega-Lite specification by Altair, from plain data.

The page draws the specification; a notebook shows the chart; `chart.save("x.svg")` writes a file
(PNG and SVG need the extra `plots`). A chart holds its data and loads nothing.
"""

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
    "Fate",
    "FrontPoint",
    "HeatCell",
    "PairedPoint",
    "ParallelAxis",
    "RacePoint",
    "front_chart",
    "heat_chart",
    "paired_chart",
    "parallel_chart",
    "race_chart",
]
