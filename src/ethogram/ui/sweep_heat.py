"""A heat map as the page shows it: the chart, and the same as a table."""

from __future__ import annotations

from ethogram.report.sweep_charts import CellTrial, HeatMap
from ethogram.ui.sweep_models import GridCell, HeatInfo


def heat_info(found: HeatMap) -> HeatInfo:
    """A heat map; it has no table where one of its fields is continuous."""
    is_grid = bool(found.columns and found.rows)
    rows = [
        (row, [_cell(found.cells.get((column, row))) for column in found.columns])
        for row in (found.rows if is_grid else ())
    ]
    columns = list(found.columns) if is_grid else []
    return HeatInfo(spec=found.chart.spec, words=found.chart.words, columns=columns, rows=rows)


def _cell(found: CellTrial | None) -> GridCell | None:
    if found is None:
        return None
    return GridCell(
        setting=found.trial.name,
        value=found.value,
        settings=found.settings,
        mark=found.mark,
        shade=None if found.place is None else round(9 * found.place),
    )
