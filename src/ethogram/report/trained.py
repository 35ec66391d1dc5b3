"""Trained: what the log says of a version whose model was trained here, from the store alone."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ethogram.store import TrainingRecord, Trainings
from ethogram.study.workspace import Study

_WORDS = {
    "pretrain": "pretraining",
    "sft": "supervised fine-tuning",
    "reward": "reward modelling",
    "dpo": "DPO",
    "kto": "KTO",
    "grpo": "GRPO",
}
#: Values said with those before the first step, and how.
_SAID = {
    "held_out/bits_per_byte": ("held-out bits per byte", "{:.3f}"),
    "held_out/loss": ("held-out loss", "{:.3f} nats"),
    "held_out/rewards/accuracies": ("held-out accuracy", "{:.3f}"),
}


def training_lines(study: Study, version: str) -> list[str]:
    """Lines of the entry of a version that states a model trained in this study; else none."""
    stated = study.spec.stated.get(version, {})
    place = stated.get("model") or stated.get("adapter")
    if not isinstance(place, str):
        return []
    trainings = Trainings(study.store)
    for record in reversed(trainings.all()):
        result = json.loads(record.result) if record.result else {}
        if result.get("folder") == place:
            before = {
                point.name: point.value
                for point in trainings.points(record.id, [*_SAID])
                if point.step == 0
            }
            return _lines(record, result, before)
    return []


def _lines(
    record: TrainingRecord, result: Mapping[str, Any], before: Mapping[str, float | None]
) -> list[str]:
    recipe, counts = json.loads(record.recipe), result["counts"]
    data = ", ".join(f"`{name}`" for name in recipe["data"]["train"])
    words = (
        f"{_WORDS.get(record.kind, record.kind)} (`{record.name}`, seed {record.seed}) on {data}: "
        f"{counts['rows']:,} rows, {result['steps']:,} steps, {result['tokens']:,} tokens"
    )
    values = [
        _moved(name, form, before.get(key), result["values"][key])
        for key, (name, form) in _SAID.items()
        if result["values"].get(key) is not None
    ]
    if values:
        words += f"; {', '.join(values[:1])}"
    warnings: Sequence[Mapping[str, Any]] = result["findings"]
    return [
        f"- **Trained:** {words}",
        *(f"- **Warning of the training:** {each['message']}" for each in warnings),
    ]


def _moved(name: str, form: str, before: float | None, after: float) -> str:
    said = form.format(after)
    return f"{name} {said}" if before is None else f"{name} {form.format(before)} → {said}"
