"""Curves: the stored points of trainings by quantity, in words and as charts."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from ethogram.errors import SpecError
from ethogram.metrics import Metric, all_metrics, named_metrics
from ethogram.metrics.units import SHARE
from ethogram.plots import Chart, CurvePoint, curves_chart, thinned
from ethogram.store import Point, TrainingRecord, Trainings
from ethogram.study.calling import takes_study
from ethogram.study.workspace import Study

#: Points of a curve that are drawn at most, and steps that its smoothing covers at first.
MOST_POINTS, SMOOTHED = 1000, 15
#: Series of what is measured at each step.
EVERY_STEP = "training"
_OF_FILE = re.compile(r"held_out/([^/]+)/(bits_per_byte|loss)")
#: Quantities that are no metrics: title, and whether they are shares.
_TITLES = {
    "loss": ("Loss", False),
    "bits_per_byte": ("Bits per byte", False),
    "rewards/accuracies": ("Pairs ranked right", True),
    "rewards/margins": ("Reward margin", False),
    "reward": ("Reward", False),
    "ends_by_itself": ("Ends by itself", True),
    "tokens_per_second": ("Tokens a second", False),
    "mfu": ("Share of the matrix-product peak", True),
    "learning_rate": ("Learning rate", False),
    "grad_norm": ("Gradient norm", False),
    "seconds": ("Seconds", False),
}
#: Quantities that are drawn unless others are asked for, in this order.
_FIRST = (
    *("loss", "bits_per_byte", "rewards/accuracies", "rewards/margins", "reward"),
    *("loop_rate", "distinct_2", "ends_by_itself", "tokens", "tokens_per_second"),
)


@dataclass(frozen=True)
class Quantity:
    """What a stored name means.

    Attributes:
        name: of the quantity, such as `loss`; a chart shows one.
        series: which curve of it, such as `training`, `held-out` or a decoding.
        title: for people.
        percent: whether values are shares.
        behaviour: whether it was measured on outputs.
    """

    name: str
    series: str
    title: str
    percent: bool
    behaviour: bool

    def said(self, value: float | None) -> str:
        """A value in words."""
        if value is None:
            return "–"
        if self.percent:
            return f"{100 * value:.0f} %"
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def quantity_of(stored: str) -> Quantity:
    """What a stored name means: `held_out/wiki/bits_per_byte`, `greedy/loop_rate`, …."""
    of_file = _OF_FILE.fullmatch(stored)
    group, _, name = stored.partition("/")
    series = {"train": EVERY_STEP, "held_out": "held-out"}.get(group, group)
    behaviour = group not in ("train", "held_out")
    if of_file:
        series, name = of_file[1], of_file[2]
    if name in _TITLES:
        title, percent = _TITLES[name]
    elif behaviour and name in _metrics():
        metric = _metrics()[name]
        title, percent = metric.title, metric.unit == SHARE
    else:
        title, percent = name.replace("_", " ").replace("/", ", "), False
    return Quantity(name, series, title, percent, behaviour)


@cache
def _metrics() -> dict[str, Metric]:
    return {metric.name: metric for metric in (*all_metrics(), *named_metrics())}


@dataclass(frozen=True)
class Curve:
    """One curve: a stored name of one training.

    Attributes:
        training: its id.
        run: the training's name in the chart.
        stored: name of the points.
        quantity: what it means.
        points: as they are drawn.
        measured: how many there are.
    """

    training: int
    run: str
    stored: str
    quantity: Quantity
    points: Sequence[CurvePoint]
    measured: int


@dataclass(frozen=True)
class CurvePanel:
    """All curves of one quantity.

    Attributes:
        quantity: of the first curve.
        curves: of one or several trainings.
    """

    quantity: Quantity
    curves: Sequence[Curve]

    @property
    def words(self) -> str:
        """Each curve's first and last value."""
        alone = len({each.training for each in self.curves}) == 1
        return "; ".join(
            f"{each.quantity.series if alone else f'{each.run}, {each.quantity.series}'} "
            f"{self._value(each.points[0].value)} → {self._value(each.points[-1].value)}"
            for each in self.curves
        )

    @property
    def left_out(self) -> str:
        """How points were thinned, in words; empty where all are drawn."""
        most = max(self.curves, key=lambda each: each.measured)
        if most.measured <= len(most.points):
            return ""
        return (
            f"of {most.measured:,} points, the lowest and highest of each "
            f"{2 * most.measured / len(most.points):.0f} steps"
        )

    def _value(self, value: float) -> str:
        return self.quantity.said(value)

    def chart(
        self,
        *,
        log: bool = False,
        window: int = SMOOTHED,
        width: int | Literal["container"] = 320,
        height: int = 180,
    ) -> Chart:
        """The chart; see `plots.curves_chart`."""
        return curves_chart(
            [point for each in self.curves for point in each.points],
            title=self.quantity.title,
            smoothed=[EVERY_STEP],
            window=window,
            log=log,
            percent=self.quantity.percent,
            width=width,
            height=height,
            words=f"{self.quantity.title} by step: {self.words}.",
        )


@takes_study
def training_curves(
    study: Study,
    trainings: Sequence[int],
    quantities: Sequence[str] | None = None,
    *,
    most: int = MOST_POINTS,
) -> list[CurvePanel]:
    """The curves of recorded trainings, by quantity.

    Args:
        study: opened.
        trainings: ids, as `ethogram train --list --json` shows them.
        quantities: such as `loss`, `bits_per_byte`, `loop_rate`; default: those of most use.
        most: points of a curve; of more, the lowest and highest of each stretch are kept.

    Raises:
        SpecError: there is no such training.
    """
    stored = Trainings(study.store)
    records = [record_of(stored, number) for number in trainings]
    by_quantity: dict[str, list[Curve]] = {}
    for record, run in zip(records, run_names(records), strict=True):
        for name, points in _by_name(stored, record.id).items():
            curve = _curve(record.id, run, name, points, most)
            if curve.points:
                by_quantity.setdefault(curve.quantity.name, []).append(curve)
    wanted = _FIRST if quantities is None else quantities
    return [
        CurvePanel(by_quantity[name][0].quantity, by_quantity[name])
        for name in wanted
        if name in by_quantity
    ]


def _by_name(stored: Trainings, training: int) -> dict[str, list[Point]]:
    """The points of each name; of held-out files only where there are several."""
    found: dict[str, list[Point]] = {}
    for point in stored.points(training):
        found.setdefault(point.name, []).append(point)
    of_files = {name: match[1] for name in found if (match := _OF_FILE.fullmatch(name))}
    if len(set(of_files.values())) == 1:  # Its curves are those of all files.
        for name in of_files:
            del found[name]
    return found


def record_of(stored: Trainings, number: int) -> TrainingRecord:
    """A training by its id.

    Raises:
        SpecError: there is no such training.
    """
    record = stored.get(number)
    if record is None:
        known = ", ".join(str(each.id) for each in stored.all()) or "none"
        raise SpecError(f"there is no training {number}", hint=f"recorded: {known}")
    return record


def run_names(records: Sequence[TrainingRecord]) -> list[str]:
    """Names that tell trainings apart: the recipe's; with seed or id where that is needed."""
    names = [each.name for each in records]
    if len(set(names)) < len(names):
        names = [f"{each.name}, seed {each.seed}" for each in records]
    if len(set(names)) < len(names):
        names = [f"{name} ({each.id})" for name, each in zip(names, records, strict=True)]
    return names


def default_decoding(record: TrainingRecord) -> str:
    """The decoding whose behaviour is named first."""
    decodings = json.loads(record.recipe).get("evaluate", {}).get("decodings", {})
    return next(iter(decodings), "")


def _curve(training: int, run: str, name: str, points: Sequence[Point], most: int) -> Curve:
    quantity = quantity_of(name)
    values = [
        CurvePoint(run, quantity.series, point.step, point.value)
        for point in points
        if point.value is not None
    ]
    return Curve(training, run, name, quantity, thinned(values, most), len(values))
