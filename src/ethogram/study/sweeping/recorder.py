"""Recorder: writes a sweep into the store as it goes, so that it can be looked at meanwhile."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any, Self

from ethogram.errors import EthogramError, StoreError
from ethogram.metrics.table import finite_or_none
from ethogram.spec.identity import digest
from ethogram.spec.space import Axis, Setting
from ethogram.spec.version import Version
from ethogram.store import StoredTrial, StoredValue, Sweeps
from ethogram.study.difference import Difference
from ethogram.study.stale import version_data
from ethogram.study.sweeping.result import Objective, SweepResult, Trial, trial_name
from ethogram.study.tested import to_json
from ethogram.study.workspace import Study

#: Seconds between two signs of life, and after how many without one a sweep counts as interrupted:
#: loading a model takes minutes, and gives none.
BEAT_SECONDS, SILENT_SECONDS = 10.0, 300.0

#: Called with the id of the stored sweep whenever more of it was stored.
OnStored = Callable[[int], None]


@dataclass(frozen=True)
class Racer:
    """A setting after a round of the race.

    Attributes:
        name: of the setting, or of the parent.
        samples: per prompt so far.
        values: metric to value.
        beaten_by: the setting that eliminated it in this round.
    """

    name: str
    samples: int
    values: Mapping[str, float]
    beaten_by: str | None = None


def asked_of(
    axes: Sequence[Axis],
    objectives: Sequence[Objective],
    halves: tuple[frozenset[str], frozenset[str]],
    *,
    search: str,
    trials: int | None,
    samples: int,
    racing: bool,
) -> dict[str, Any]:
    """What was asked of a sweep, as plain data."""
    return {
        "axes": [asdict(axis) for axis in axes],
        "objectives": [
            {
                "metric": objective.name,
                "version": objective.metric.version,
                "higher": objective.higher_is_better,
            }
            for objective in objectives
        ],
        "search": search,
        "trials": trials,
        "samples": samples,
        "racing": racing,
        "selection": sorted(halves[0]),
        "holdout": sorted(halves[1]),
    }


class SweepRecorder:
    """One sweep in the store. As a context it begins the record, and says so if it ends early.

    Args:
        study: opened.
        base: the parent of all settings.
        asked: see `asked_of`.
        on_stored: called with the id whenever more was stored.
        clock: seconds.

    Attributes:
        id: of the stored sweep; 0 before it begins.
    """

    def __init__(
        self,
        study: Study,
        base: str,
        asked: Mapping[str, Any],
        on_stored: OnStored | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.id = 0
        self._study, self._base, self._asked = study, base, asked
        self._on_stored, self._clock = on_stored, clock
        self._sweeps = Sweeps(study.store)
        self._beaten_at, self._rounds = clock(), 0
        self._numbers = {base: 0}

    def __enter__(self) -> Self:
        settings = self._study.spec.settings
        identity = self._study.spec.version(self._base).identity
        suite = self._study.suite(self._base).identity
        decided_by = [self._base, identity, suite, settings.seed, settings.coupling, self._asked]
        self.id = self._sweeps.begin(
            key=digest(json.loads(json.dumps(decided_by))),
            base=self._base,
            base_identity=identity,
            asked=json.dumps(self._asked),
        )
        self._say()
        return self

    def __exit__(self, kind: object, error: BaseException | None, _: object) -> None:
        if error is None:
            return
        why = str(error) if isinstance(error, EthogramError) else "interrupted"
        with suppress(StoreError):  # Perhaps the reason why it ends.
            self._sweeps.end(self.id, why)

    def enter(self, settings: Sequence[tuple[Setting, Version]]) -> None:
        """Record settings that enter the race; they are numbered on."""
        trials = []
        for setting, version in settings:
            number = len(self._numbers)
            self._numbers[trial_name(self._base, number)] = number
            trials.append(
                StoredTrial(
                    number=number,
                    identity=version.identity,
                    setting=json.dumps(setting.values),
                    version=json.dumps(version_data(version)),
                )
            )
        self._sweeps.add_trials(self.id, trials)
        self._say()

    def round(self, racers: Sequence[Racer]) -> None:
        """Record a round of the race, the parent among the racers."""
        self._rounds += 1
        self._sweeps.add_values(
            self.id,
            [
                StoredValue(
                    round=self._rounds,
                    trial=self._numbers[racer.name],
                    metric=metric,
                    samples=racer.samples,
                    value=finite_or_none(value),
                    beaten_by=self._numbers[racer.beaten_by] if racer.beaten_by else None,
                )
                for racer in racers
                for metric, value in racer.values.items()
            ],
        )
        self._beaten_at = self._clock()
        self._say()

    def beat(self) -> None:
        """Give a sign of life, if the last one is a while ago."""
        if self.id and self._clock() - self._beaten_at >= BEAT_SECONDS:
            self._beaten_at = self._clock()
            self._sweeps.touch(self.id)

    def finish(self, result: SweepResult) -> None:
        """Record what came out."""
        self._sweeps.finish(self.id, json.dumps(self._result(result)))
        self._say()

    def _result(self, result: SweepResult) -> dict[str, Any]:
        holdout = result.holdout
        return {
            "requested": result.requested,
            "base_values": _finite(result.base_values),
            "trials": [self._trial(trial) for trial in result.trials],
            "chosen": self._numbers[result.chosen] if result.chosen else None,
            "why": result.why,
            "holdout": holdout
            and {
                "prompts": holdout.prompts,
                "differences": [_difference(each) for each in holdout.differences],
            },
            "generations": result.generations,
            "tokens": result.tokens,
            "computed": asdict(result.computed),
            "seconds": result.seconds,
            "is_parent": result.is_parent,
        }

    def _trial(self, trial: Trial) -> dict[str, Any]:
        return {
            "number": self._numbers[trial.name],
            "on_front": trial.on_front,
            "front_share": trial.front_share,
            "against": [_difference(each) for each in trial.against],
        }

    def _say(self) -> None:
        if self._on_stored:
            self._on_stored(self.id)


def _difference(each: Difference) -> dict[str, Any]:
    return {
        "metric": each.metric.name,
        "p": each.p_adjusted,
        "test": json.loads(to_json(each.test)),
    }


def _finite(values: Mapping[str, float]) -> dict[str, float | None]:
    return {name: finite_or_none(value) for name, value in values.items()}
