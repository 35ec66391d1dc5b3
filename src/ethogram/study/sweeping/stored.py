"""Stored sweeps: read back as they were recorded, running and interrupted ones too."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import ValidationError

from ethogram.errors import SpecError
from ethogram.metrics import get
from ethogram.spec.space import Axis, Setting
from ethogram.spec.version import Version
from ethogram.store import StoredPromotion, StoredValue, SweepRecord, Sweeps
from ethogram.study.difference import Difference
from ethogram.study.result import Computed
from ethogram.study.sweeping.recorder import SILENT_SECONDS
from ethogram.study.sweeping.result import (
    HoldoutTest,
    Objective,
    SweepResult,
    Trial,
    trial_name,
)
from ethogram.study.tested import from_json
from ethogram.study.workspace import Study

State = Literal["running", "done", "stopped", "interrupted"]


@dataclass(frozen=True)
class Asked:
    """What was asked of a sweep.

    Attributes:
        axes: the fields that vary.
        objectives: the metrics to improve.
        search: grid, or how settings were drawn.
        trials: how many a search draws; None for a grid.
        samples: per prompt.
        racing: whether settings are eliminated early.
        selection: ids of the prompts for selection.
        holdout: ids of those held out.
    """

    axes: tuple[Axis, ...]
    objectives: tuple[Objective, ...]
    search: str
    trials: int | None
    samples: int
    racing: bool
    selection: tuple[str, ...]
    holdout: tuple[str, ...]


@dataclass(frozen=True)
class Round:
    """A round of the race.

    Attributes:
        number: from 1.
        samples: per prompt, of the settings that it ran.
        values: setting, or the parent, to its values; of those that took part.
        eliminated: setting to the one that beat it.
    """

    number: int
    samples: int
    values: Mapping[str, Mapping[str, float]]
    eliminated: Mapping[str, str]


@dataclass(frozen=True)
class StoredSweep:
    """A sweep as far as it came.

    Attributes:
        record: its row in the store.
        asked: what was asked.
        trials: its settings, with their latest values.
        rounds: the race so far.
        result: what came out, if it finished.
        promotions: settings that became versions.
    """

    record: SweepRecord
    asked: Asked
    trials: Sequence[Trial]
    rounds: Sequence[Round]
    result: SweepResult | None
    promotions: Sequence[StoredPromotion]

    @property
    def base_values(self) -> Mapping[str, float]:
        """The parent's latest values; empty before the first round."""
        if self.result:
            return self.result.base_values
        return self.rounds[-1].values[self.record.base] if self.rounds else {}

    def trial(self, name: str) -> Trial:
        """The setting of that name.

        Raises:
            SpecError: there is none.
        """
        found = next((trial for trial in self.trials if trial.name == name), None)
        if found is None:
            raise SpecError(
                f"no setting {name!r}",
                where=f"sweep {self.record.id}",
                hint="its settings are named as in its table",
            )
        return found


def state_of(record: SweepRecord, now: datetime | None = None) -> State:
    """Whether it runs, finished, ended early or was killed.

    One without an end that gave no sign of life for `SILENT_SECONDS` counts as killed.
    """
    if record.finished_at:
        return "done"
    if record.ended:
        return "stopped"
    silent = (now or datetime.now(UTC)) - datetime.fromisoformat(record.touched_at)
    return "running" if silent.total_seconds() < SILENT_SECONDS else "interrupted"


def read_sweep(study: Study, number: int) -> StoredSweep:
    """A stored sweep.

    Raises:
        SpecError: there is none of this number, or another release stored it.
    """
    sweeps = Sweeps(study.store)
    record = sweeps.get(number)
    if record is None:
        raise SpecError(
            f"no sweep {number}", where=study.name, hint="`ethogram sweep` makes and stores one"
        )
    try:
        return _sweep(record, sweeps)
    except (ValueError, KeyError, TypeError, ValidationError):
        raise SpecError(
            "its record cannot be read; another release stored it, or it is damaged",
            where=f"sweep {number}",
            hint="do it again with `ethogram sweep`: its outputs are stored",
        ) from None


def read_asked(record: SweepRecord) -> Asked:
    """What was asked of a sweep."""
    asked = json.loads(record.asked)
    return Asked(
        axes=tuple(Axis(**axis | {"values": tuple(axis["values"])}) for axis in asked["axes"]),
        objectives=tuple(
            Objective(get(each["metric"]), each["higher"]) for each in asked["objectives"]
        ),
        search=asked["search"],
        trials=asked["trials"],
        samples=asked["samples"],
        racing=asked["racing"],
        selection=tuple(asked["selection"]),
        holdout=tuple(asked["holdout"]),
    )


def _sweep(record: SweepRecord, sweeps: Sweeps) -> StoredSweep:
    asked = read_asked(record)
    values = sweeps.values(record.id)
    summary = json.loads(record.result) if record.result else None
    trials = _trials(record, sweeps, values, summary)
    return StoredSweep(
        record=record,
        asked=asked,
        trials=trials,
        rounds=_rounds(values, _namer(record)),
        result=_result(record, asked, trials, summary) if summary else None,
        promotions=sweeps.promotions(record.id),
    )


def _namer(record: SweepRecord) -> Callable[[int], str]:
    return lambda number: trial_name(record.base, number) if number else record.base


def _rounds(values: Sequence[StoredValue], name: Callable[[int], str]) -> list[Round]:
    found: dict[int, list[StoredValue]] = {}
    for each in values:
        found.setdefault(each.round, []).append(each)
    rounds = []
    for number, rows in found.items():
        by_trial: dict[str, dict[str, float]] = {}
        for row in rows:
            by_trial.setdefault(name(row.trial), {})[row.metric] = _number(row.value)
        lost = {name(row.trial): name(row.beaten_by) for row in rows if row.beaten_by is not None}
        samples = next(row.samples for row in rows if row.trial == 0)
        rounds.append(Round(number, samples, by_trial, lost))
    return rounds


def _trials(
    record: SweepRecord,
    sweeps: Sweeps,
    values: Sequence[StoredValue],
    summary: Mapping[str, Any] | None,
) -> list[Trial]:
    """The settings with their values of the last round that they took part in."""
    name = _namer(record)
    latest: dict[int, list[StoredValue]] = {}
    for each in values:
        rows = latest.get(each.trial, [])
        latest[each.trial] = [*rows, each] if rows and rows[0].round == each.round else [each]
    ends = {each["number"]: each for each in summary["trials"]} if summary else {}
    trials = []
    for stored in sweeps.trials(record.id):
        rows = latest.get(stored.number, [])
        beaten_by = rows[0].beaten_by if rows else None
        setting = Setting(tuple((field, value) for field, value in json.loads(stored.setting)))
        version = Version.model_validate(json.loads(stored.version))
        trial = Trial(
            name=name(stored.number),
            setting=setting,
            version=version,
            samples=rows[0].samples if rows else 0,
            values={row.metric: _number(row.value) for row in rows},
            eliminated_by=None if beaten_by is None else name(beaten_by),
        )
        end = ends.get(stored.number)
        if end:
            trial = replace(
                trial,
                on_front=end["on_front"],
                front_share=end["front_share"],
                against=[_difference(each) for each in end["against"]],
            )
        trials.append(trial)
    return trials


def _result(
    record: SweepRecord, asked: Asked, trials: Sequence[Trial], summary: Mapping[str, Any]
) -> SweepResult:
    holdout, chosen = summary["holdout"], summary["chosen"]
    return SweepResult(
        base=record.base,
        objectives=asked.objectives,
        trials=trials,
        requested=summary["requested"],
        base_values={name: _number(value) for name, value in summary["base_values"].items()},
        selection=asked.selection,
        holdout=holdout
        and HoldoutTest(
            objectives=asked.objectives,
            prompts=holdout["prompts"],
            differences=[_difference(each) for each in holdout["differences"]],
        ),
        chosen=None if chosen is None else trial_name(record.base, chosen),
        why=summary["why"],
        generations=summary["generations"],
        tokens=summary["tokens"],
        computed=Computed(**summary["computed"]),
        seconds=summary["seconds"],
        is_parent=summary["is_parent"],
        id=record.id,
    )


def _difference(data: Mapping[str, Any]) -> Difference:
    return Difference(get(data["metric"]), from_json(json.dumps(data["test"])), data["p"])


def _number(value: float | None) -> float:
    return math.nan if value is None else value
