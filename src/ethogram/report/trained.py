"""Trained: what the log says of a version whose model was trained here, from the store alone."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ethogram.store import Point, TrainingRecord, Trainings
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
#: Ends of the names that are said by step, and at how many steps at most.
_BY_STEP = ("held_out/bits_per_byte", "/loop_rate", "/distinct_2", "held_out/rewards/margins")
_LOOKS = 7
_OF_FILE = re.compile(r"held_out/[^/]+/bits_per_byte")


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
            return _lines(record, result, trainings.points(record.id))
    return []


def _lines(record: TrainingRecord, result: Mapping[str, Any], points: Sequence[Point]) -> list[str]:
    recipe, counts = json.loads(record.recipe), result["counts"]
    before = {point.name: point.value for point in points if point.step == 0}
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
        words += f"; {', '.join([*values[:1], *_by_file(before, result['values'])])}"
    warnings: Sequence[Mapping[str, Any]] = result["findings"]
    return [
        f"- **Trained:** {words}",
        *_learned(points),
        *(f"- **Warning of the training:** {each['message']}" for each in warnings),
    ]


def _by_file(before: Mapping[str, float | None], values: Mapping[str, float | None]) -> list[str]:
    """Bits per byte of each held-out file, where there are several."""
    files = {
        name.split("/")[1]: value
        for name, value in sorted(values.items())
        if _OF_FILE.fullmatch(name) and value is not None
    }
    return [
        _moved(f"on `{file}`", "{:.3f}", before.get(f"held_out/{file}/bits_per_byte"), value)
        for file, value in files.items()
        if len(files) > 1
    ]


def _learned(points: Sequence[Point]) -> list[str]:
    """Held-out loss, loops and diversity by step; one line, at no more than `_LOOKS` steps."""
    named: dict[str, dict[int, float]] = {}
    for point in points:
        if point.value is not None and point.name.endswith(_BY_STEP):
            named.setdefault(point.name, {})[point.step] = point.value
    steps = sorted({step for values in named.values() for step in values})
    if len(steps) < 3:
        return []
    apart = (len(steps) - 1) / (min(len(steps), _LOOKS) - 1)
    shown = [steps[round(i * apart)] for i in range(min(len(steps), _LOOKS))]
    words = [
        f"{_named(name)} {', '.join(_value(values.get(step)) for step in shown)}"
        for name, values in named.items()
    ]
    return [f"- **As it learned**, at steps {', '.join(map(str, shown))}: {'; '.join(words)}"]


def _named(name: str) -> str:
    group, _, metric = name.partition("/")
    words = metric.replace("_", " ").replace("/", " ").replace("distinct 2", "distinct-2")
    return f"{group.replace('_', '-')} {words}"


def _value(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _moved(name: str, form: str, before: float | None, after: float) -> str:
    said = form.format(after)
    return f"{name} {said}" if before is None else f"{name} {form.format(before)} → {said}"
