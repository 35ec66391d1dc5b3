"""Recorded: the trainings of a study as its store has them, and what each is doing now."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ethogram.store import Point, TrainingRecord, Trainings
from ethogram.study.workspace import Study
from ethogram.train.sitting import Sitting, folder_of, last_sitting

#: `interrupted`: nothing is known of its last process, because its folder is gone.
State = Literal["running", "finished", "stopped", "failed", "killed", "interrupted"]
_SECONDS, _SPEED = "train/seconds", "train/tokens_per_second"
#: Share of the steps until which the estimate is better than what the steps took.
_EARLY = 1 / 20


@dataclass(frozen=True)
class TrainingNow:
    """A recorded training, as far as it is.

    Attributes:
        record: as stored.
        recipe: as it was when it began.
        plan: what was planned.
        result: what came out; empty before it is finished.
        state: what it is doing.
        sitting: the process that trains, or trained last; None if nothing is known of it.
        work: folder of its checkpoints; None if it is gone.
        ends: the first and the last point of each name.
    """

    record: TrainingRecord
    recipe: Mapping[str, Any]
    plan: Mapping[str, Any]
    result: Mapping[str, Any]
    state: State
    sitting: Sitting | None
    work: Path | None
    ends: Mapping[str, tuple[Point, Point]]

    @property
    def steps(self) -> int:
        """Of all."""
        return int(self.plan["steps"])

    @property
    def step(self) -> int:
        """Steps done, as far as they are stored."""
        return self.ends[_SECONDS][1].step if _SECONDS in self.ends else 0

    @property
    def seconds(self) -> float | None:
        """It took, of all sittings; None before the first step."""
        if "seconds" in self.result:
            return float(self.result["seconds"])
        return self.last(_SECONDS)

    @property
    def tokens_per_second(self) -> float | None:
        """Of the last step."""
        return self.last(_SPEED)

    @property
    def seconds_left(self) -> float | None:
        """By the estimate until a twentieth is done, then by what the steps took."""
        if self.state == "finished":
            return None
        spent, done = self.last(_SECONDS), self.step / self.steps
        if spent is None or done < _EARLY:
            planned = self.plan.get("seconds")
            return None if planned is None else float(planned) * (1 - done)
        return spent / done * (1 - done)

    @property
    def version(self) -> str | None:
        """The child version that it writes; None if the recipe names none."""
        name: str | None = self.recipe.get("version")
        seeds = self.recipe.get("seeds") or ()
        if name is None or not seeds or self.record.seed in seeds[:1]:
            return name
        return f"{name}-seed{self.record.seed}"

    @property
    def checkpoint(self) -> int | None:
        """Step of the newest checkpoint; None if there is none. Not checked for damage."""
        names = [] if self.work is None else [path.name for path in self.work.glob("checkpoint-*")]
        steps = [int(name[11:]) for name in names if name[11:].isdecimal()]
        return max(steps, default=None)

    def first(self, name: str) -> float | None:
        """The first value of a name; None if there is none."""
        return self.ends[name][0].value if name in self.ends else None

    def last(self, name: str) -> float | None:
        """The last value of a name; None if there is none."""
        return self.ends[name][1].value if name in self.ends else None


def training_now(study: Study, record: TrainingRecord) -> TrainingNow:
    """A recorded training, as far as it is now."""
    work = folder_of(study.folder, record.key)
    last = None if work is None else last_sitting(work)
    state: State = "finished" if record.finished_at else last.state if last else "interrupted"
    return TrainingNow(
        record=record,
        recipe=json.loads(record.recipe),
        plan=json.loads(record.plan),
        result=json.loads(record.result) if record.result else {},
        state=state,
        sitting=last,
        work=work,
        ends=Trainings(study.store).ends(record.id),
    )


def trainings_now(study: Study) -> list[TrainingNow]:
    """The recorded trainings, oldest first."""
    return [training_now(study, record) for record in Trainings(study.store).all()]


def recorded(study: Study) -> list[dict[str, Any]]:
    """The recorded trainings as plain data, oldest first.

    Returns:
        For each: id, name, kind, seed, key, parent and version, steps planned and done, seconds,
        tokens a second, seconds left, held-out bits per byte (or None), when it began, and its
        state.
    """
    return [
        {
            "id": each.record.id,
            "name": each.record.name,
            "kind": each.record.kind,
            "seed": each.record.seed,
            "key": each.record.key,
            "parent": each.recipe.get("parent"),
            "version": each.version,
            "steps": each.steps,
            "done": each.step,
            "seconds": each.seconds,
            "tokens_per_second": each.tokens_per_second,
            "seconds_left": each.seconds_left if each.state == "running" else None,
            "held_out": each.last("held_out/bits_per_byte"),
            "started_at": each.record.started_at,
            "state": each.state,
        }
        for each in trainings_now(study)
    ]
