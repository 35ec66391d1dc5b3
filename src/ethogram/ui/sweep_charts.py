"""The charts of a sweep, from what is stored."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from pydantic import JsonValue

from ethogram.errors import SpecError
from ethogram.metrics import Metric, get
from ethogram.plots import (
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
from ethogram.study.workspace import Study
from ethogram.ui.comparison_models import ChartInfo
from ethogram.ui.sweep_models import GridCell, HeatInfo
from ethogram.ui.sweep_values import SweepValues, fate_of
from ethogram.ui.sweeps import labels_of, ranked, short, value_of

#: Signs of the choice and of the front in a heat map.
MARKS: dict[Fate, str] = {"chosen": "★", "front": "•"}
#: Values of a field that are written beside an axis of parallel coordinates.
_MOST_LABELS = 12


class SweepCharts:
    """The charts of one sweep.

    Args:
        study: opened.
        sweep: as stored.
        values: of any metric.
    """

    def __init__(self, study: Study, sweep: StoredSweep, values: SweepValues) -> None:
        self._study, self._sweep, self._values = study, sweep, values
        self._objectives = {each.name: each.higher_is_better for each in sweep.asked.objectives}

    def heat(self, x: str, y: str, metric: str, fixed: Mapping[str, str]) -> HeatInfo:
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
        cells = self._cells(x, y, values, self._higher(metric), fixed)
        x_order, y_order = labels_of(self._sweep, x), labels_of(self._sweep, y) if y else [""]
        is_grid = bool(x_order and y_order)
        title = get(metric).title
        shown = [
            HeatCell(
                x=key[0] if is_grid or x_order else float(key[0]),
                y=key[1] if is_grid or y_order else float(key[1]),
                setting=best.name,
                value=values[best.name],
                words=self._words(metric, values[best.name]),
                mark=MARKS.get(fate_of(self._sweep, best), ""),
            )
            for key, (best, _) in cells.items()
        ]
        chart = heat_chart(
            shown,
            x=short(self._sweep, x),
            y=short(self._sweep, y) if y else "",
            title=title,
            x_order=x_order or None,
            y_order=y_order or None,
            higher_is_better=self._higher(metric) if self._has_direction(metric) else None,
        )
        by = f" by {short(self._sweep, y)}" if y else ""
        most = max((count for _, count in cells.values()), default=1)
        better, best = ("better", "best") if self._has_direction(metric) else ("higher", "highest")
        folded = f" A cell shows the {best} of its settings." if most > 1 else ""
        words = (
            f"{title} over {short(self._sweep, x)}{by}; bright is {better}, ★ is the choice, • is "
            f"on the front.{folded}"
        )
        rows = self._rows(cells, values, metric, x_order, y_order) if is_grid else []
        columns = x_order if is_grid else []
        return HeatInfo(spec=chart.to_dict(), words=words, columns=columns, rows=rows)

    def front(self, x: str, y: str) -> ChartInfo:
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
        is_whole = {x, y} == set(self._objectives)
        chart = front_chart(points, x=self._title(x), y=self._title(y), is_whole_front=is_whole)
        count = sum(trial.on_front for trial in self._sweep.trials)
        what = f"{count} of {len(self._sweep.trials)} settings are on the Pareto front"
        aims = " and ".join(get(name).title for name in self._objectives)
        words = f"{get(x).title} against {get(y).title}. {what} of {aims}."
        if self._sweep.result is None:
            words = f"{get(x).title} against {get(y).title}. The front is found at the end."
        return ChartInfo(spec=chart.to_dict(), words=words)

    def parallel(self, metrics: Sequence[str]) -> ChartInfo:
        """A line for each setting over its fields and metrics; metrics run upwards to better."""
        trials = [each for each in ranked(self._sweep) if each.samples]
        axes = [self._field_axis(axis.field, trials) for axis in self._sweep.asked.axes]
        axes += [self._metric_axis(name, trials) for name in metrics]
        lines = [(each.name, each.setting.words, fate_of(self._sweep, each)) for each in trials]
        chart = parallel_chart(axes, lines)
        words = f"{len(trials)} settings: fields, then metrics, which are better upwards."
        return ChartInfo(spec=chart.to_dict(), words=words)

    def race(self, metric: str) -> ChartInfo:
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
        chart = race_chart(points, title=self._title(metric), rounds=labels)
        lost = sum(len(each.eliminated) for each in rounds)
        title = get(metric).title
        words = f"{title} by round; a cross is where a setting was eliminated ({lost} in all)."
        return ChartInfo(spec=chart.to_dict(), words=words)

    def _check(self, *fields: str) -> None:
        known = [axis.field for axis in self._sweep.asked.axes]
        for field in fields:
            if field not in known:
                raise SpecError(
                    "this field does not vary in the sweep",
                    where=field,
                    hint=f"choose from {', '.join(known)}",
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
        higher: bool,
        fixed: Mapping[str, str],
    ) -> dict[tuple[str, str], tuple[Trial, int]]:
        """Pair of values, in words, to its best setting and how many it has."""
        found: dict[tuple[str, str], tuple[Trial, int]] = {}

        def better(one: Trial, other: Trial) -> bool:
            a, b = values[one.name], values[other.name]
            return not math.isnan(a) and (math.isnan(b) or (a > b if higher else a < b))

        for trial in self._sweep.trials:
            words = {field: value_word(value) for field, value in trial.setting.values}
            if any(words.get(field) != value for field, value in fixed.items()):
                continue
            key = (self._key(trial, x), self._key(trial, y) if y else "")
            best, count = found.get(key, (trial, 0))
            found[key] = (trial if better(trial, best) else best), count + 1
        return found

    def _key(self, trial: Trial, field: str) -> str:
        value = value_of(trial, field)
        return value_word(value) if labels_of(self._sweep, field) else repr(value)

    def _rows(
        self,
        cells: Mapping[tuple[str, str], tuple[Trial, int]],
        values: Mapping[str, float],
        metric: str,
        x_order: Sequence[str],
        y_order: Sequence[str],
    ) -> list[tuple[str, list[GridCell | None]]]:
        shown = [values[trial.name] for trial, _ in cells.values()]
        known = [value for value in shown if math.isfinite(value)]
        low, high = (min(known), max(known)) if known else (0.0, 0.0)

        def cell(key: tuple[str, str]) -> GridCell | None:
            if key not in cells:
                return None
            trial, count = cells[key]
            value = values[trial.name]
            share = _place(value, low, high)
            if share is not None and not self._higher(metric):
                share = 1 - share
            return GridCell(
                setting=trial.name,
                value=self._words(metric, value),
                settings=count,
                mark=MARKS.get(fate_of(self._sweep, trial), ""),
                shade=None if share is None else round(9 * share),
            )

        return [(row, [cell((column, row)) for column in x_order]) for row in y_order]

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
