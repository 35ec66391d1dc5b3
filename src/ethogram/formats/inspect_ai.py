"""inspect_ai: evaluation logs (`.json`, and `.eval`, a zip of samples) and data sets.

Fields as in `EvalLog` and `EvalSample` (https://inspect.aisi.org.uk/eval-logs.html).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ethogram.formats.base import Converter, Fields, Row, Shape, Value, stateless
from ethogram.formats.content import TEXTS, answer_of, prompt_of, reason_of, reference_of

_ATTACHMENT = "attachment://"


def _is_log(data: Fields) -> bool:
    return isinstance(data.get("eval"), dict) and (
        "samples" in data or "plan" in data or "status" in data
    )


def _is_sample(data: Fields) -> bool:
    output = data.get("output")
    is_output = isinstance(output, dict) and ("choices" in output or "completion" in output)
    return is_output and "input" in data


def _log(value: Value) -> Iterator[Row]:
    """A whole log."""
    model = value.data["eval"].get("model")
    samples = value.data.get("samples")
    if not isinstance(samples, list):
        yield value.row({}, problem="this log holds no samples, only its header")
        return
    for number, data in enumerate(samples, start=1):
        name = data.get("id", number) if isinstance(data, dict) else number
        place = Value(data, f"{value.where}: sample {name}", number)
        if isinstance(data, dict):
            yield from _sample(place, model)
        else:
            yield place.row({}, problem="a sample must be an object")


def _sample(value: Value, model: Any = None) -> Iterator[Row]:
    """One sample; each of its choices is an output."""
    data = value.data
    attachments = data.get("attachments")
    data = _attached(data, attachments) if isinstance(attachments, dict) and attachments else data
    output = data.get("output") if isinstance(data.get("output"), dict) else {}
    given = output.get("choices")
    listed = given if isinstance(given, list) else []
    choices = [choice for choice in listed if isinstance(choice, dict)]
    fields: Fields = {
        "prompt": prompt_of(data.get("input")),
        "prompt_id": data.get("id"),
        "reference": reference_of(data.get("target")),
    }
    name = model or output.get("model")
    group = name if isinstance(name, str) and name else None
    epoch = data.get("epoch")
    if isinstance(epoch, int) and epoch > 0 and len(choices) <= 1:
        fields["sample"] = epoch - 1
    error = data.get("error") or output.get("error")
    if not choices and isinstance(output.get("completion"), str) and not error:
        yield value.row({**fields, "text": output["completion"]}, group=group)
        return
    if not choices:
        problem = f"the sample failed: {reason_of(error)}" if error else "no output"
        yield value.row(fields, group=group, problem=problem)
    for choice in choices:
        text, why = answer_of(choice.get("message"))
        found = {
            **fields,
            "text": text,
            "finish_reason": choice.get("stop_reason"),
            "logprobs": choice.get("logprobs"),
        }
        yield value.row(found, group=group, problem=why)


def _attached(value: Any, attachments: Fields) -> Any:
    """The value with references to attachments replaced by their texts."""
    if isinstance(value, str):
        return (
            attachments.get(value.removeprefix(_ATTACHMENT), value)
            if (value.startswith(_ATTACHMENT))
            else value
        )
    if isinstance(value, list):
        return [_attached(item, attachments) for item in value]
    if isinstance(value, dict):
        return {
            key: item if key == "attachments" else _attached(item, attachments)
            for key, item in value.items()
            if key != "events"
        }
    return value


def _is_record(data: Fields) -> bool:
    return "input" in data and "target" in data and not data.keys() & TEXTS


def _record(value: Value) -> Iterator[Row]:
    """A sample of a data set: a prompt and its right answer."""
    data = value.data
    meta = data.get("metadata")
    tags = meta.get("tags") if isinstance(meta, dict) else None
    fields = {
        "prompt": prompt_of(data["input"]),
        "prompt_id": data.get("id"),
        "reference": reference_of(data["target"]),
        "tags": tags if isinstance(tags, list) else None,
    }
    yield value.row(fields, problem="a data set has no output")


def _samples() -> Converter:
    return _sample


LOG = Shape("inspect", "inspect_ai log (`.json`)", _is_log, stateless(_log))
SAMPLE = Shape("inspect sample", "a sample of an inspect_ai log (`.eval`)", _is_sample, _samples)
RECORDS = Shape(
    "inspect data set", "inspect_ai data set (prompts only)", _is_record, stateless(_record)
)
