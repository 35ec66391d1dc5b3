"""Settings of a sweep by rank, field and metric, and which metrics there are to choose from."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Mapping

from pydantic import JsonValue

from ethogram.errors import SpecError
from ethogram.metrics import Metric, get
from ethogram.plots import Fate
from ethogram.spec.space import value_word
from ethogram.study.measure import measure, metric_names
from ethogram.study.sweeping.result import Trial
from ethogram.study.sweeping.stored import StoredSweep
from ethogram.study.workspace import Part, Study

#: Tables of values that are kept, one for each sweep and metric.
_KEPT = 64


class SweepValues:
    """Values of all settings of a sweep by metric; other metrics than objectives are measured."""

    def __init__(self) -> None:
        self._kept: OrderedDict[object, Mapping[str, float]] = OrderedDict()

    def of(self, study: Study, sweep: StoredSweep, metric: str) -> Mapping[str, float]:
        """Setting, or the parent, to its value; NaN where its outputs are not stored.

        Raises:
            SpecError: it is not one of `metrics_of`.
        """
        if metric in {objective.name for objective in sweep.asked.objectives}:
            found = {trial.name: trial.values.get(metric, math.nan) for trial in sweep.trials}
            return {**found, sweep.record.base: sweep.base_values.get(metric, math.nan)}
        if metric not in {each.name for each in metrics_of(study, sweep)}:
            raise SpecError("not a metric of this sweep or study", where=f"metric {metric!r}")
        key = (sweep.record.id, sweep.record.touched_at, metric)
        if key not in self._kept:
            self._kept[key] = _measured(study, sweep, metric)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return self._kept[key]


def metrics_of(study: Study, sweep: StoredSweep) -> list[Metric]:
    """The objectives, then the metrics of the study's table that need no model."""
    objectives = [objective.metric for objective in sweep.asked.objectives]
    others = [get(name) for name in metric_names(study)]
    names = {metric.name for metric in objectives}
    return objectives + [m for m in others if m.name not in names and m.reads_one_output]


def part_of(sweep: StoredSweep, trial: Trial) -> Part:
    """The outputs of a setting that its values rest on."""
    return Part(frozenset(sweep.asked.selection), trial.samples)


def fate_of(sweep: StoredSweep, trial: Trial) -> Fate:
    """What became of a setting."""
    if sweep.result and trial.name == sweep.result.chosen:
        return "chosen"
    if trial.eliminated_by:
        return "eliminated"
    if sweep.result is None:
        return "racing"
    return "front" if trial.on_front else "behind"


def ranked(sweep: StoredSweep) -> list[Trial]:
    """Settings by rank: the front, then those behind it, then those eliminated."""
    if sweep.result:
        found = sweep.result.ranked
        return sorted(found, key=lambda trial: trial.name != sweep.result.chosen)  # type: ignore[union-attr]
    first = sweep.asked.objectives[0]
    sign = -1.0 if first.higher_is_better else 1.0

    def rank(trial: Trial) -> tuple[bool, float]:
        value = trial.values.get(first.name, math.nan)
        return bool(trial.eliminated_by), math.inf if math.isnan(value) else sign * value

    return sorted(sweep.trials, key=rank)


def labels_of(sweep: StoredSweep, field: str) -> list[str]:
    """The values of a field in order, in words; empty where it is continuous."""
    axis = next((axis for axis in sweep.asked.axes if axis.field == field), None)
    return [value_word(value) for value in axis.values] if axis else []


def value_of(trial: Trial, field: str) -> JsonValue:
    """The value of a field in a setting."""
    found: JsonValue = dict(trial.setting.values).get(field)
    return found


def short(sweep: StoredSweep, field: str) -> str:
    """A field's name within its group, in full where two would be the same."""
    inner = [axis.field.split(".", 1)[-1] for axis in sweep.asked.axes]
    return field.split(".", 1)[-1] if len(set(inner)) == len(inner) else field


def _measured(study: Study, sweep: StoredSweep, metric: str) -> dict[str, float]:
    found = {}
    for trial in sweep.trials:
        view = study.with_versions({trial.name: trial.version})
        found[trial.name] = _value(view, trial.name, metric, part_of(sweep, trial))
    base, samples = sweep.record.base, max((trial.samples for trial in sweep.trials), default=0)
    is_same = base in study.versions and (
        study.spec.version(base).identity == sweep.record.base_identity
    )
    part = Part(frozenset(sweep.asked.selection), samples)
    found[base] = _value(study, base, metric, part) if is_same else math.nan
    return found


def _value(study: Study, name: str, metric: str, part: Part) -> float:
    if not part.samples or study.store.missing(study.identities(name, part)):
        return math.nan
    return measure(study, name, [metric], part)[metric].value
