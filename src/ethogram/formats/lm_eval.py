"""lm-evaluation-harness: `--log_samples` files (samples_*.jsonl), and results with samples inside.

A task with several filters writes each response once a filter; the responses are read once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ethogram.formats.base import Converter, Fields, Row, Shape, Value, stateless
from ethogram.formats.content import prompt_of, reference_of


def _is_sample(data: Fields) -> bool:
    return "doc_id" in data and ("resps" in data or "filtered_resps" in data)


class _Reader:
    """Converts the samples of one file; remembers the filter that came first."""

    def __init__(self) -> None:
        self._filters: dict[str, Any] = {}

    def sample(self, value: Value) -> Iterator[Row]:
        """One sample."""
        data = value.data
        raw = "resps" in data
        name = str(data["doc_id"])
        if raw and self._filters.setdefault(name, data.get("filter")) != data.get("filter"):
            return
        doc = data.get("doc") if isinstance(data.get("doc"), dict) else {}
        texts = _texts(data["resps"] if raw else data["filtered_resps"])
        prompt = _prompt(data.get("arguments"))
        fields = {
            "prompt": prompt if prompt is not None else _asked(doc),
            "prompt_id": name,
            "text": texts,
            "reference": reference_of(data.get("target")),
        }
        if isinstance(doc.get("instruction_id_list"), list):
            # IFEval's target is a row number, and its demands stand in the document.
            fields |= {"reference": None, "kwargs": doc.get("kwargs")}
            fields["instruction_id_list"] = doc["instruction_id_list"]
        problem = None if texts else "a multiple-choice task has log-likelihoods, no texts"
        group = None if raw or data.get("filter") is None else f"filter {data['filter']}"
        yield value.row(fields, group=group, problem=problem)


def _texts(responses: Any) -> list[str] | None:
    """The texts of one request, repeats included; None if they are not texts."""
    while isinstance(responses, list) and responses and isinstance(responses[0], list):
        inner = responses[0]
        if inner and not isinstance(inner[0], str | list):
            return None
        if len(inner) == 2 and inner[1] in ("True", "False", True, False):
            return None
        responses = inner
    if isinstance(responses, str):
        return [responses]
    if isinstance(responses, list) and all(isinstance(text, str) for text in responses):
        return responses or None
    return None


def _prompt(arguments: Any) -> Any:
    """The prompt of the first request: `gen_args_0.arg_0`, or the first of a list."""
    first = arguments
    if isinstance(arguments, dict):
        first = arguments.get("gen_args_0", arguments)
        first = first.get("arg_0") if isinstance(first, dict) else first
    elif isinstance(arguments, list) and arguments:
        first = arguments[0]
        if isinstance(first, list) and first:
            first = first[0]
    return prompt_of(first)


def _asked(doc: Fields) -> str | None:
    for name in ("prompt", "question", "instruction", "input", "query"):
        if isinstance(doc.get(name), str):
            return str(doc[name])
    return None


def _reader() -> Converter:
    return _Reader().sample


def _is_results(data: Fields) -> bool:
    about = ("configs", "versions", "n-shot", "higher_is_better", "config")
    return isinstance(data.get("results"), dict) and sum(name in data for name in about) > 1


def _results(value: Value) -> Iterator[Row]:
    """What `simple_evaluate` returns, each task a group; the files of the command hold means."""
    samples = value.data.get("samples")
    if not isinstance(samples, dict) or not samples:
        problem = (
            "these are means, not outputs; run lm_eval with --log_samples and name samples_*.jsonl"
        )
        yield value.row({}, problem=problem)
        return
    for task, listed in samples.items():
        reader = _Reader()
        for number, data in enumerate(listed if isinstance(listed, list) else [], start=1):
            place = Value(data, f"{value.where}: {task}, sample {number}", number)
            if isinstance(data, dict) and _is_sample(data):
                yield from (replace(row, group=task) for row in reader.sample(place))
            else:
                yield place.row({}, group=task, problem="a sample needs doc_id and resps")


RESULTS = Shape(
    "lm-eval results",
    "lm-evaluation-harness results with samples",
    _is_results,
    stateless(_results),
)
SAMPLES = Shape("lm-eval", "lm-evaluation-harness samples (`--log_samples`)", _is_sample, _reader)
