"""Plots: every chart as a Vega-Lite specification, from plain data.

The page and the report draw the specification and need no library of Python for it. With Altair a
notebook shows the chart, and `chart.save("x.svg")` writes a file (extra `plots`). A chart holds its
data and loads nothing.
"""

from ethogram.plots.paired import PairedPoint, paired_chart, paired_spec

__all__ = ["PairedPoint", "paired_chart", "paired_spec"]
