"""promptfoo: result files (JSON, JSON lines) and tests (https://www.promptfoo.dev/docs/configuration/outputs).

A file holds providers × prompts × tests. A test is known by its variables, so `--repeat` and a
second file fall on the same prompts; each provider with each prompt is a group.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from typing import Any

from ethogram.formats.base import Converter, Fields, Row, Shape, Value, stateless
from ethogram.formats.content import (
    TEXTS,
    as_text,
    prompt_of,
    reason_of,
    reference_of,
    shortened,
    text_of,
)

#: Assertions whose value is a right answer, and those that list several.
_EXACT = ("equals", "contains", "icontains")
_ANY = ("contains-any", "icontains-any")
_STRIPPED = "[output stripped]"


def _is_result(data: Fields) -> bool:
    prompt = data.get("prompt")
    is_prompt = isinstance(prompt, dict) and isinstance(prompt.get("raw"), str)
    keys = ("response", "promptIdx", "testIdx", "testCase", "provider", "gradingResult")
    return (is_prompt or "promptIdx" in data) and any(key in data for key in keys)


def _results(data: Fields) -> list[Any] | None:
    """The results of a whole file; None if this is none."""
    found: Any = data.get("results")
    if isinstance(found, dict):
        found = found.get("results")
    if not isinstance(found, list):
        return None
    rows = [row for row in found if isinstance(row, dict)]
    is_file = isinstance(data.get("results"), dict) or "evalId" in data
    return found if is_file or (rows and all(map(_is_result, rows))) else None


class _Reader:
    """Converts the results of one file; remembers the names of its groups and tests."""

    def __init__(self) -> None:
        self._names: dict[Any, str] = {}
        self._tests: dict[str, str] = {}

    def document(self, value: Value) -> Iterator[Row]:
        """A whole result file."""
        for number, data in enumerate(_results(value.data) or (), start=1):
            place = Value(data, f"{value.where}: result {number}", number)
            if isinstance(data, dict):
                yield from self.result(place)
            else:
                yield place.row({}, problem="a result must be an object")

    def result(self, value: Value) -> Iterator[Row]:
        """One result."""
        data = value.data
        test = _object(data.get("testCase"))
        response = _object(data.get("response"))
        variables = _object(data.get("vars")) or _object(test.get("vars"))
        raw = _raw(data)
        text = as_text(response.get("output"))
        fields = {
            "prompt": prompt_of(raw),
            "prompt_id": self._test(test, test_id(variables, raw)),
            "text": text,
            "finish_reason": response.get("finishReason"),
            "logprobs": response.get("logProbs") or None,
            "reference": reference(test),
        }
        problem = None
        if text is None:
            error = response.get("error") or data.get("error")
            problem = f"the provider failed: {reason_of(error)}" if error else "output: null"
        elif text == _STRIPPED:
            problem = "promptfoo stripped this output"
        yield value.row(fields, group=self._group(data), problem=problem, test=True)

    def _test(self, test: Fields, by_variables: str) -> str:
        """The id that a test states, unless another test of the file states it too."""
        name = _named(test)
        if name is None or self._tests.setdefault(name, by_variables) != by_variables:
            return by_variables
        return name

    def _group(self, data: Fields) -> str:
        """Provider and prompt, in words."""
        provider = data.get("provider")
        if isinstance(provider, dict):
            provider = provider.get("label") or provider.get("id")
        place = data.get("promptIdx", data.get("promptId"))  # Version 2 has only the latter.
        label = _object(data.get("prompt")).get("label") if place is not None else None
        key = (str(provider), str(place))
        if key not in self._names:
            parts = [str(provider or "provider"), shortened(str(label), 40) if label else ""]
            name = " | ".join(part for part in parts if part)
            taken = name in self._names.values()
            self._names[key] = f"{name} #{place}" if taken else name
        return self._names[key]


def _raw(data: Fields) -> str:
    prompt = data.get("prompt")
    if isinstance(prompt, dict):
        return str(prompt.get("raw") or "")
    return prompt if isinstance(prompt, str) else ""


def _named(test: Fields) -> str | None:
    """The id that a test states, as those do that `ethogram export` writes."""
    name = _object(test.get("metadata")).get("id")
    return name if isinstance(name, str) and name else None


def test_id(variables: Fields, raw: str) -> str:
    """An id that two files share: the start of the first variable, and a digest of all."""
    known = {key: item for key, item in variables.items() if not key.startswith("_")}
    key = json.dumps(known, sort_keys=True, ensure_ascii=False) if known else raw
    first = text_of(next(iter(known.values()))) if known else raw
    slug = re.sub(r"[^0-9a-z]+", "-", (first or "test").lower()).strip("-")[:32].strip("-")
    return f"{slug or 'test'}-{hashlib.sha256(key.encode()).hexdigest()[:8]}"


def reference(test: Fields) -> str | list[str] | None:
    """The right answers that a test's assertions state, if one does."""
    found = test.get("assert")
    rows = [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []
    for kind in _EXACT:
        for row in rows:
            if row.get("type") == kind and isinstance(row.get("value"), str | int | float):
                return reference_of(row["value"])
    for row in rows:
        if row.get("type") in _ANY:
            value = row.get("value")
            return reference_of(value.split(",") if isinstance(value, str) else value)
    return None


def _object(value: Any) -> Fields:
    return value if isinstance(value, dict) else {}


def _document() -> Converter:
    return _Reader().document


def _lines() -> Converter:
    return _Reader().result


def _is_test(data: Fields) -> bool:
    is_only = not data.keys() & {*TEXTS, "prompt", "messages"}
    return is_only and isinstance(data.get("vars"), dict)


def _test(value: Value) -> Iterator[Row]:
    """A test as a prompt: its variable `prompt`, `question` or `input`, or its only one."""
    variables = value.data["vars"]
    named = [variables[name] for name in ("prompt", "question", "input") if name in variables]
    listed = named or (list(variables.values()) if len(variables) == 1 else [])
    prompt = prompt_of(listed[0]) if listed else None
    meta = _object(value.data.get("metadata"))
    tags = meta.get("tags")
    fields = {
        "prompt": prompt,
        "prompt_id": _named(value.data) or test_id(variables, ""),
        "reference": reference(value.data),
        "tags": tags if isinstance(tags, list) else None,
    }
    problem = "a promptfoo test has no output" if prompt else "vars: which of them is the prompt?"
    yield value.row(fields, problem=problem, test=True)


RESULTS = Shape(
    "promptfoo",
    "promptfoo results (`promptfoo eval -o results.json`)",
    lambda data: _results(data) is not None,
    _document,
)
RESULT_LINES = Shape(
    "promptfoo lines", "promptfoo results (`-o results.jsonl`)", _is_result, _lines
)
TESTS = Shape("promptfoo tests", "promptfoo tests (prompts only)", _is_test, stateless(_test))
