"""Charts of a study in one line: of a comparison, a sweep, trainings; the same as on the page."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal, get_args

from ethogram.errors import SpecError
from ethogram.metrics.units import SHARE
from ethogram.plots import Chart, PairedPoint, paired_chart
from ethogram.report.curves import SMOOTHED, training_curves
from ethogram.report.sweep_charts import SweepCharts
from ethogram.spec.source import suggest
from ethogram.store import Sweeps
from ethogram.study.calling import takes_study
from ethogram.study.matrix import Matrix
from ethogram.study.sweeping.result import SweepResult
from ethogram.study.sweeping.stored import read_sweep
from ethogram.study.workspace import Study

SweepChart = Literal["heat", "front", "parallel", "race"]


@takes_study
def plot_comparison(study: Study, before: str, after: str, metric: str = "") -> Chart:
    """Draw a metric of two versions: each prompt as a point, before and after.

    Args:
        study: opened, or its folder.
        before: name of the first version.
        after: of the second.
        metric: of the study's table; default: the first aim, else what changed most.

    Raises:
        SpecError: a version is unknown or has no outputs, or there is no such metric.
    """
    return comparison_chart(Matrix(study, [before, after]), metric)


def comparison_chart(matrix: Matrix, metric: str) -> Chart:
    """The chart of a matrix's first and last version; an empty metric is the main one."""
    name = metric or matrix.main_metric
    about, first, last = matrix.metric(name), matrix.columns[0], matrix.columns[-1]
    points = []
    for prompt in matrix.prompts:
        before, after = (matrix.value(column, name, prompt) for column in (first, last))
        verdict = matrix.verdict(name, after - before) or "same"
        points.append(PairedPoint(prompt, before, after, verdict))
    drawn = [each for each in points if not math.isnan(each.after - each.before)]
    counts = Counter(point.verdict for point in drawn)
    said = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
    return paired_chart(
        points,
        title=about.title,
        before=first.version,
        after=last.version,
        percent=about.unit == SHARE,
        words=f"{about.title} by prompt, {first.version} against {last.version}: {said}.",
    )


@takes_study
def plot_sweep(
    study: Study,
    sweep: int | SweepResult | None = None,
    kind: SweepChart = "heat",
    *,
    x: str = "",
    y: str = "",
    metric: str = "",
    fixed: Mapping[str, str] | None = None,
) -> Chart:
    """Draw a stored sweep.

    Args:
        study: opened, or its folder.
        sweep: its number or result; default: the newest.
        kind: `heat` is a metric over two fields, `front` two metrics with the Pareto front,
            `parallel` each setting as a line over fields and metrics, `race` an objective by round.
        x: field of a heat map, or metric of a front; default: the first one.
        y: the same upwards.
        metric: of a heat map or race, by default the first objective; one more axis of `parallel`.
        fixed: in a heat map, further fields to the value that they shall have, in words; of those
            left out, a cell shows the best setting.

    Raises:
        SpecError: there is no such sweep, field or metric.
    """
    if kind not in get_args(SweepChart):
        raise SpecError(
            f"no chart {kind!r} of a sweep", hint=suggest(kind, [*get_args(SweepChart)])
        )
    charts = SweepCharts(study, read_sweep(study, _number(study, sweep)))
    first = metric or charts.objectives[0]
    if kind == "heat":
        x = x or charts.fields[0]
        y = y or next((field for field in charts.fields if field != x), "")
        return charts.heat(x, y, first, fixed or {}).chart
    if kind == "front":
        x = x or charts.metrics[0]
        return charts.front(x, y or next((name for name in charts.metrics if name != x), x))
    if kind == "parallel":
        return charts.parallel(list(dict.fromkeys([*charts.objectives, first])))
    return charts.race(first)


def _number(study: Study, sweep: int | SweepResult | None) -> int:
    if isinstance(sweep, SweepResult):
        sweep = sweep.id
    if sweep is not None:
        return sweep
    records = Sweeps(study.store).all()
    if not records:
        raise SpecError("the study has no sweep", hint="`ethogram sweep` makes and stores one")
    return records[-1].id


@takes_study
def plot_training(
    study: Study,
    trainings: int | Sequence[int],
    quantity: str = "loss",
    *,
    log: bool = False,
    window: int = SMOOTHED,
    width: int = 480,
    height: int = 260,
) -> Chart:
    """Draw the curves of trainings by step, over each other if there are several.

    Args:
        study: opened, or its folder.
        trainings: ids, as `ethogram train --list` shows them.
        quantity: such as `loss`, `bits_per_byte`, `loop_rate`.
        log: logarithmic axis of steps.
        window: points whose mean is drawn for what is measured at each step; 1 smooths nothing.
        width: pixels.
        height: pixels.

    Raises:
        SpecError: there is no such training, or it has no such quantity.
    """
    ids = [trainings] if isinstance(trainings, int) else list(trainings)
    panels = training_curves(study, ids, [quantity])
    if not panels:
        known = ", ".join(panel.quantity.name for panel in training_curves(study, ids)) or "none"
        raise SpecError(f"no curve {quantity!r} of these trainings", hint=f"measured: {known}")
    return panels[0].chart(log=log, window=window, width=width, height=height)
