"""Recorded: the trainings of a study as its store has them."""

from __future__ import annotations

import json
from typing import Any

from ethogram.store import Trainings
from ethogram.study.workspace import Study


def recorded(study: Study) -> list[dict[str, Any]]:
    """The recorded trainings, oldest first.

    Returns:
        For each: name, kind, seed, key, steps planned and done, seconds, held-out bits per byte (or
        None), when it began, and its state: finished or interrupted.
    """
    trainings = Trainings(study.store)
    found = []
    for record in trainings.all():
        plan = json.loads(record.plan)
        result = json.loads(record.result) if record.result else {}
        points = trainings.points(record.id, ["train/seconds", "held_out/bits_per_byte"])
        spent = [point for point in points if point.name == "train/seconds"]
        bits = [point.value for point in points if point.name == "held_out/bits_per_byte"]
        found.append(
            {
                "name": record.name,
                "kind": record.kind,
                "seed": record.seed,
                "key": record.key,
                "steps": plan["steps"],
                "done": spent[-1].step if spent else 0,
                "seconds": result.get("seconds", spent[-1].value if spent else None),
                "held_out": bits[-1] if bits else None,
                "started_at": record.started_at,
                "state": "finished" if record.finished_at else "interrupted",
            }
        )
    return found
