"""The charts of a sweep, from what is stored."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from ethogram.errors import SpecError
from ethogram.metrics import Metric, get
from ethogram.plots import (
    Chart,
    Fate,
    FrontPoint,
    HeatCell,
    ParallelAxis,
    RacePoint,
    front_chart,
    heat_chart,
    parallel_chart,
    race_chart,
)
from ethogram.spec.space import value_word
from ethogram.study.numbers import value_in
from ethogram.study.sweeping.result import Trial
from ethogram.study.sweeping.stored import StoredSweep
from ethogram.study.sweeping.values import (
    SweepValues,
    fate_of,
    labels_of,
    metrics_of,
    ranked,
    short,
    value_of,
)
from ethogram.study.workspace import Study

#: Signs of the choice and of the front in a heat map.
MARKS: dict[Fate, str] = {"chosen": "★", "front": "•"}
#: Values of a field that are written beside an axis of parallel coordinates.
_MOST_LABELS = 12


@dataclass(frozen=True)
class CellTrial:
    """A cell of a heat map: the best setting of its pair of values.

    Attributes:
        trial: that setting.
        value: of the metric, in words.
        settings: how many have this pair of values.
        mark: a sign of the choice or the front.
        place: 0 to 1, brighter where it is better; None where there is no value.
    """

    trial: Trial
    value: str
    settings: int
    mark: str
    place: float | None


@dataclass(frozen=True)
class HeatMap:
    """A heat map, and its cells.

    Attributes:
        chart: of it.
        columns: values of the first field in order; empty where it is continuous.
        rows: of the second field; one empty word where there is only one field.
        cells: pair of values, in words, to the cell.
    """

    chart: Chart
    columns: Sequence[str]
    rows: Sequence[str]
    cells: Mapping[tuple[str, str], CellTrial]


class SweepCharts:
    """The charts of one sweep.

    Args:
        study: opened.
        sweep: as stored.
        values: of any metric.
    """

    def __init__(self, study: Study, sweep: StoredSweep, values: SweepValues | None = None) -> None:
        self._study, self._sweep, self._values = study, sweep, values or SweepValues()
        self._objectives = {each.name: each.higher_is_better for each in sweep.asked.objectives}

    @property
    def fields(self) -> list[str]:
        """The fields that vary."""
        return [axis.field for axis in self._sweep.asked.axes]

    @property
    def metrics(self) -> list[str]:
        """Names of the metrics that charts can show, objectives first."""
        return [metric.name for metric in metrics_of(self._study, self._sweep)]

    @property
    def objectives(self) -> list[str]:
        """Names of the objectives."""
        return [*self._objectives]

    def heat(self, x: str, y: str, metric: str, fixed: Mapping[str, str]) -> HeatMap:
        """A metric over two fields: of several settings in a cell the best one is shown.

        Args:
            x: the first field.
            y: the second; empty for one field only.
            metric: its name.
            fixed: other fields to the value that they shall have, in words.

        Raises:
            SpecError: a field did not vary, or the metric is unknown.
        """
        self._check(x, *([y] if y else []), *fixed)
        values = self._values.of(self._study, self._sweep, metric)
        cells = self._cells(x, y, values, metric, fixed)
        x_order, y_order = labels_of(self._sweep, x), labels_of(self._sweep, y) if y else [""]
        is_grid = bool(x_order and y_order)
        shown = [
            HeatCell(
                x=key[0] if is_grid or x_order else float(key[0]),
                y=key[1] if is_grid or y_order else float(key[1]),
                setting=cell.trial.name,
                value=values[cell.trial.name],
                words=cell.value,
                mark=cell.mark,
            )
            for key, cell in cells.items()
        ]
        chart = heat_chart(
            shown,
            x=short(self._sweep, x),
            y=short(self._sweep, y) if y else "",
            title=get(metric).title,
            x_order=x_order or None,
            y_order=y_order or None,
            higher_is_better=self._higher(metric) if self._has_direction(metric) else None,
            words=self._heat_words(x, y, metric, cells.values()),
        )
        return HeatMap(chart, x_order, y_order, cells)

    def _heat_words(self, x: str, y: str, metric: str, cells: Iterable[CellTrial]) -> str:
        by = f" by {short(self._sweep, y)}" if y else ""
        most = max((cell.settings for cell in cells), default=1)
        better, best = ("better", "best") if self._has_direction(metric) else ("higher", "highest")
        folded = f" A cell shows the {best} of its settings." if most > 1 else ""
        return (
            f"{get(metric).title} over {short(self._sweep, x)}{by}; bright is {better}, ★ is the "
            f"choice, • is on the front.{folded}"
        )

    def front(self, x: str, y: str) -> Chart:
        """Two metrics of each setting, and the Pareto front."""
        first = self._values.of(self._study, self._sweep, x)
        second = self._values.of(self._study, self._sweep, y)
        base = self._sweep.record.base
        points = [
            FrontPoint(
                setting=trial.name,
                words=trial.setting.words,
                x=first[trial.name],
                y=second[trial.name],
                fate=fate_of(self._sweep, trial),
            )
            for trial in self._sweep.trials
        ]
        points.append(FrontPoint("", base, first[base], second[base], "parent"))
        count = sum(trial.on_front for trial in self._sweep.trials)
        what = f"{count} of {len(self._sweep.trials)} settings are on the Pareto front"
        aims = " and ".join(get(name).title for name in self._objectives)
        found = f"{what} of {aims}." if self._sweep.result else "The front is found at the end."
        return front_chart(
            points,
            x=self._title(x),
            y=self._title(y),
            is_whole_front={x, y} == set(self._objectives),
            words=f"{get(x).title} against {get(y).title}. {found}",
        )

    def parallel(self, metrics: Sequence[str]) -> Chart:
        """A line for each setting over its fields and metrics; metrics run upwards to better."""
        trials = [each for each in ranked(self._sweep) if each.samples]
        axes = [self._field_axis(axis.field, trials) for axis in self._sweep.asked.axes]
        axes += [self._metric_axis(name, trials) for name in metrics]
        lines = [(each.name, each.setting.words, fate_of(self._sweep, each)) for each in trials]
        words = f"{len(trials)} settings: fields, then metrics, which are better upwards."
        return parallel_chart(axes, lines, words=words)

    def race(self, metric: str) -> Chart:
        """An objective of each setting after each round.

        Raises:
            SpecError: it is not an objective, so no round has it.
        """
        if metric not in self._objectives:
            raise SpecError("only objectives are measured round by round", where=metric)
        rounds = self._sweep.rounds
        points = []
        trials = {each.name: each for each in self._sweep.trials}
        for each in rounds:
            for name, values in each.values.items():
                trial = trials.get(name)
                fate: Fate = fate_of(self._sweep, trial) if trial else "parent"
                points.append(
                    RacePoint(
                        setting=name if trial else "",
                        words=trial.setting.words if trial else name,
                        round=each.number,
                        value=values.get(metric, math.nan),
                        fate=fate,
                        is_last=name in each.eliminated,
                    )
                )
        labels = [
            f"{each.number}: {each.samples} {'sample' if each.samples == 1 else 'samples'}"
            for each in rounds
        ]
        lost = sum(len(each.eliminated) for each in rounds)
        title = get(metric).title
        words = f"{title} by round; a cross is where a setting was eliminated ({lost} in all)."
        return race_chart(points, title=self._title(metric), rounds=labels, words=words)

    def _check(self, *fields: str) -> None:
        for field in fields:
            if field not in self.fields:
                raise SpecError(
                    "this field does not vary in the sweep",
                    where=field,
                    hint=f"choose from {', '.join(self.fields)}",
                )

    def _higher(self, metric: str) -> bool:
        return self._objectives.get(metric, get(metric).direction != "lower")

    def _has_direction(self, metric: str) -> bool:
        return metric in self._objectives or get(metric).direction != "none"

    def _title(self, metric: str) -> str:
        about = get(metric)
        if not self._has_direction(metric):
            return about.title
        return f"{about.title} ({'higher' if self._higher(metric) else 'lower'} is better)"

    @staticmethod
    def _words(metric: str, value: float) -> str:
        about: Metric = get(metric)
        return value_in(about.unit, value)

    def _cells(
        self,
        x: str,
        y: str,
        values: Mapping[str, float],
        metric: str,
        fixed: Mapping[str, str],
    ) -> dict[tuple[str, str], CellTrial]:
        """Pair of values, in words, to its best setting."""
        sign = 1 if self._higher(metric) else -1
        found: dict[tuple[str, str], list[Trial]] = {}
        for trial in self._sweep.trials:
            words = {field: value_word(value) for field, value in trial.setting.values}
            if all(words.get(field) == value for field, value in fixed.items()):
                key = (self._key(trial, x), self._key(trial, y) if y else "")
                found.setdefault(key, []).append(trial)

        def rank(trial: Trial) -> float:
            value = values[trial.name]
            return -math.inf if math.isnan(value) else sign * value

        best = {key: max(trials, key=rank) for key, trials in found.items()}
        shown = [values[trial.name] for trial in best.values()]
        known = [value for value in shown if math.isfinite(value)]
        low, high = (min(known), max(known)) if known else (0.0, 0.0)
        cells = {}
        for key, trial in best.items():
            place = _place(values[trial.name], low, high)
            cells[key] = CellTrial(
                trial=trial,
                value=self._words(metric, values[trial.name]),
                settings=len(found[key]),
                mark=MARKS.get(fate_of(self._sweep, trial), ""),
                place=1 - place if place is not None and sign < 0 else place,
            )
        return cells

    def _key(self, trial: Trial, field: str) -> str:
        value = value_of(trial, field)
        return value_word(value) if labels_of(self._sweep, field) else repr(value)

    def _field_axis(self, field: str, trials: Sequence[Trial]) -> ParallelAxis:
        labels = labels_of(self._sweep, field)
        title = short(self._sweep, field)
        values = [value_of(trial, field) for trial in trials]
        if labels:
            last = max(1, len(labels) - 1)
            places = {label: at / last for at, label in enumerate(labels)}
            step = -(-len(labels) // _MOST_LABELS)
            beside = [(at, label) for label, at in list(places.items())[::step]]
            return ParallelAxis(title, [places.get(value_word(each)) for each in values], beside)
        return _continuous(title, [_float(each) for each in values], "{:.3g}".format)

    def _metric_axis(self, metric: str, trials: Sequence[Trial]) -> ParallelAxis:
        found = self._values.of(self._study, self._sweep, metric)
        values = [found[trial.name] for trial in trials]
        axis = _continuous(get(metric).title, values, lambda value: self._words(metric, value))
        if self._higher(metric):
            return axis
        return ParallelAxis(
            axis.title,
            [None if at is None else 1 - at for at in axis.at],
            [(1 - at, words) for at, words in axis.labels],
        )


def _float(value: JsonValue) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number else math.nan  # type: ignore[arg-type]


def _place(value: float, low: float, high: float) -> float | None:
    if not math.isfinite(value):
        return None
    return (value - low) / (high - low) if high > low else 0.5


def _continuous(title: str, values: Sequence[float], words: Callable[[float], str]) -> ParallelAxis:
    known = [value for value in values if math.isfinite(value)]
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    ends = [(0.0, low), (1.0, high)] if high > low else [(0.5, low)]
    labels = [(at, words(value)) for at, value in ends]
    return ParallelAxis(title, [_place(value, low, high) for value in values], labels)
