"""Reading: outputs made anywhere, from the files of many tools. Knows fields; knows no metric.

The shape of a file is recognised by `ethogram.formats`. Names the line of each mistake, and holds
one line at a time.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeGuard

from pydantic import ValidationError

from ethogram.errors import SpecError
from ethogram.formats import Row, messages_of, rows
from ethogram.metrics.base import Output
from ethogram.metrics.endings import ENDING_FIELDS, finish_reason
from ethogram.spec.guarded import Guarded
from ethogram.spec.suite import Constraint

TEXT_FIELDS = ("text", "output", "completion", "generation", "response", "generated_text")
PROMPT_FIELDS = ("prompt", "prompt_text", "instruction", "question", "input")
ID_FIELDS = ("prompt_id", "id")
SAMPLE_FIELDS = ("sample_index", "sample")
TAG_FIELDS = ("tags", "tag")
#: Token ids and sample indices lie below it, as the store keeps them.
WHOLE_LIMIT = 2**31


def read_outputs(
    path: str | Path,
    select: str | None = None,
    *,
    on_bad: Callable[[SpecError], None] | None = None,
) -> Iterator[Output]:
    """Iterate over the outputs of a file; docs/importing.md lists the formats.

    JSON lines, a JSON array or document, CSV, Parquet or an inspect_ai `.eval`; any may be gzipped.
    In plain rows the text is under `text` (or `output`, `completion`, `generation`, `response`);
    a list of texts is several samples of one prompt. Optional: `prompt`, `prompt_id` (or `id`),
    `sample_index` (or `sample`), `token_ids`, `logprobs`, `finish_reason`, `reference`, `tags`,
    `constraints` (as in a suite; or IFEval's `instruction_id_list` and `kwargs`), `guarded`.
    Without an id a row is a prompt of its own; an id seen before without a sample index is the
    next sample. Fields not named here are ignored.

    Args:
        path: the file.
        select: whose outputs, if the file has those of several models, providers or versions.
        on_bad: called with the error of each row without a usable output, which is then skipped.
            Without it the first such row raises, so that no row is dropped silently.

    Raises:
        SpecError: missing or unreadable file, a broken line (named), several groups and none
            selected, or no output at all.
    """
    file = Path(path)
    if not file.exists():
        raise SpecError("no such file", where=str(file))
    return _outputs(file, select, on_bad)


def _outputs(
    path: Path, select: str | None, on_bad: Callable[[SpecError], None] | None
) -> Iterator[Output]:
    samples_of: dict[str, int] = {}
    empty = True
    for row in rows(path, select):
        try:
            found = list(_Row(row).outputs(samples_of))
        except SpecError as error:
            if on_bad is None:
                raise
            on_bad(error)
            continue
        for output in found:
            empty = False
            yield output
    if empty:
        raise SpecError(
            "no outputs in this file",
            where=str(path),
            hint='write one JSON object a line, like {"prompt": "…", "text": "…"}',
        )


def outputs_of_row(row: Row) -> Iterator[Output]:
    """The outputs of one row by itself: samples are counted from 0.

    Raises:
        SpecError: it has no usable output.
    """
    return _Row(row).outputs({})


class _Row:
    """A row's fields, found under their several names and checked."""

    def __init__(self, row: Row) -> None:
        self._data = row.fields
        self._where, self._number, self._problem = row.where, row.number, row.problem

    def outputs(self, samples_of: dict[str, int]) -> Iterator[Output]:
        """The row's outputs; `samples_of` counts the samples seen of each prompt id."""
        texts = self._texts()
        ids, logprobs = self._numbers("token_ids", int), self._logprobs()
        if len(texts) > 1 and (ids or logprobs):
            raise self._wrong("token_ids", "go with one text, not with a list of texts")
        if ids and logprobs and len(ids) != len(logprobs):
            raise self._wrong("logprobs", f"{len(logprobs)} of them for {len(ids)} token ids")
        prompt_id = self._prompt_id()
        first = self._sample_index()
        if first is None:
            first = samples_of.get(prompt_id, 0) if prompt_id else 0
        if prompt_id:
            samples_of[prompt_id] = first + len(texts)
        constraints, guarded = self._constraints(), self._guarded()
        for offset, text in enumerate(texts):
            yield Output(
                text=text,
                prompt=self._prompt(),
                token_ids=ids,
                logprobs=logprobs,
                finish_reason=self._finish_reason(),
                **self._right_answers(),
                tags=self._tags(),
                prompt_id=prompt_id or f"line-{self._number}",
                sample_index=first + offset,
                constraints=constraints,
                guarded=guarded,
            )

    def _texts(self) -> list[str]:
        """The texts of the row.

        Raises:
            SpecError: there is none; says why where that is known.
        """
        field, found = self._find(TEXT_FIELDS)
        texts = found if isinstance(found, list) and found else [found]
        if self._problem is None and all(isinstance(text, str) for text in texts):
            return texts
        null = next((name for name in TEXT_FIELDS if name in self._data), None)
        if self._problem is not None:
            what = self._problem
        elif found is not None:
            what = f"{field}: must be a text or a list of texts"
        else:
            what = f"{null}: null, so there is no output" if null else "no output text"
        hint = f"put it under {TEXT_FIELDS[0]!r} (or {', '.join(TEXT_FIELDS[1:])})"
        unsaid = self._problem is None and null is None
        wrong = found is not None and self._problem is None
        raise SpecError(what, where=self._where, hint=hint if unsaid or wrong else None)

    def _find(self, names: tuple[str, ...]) -> tuple[str, Any]:
        """The first of the names that the row has, and its value; null counts as absent."""
        for name in names:
            if self._data.get(name) is not None:
                return name, self._data[name]
        return names[0], None

    def _wrong(self, field: str, what: str) -> SpecError:
        return SpecError(f"{field}: {what}", where=self._where)

    def _text(self, field: str) -> str | None:
        value = self._data.get(field)
        if value is not None and not isinstance(value, str):
            raise self._wrong(field, "must be a text")
        return value

    def _prompt(self) -> str:
        field, value = self._find(PROMPT_FIELDS)
        if isinstance(value, list):
            turns = messages_of(value)
            if turns is not None:
                return "\n".join(turn["content"] for turn in turns)
        elif value is None or isinstance(value, str):
            return value or ""
        raise self._wrong(field, "must be a text or a list of chat messages")

    def _prompt_id(self) -> str:
        field, value = self._find(ID_FIELDS)
        if isinstance(value, bool) or not isinstance(value, str | int | None):
            raise self._wrong(field, "must be a text or a whole number")
        return "" if value is None else str(value)

    def _sample_index(self) -> int | None:
        field, value = self._find(SAMPLE_FIELDS)
        if value is None:
            return None
        if not _is_whole(value):
            raise self._wrong(field, f"must be a whole number from 0 on, below {WHOLE_LIMIT}")
        return value

    def _finish_reason(self) -> str | None:
        stated = self._text("finish_reason")
        others = (self._data.get(name) for name in ENDING_FIELDS)
        reason = stated or next((item for item in others if isinstance(item, str) and item), None)
        return finish_reason(reason) if reason else None

    def _right_answers(self) -> dict[str, Any]:
        """`reference`: a text, a number or a list of them, the first one the main one."""
        given = self._data.get("reference")
        items = given if isinstance(given, list) else [] if given is None else [given]
        if not all(isinstance(item, str) or _is_finite(item) for item in items):
            raise self._wrong("reference", "must be a text, a number or a list of them")
        texts = tuple(str(item) for item in items)
        return {"reference": texts[0] if texts else None, "other_references": texts[1:]}

    def _tags(self) -> tuple[str, ...]:
        field, value = self._find(TAG_FIELDS)
        tags = [value] if isinstance(value, str) else value or []
        if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
            raise self._wrong(field, "must be a text or a list of texts")
        return tuple(tags)

    def _constraints(self) -> tuple[Constraint, ...]:
        """`constraints` as a suite has them, or IFEval's two lists."""
        rows = self._data.get("constraints")
        field = "constraints"
        if rows is None and self._data.get("instruction_id_list") is not None:
            field, ids = "instruction_id_list", self._data["instruction_id_list"]
            if not isinstance(ids, list):
                raise self._wrong(field, "must be a list")
            kwargs = self._data.get("kwargs") or [{}] * len(ids)
            if not isinstance(kwargs, list) or len(kwargs) != len(ids):
                raise self._wrong("kwargs", "must be a list as long as instruction_id_list")
            rows = [
                {"type": name, "kwargs": given} for name, given in zip(ids, kwargs, strict=True)
            ]
        if not isinstance(rows or [], list):
            raise self._wrong(field, "must be a list")
        return tuple(self._constraint(field, row) for row in rows or [])

    def _constraint(self, field: str, row: dict[str, Any]) -> Constraint:
        try:
            return Constraint.model_validate(row)
        except ValidationError as error:
            if field == "instruction_id_list" and isinstance(row["kwargs"] or {}, dict):
                # Of a released table: the metrics count it as not followed and name it.
                return Constraint.model_construct(type=str(row["type"]), kwargs=row["kwargs"] or {})
            message = error.errors()[0]["msg"].removeprefix("Value error, ")
            raise self._wrong(field, message[:1].lower() + message[1:]) from None

    def _guarded(self) -> Guarded | None:
        """What a wrapper did, as `ethogram export` writes it: an object, or JSON text in a cell."""
        given = self._data.get("guarded")
        if given is None or given == "":
            return None
        try:
            return Guarded.from_json(json.loads(given) if isinstance(given, str) else given)
        except (KeyError, TypeError, ValueError, RecursionError):
            raise self._wrong("guarded", "not what `ethogram export` writes") from None

    def _logprobs(self) -> tuple[float, ...] | None:
        """Log-probabilities as a list, or as the completion and the chat API give them.

        An API's null, of a token that nothing comes before, is left out.
        """
        given = self._data.get("logprobs")
        if isinstance(given, dict) and "token_logprobs" in given:
            given = given["token_logprobs"]
        elif isinstance(given, dict) and "content" in given:
            given = given["content"]
        elif not (isinstance(given, list) and given and isinstance(given[0], dict)):
            return self._numbers("logprobs", float)
        if isinstance(given, list):
            given = [item.get("logprob") if isinstance(item, dict) else item for item in given]
            given = [item for item in given if item is not None]
        return self._numbers("logprobs", float, given or [])

    def _numbers(self, field: str, kind: type, given: Any = None) -> tuple[Any, ...] | None:
        """A list of numbers, or None where it is absent or empty."""
        values = (self._data.get(field) if given is None else given) or []
        allowed = _is_whole if kind is int else _is_finite
        if not isinstance(values, list) or not all(allowed(value) for value in values):
            whole = f"whole numbers from 0 on, below {WHOLE_LIMIT}"
            raise self._wrong(
                field, f"must be a list of {whole if kind is int else 'finite numbers'}"
            )
        return tuple(kind(value) for value in values) or None


def _is_whole(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < WHOLE_LIMIT


def _is_finite(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # A whole number beyond the largest float.
        return False
