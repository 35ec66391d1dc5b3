"""Plots: every chart as a Vega-Lite specification by Altair, from plain data.

The page draws the specification; a notebook shows the chart; `chart.save("x.svg")` writes a file
(PNG and SVG need the extra `plots`). A chart holds its data and loads nothing.
"""

from ethogram.plots.curves import CurvePoint, curves_chart, thinned
from ethogram.plots.paired import PairedPoint, paired_chart

__all__ = ["CurvePoint", "PairedPoint", "curves_chart", "paired_chart", "thinned"]
