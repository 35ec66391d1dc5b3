"""Reading: outputs made anywhere, from JSON lines. Knows files and fields; knows no metric.

Names the line of each mistake, and holds one line at a time.
"""

from __future__ import annotations

import gzip
import math
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeGuard

from pydantic import ValidationError

from ethogram.errors import SpecError
from ethogram.metrics.base import Output
from ethogram.spec.source import parse_object
from ethogram.spec.suite import Constraint

TEXT_FIELDS = ("text", "output", "completion", "generation")
PROMPT_FIELDS = ("prompt", "prompt_text", "instruction", "question")
ID_FIELDS = ("prompt_id", "id")
SAMPLE_FIELDS = ("sample_index", "sample")
TAG_FIELDS = ("tags", "tag")
#: How other programs say that an output ended; any other word counts as unknown.
FINISH_REASONS = {
    "eos": "eos",
    "end_turn": "eos",
    "eos_token": "eos",
    "stop": "stop",
    "stop_sequence": "stop",
    "length": "length",
    "max_length": "length",
    "max_tokens": "length",
}
#: Token ids and sample indices lie below it, as the store keeps them.
WHOLE_LIMIT = 2**31
_GZIP_MAGIC = b"\x1f\x8b"


def read_outputs(path: str | Path) -> Iterator[Output]:
    """The outputs of a `.jsonl` or `.jsonl.gz` file, one after another.

    Each line is an object. Its text stands under `text` (or `output`, `completion`, `generation`);
    a list of texts is several samples of one prompt. Optional: `prompt`, `prompt_id` (or `id`),
    `sample_index` (or `sample`), `token_ids`, `logprobs`, `finish_reason`, `reference`, `tags`,
    `constraints` (as in a suite; or IFEval's `instruction_id_list` and `kwargs`).
    Without an id a line is a prompt of its own; an id seen before without a sample index is the
    next sample. Fields not named here are left alone.

    Raises:
        SpecError: missing or unreadable file, a broken line (named), or no output at all.
    """
    file = Path(path)
    if not file.exists():
        raise SpecError("no such file", where=str(file))
    return _outputs(file)


def _outputs(path: Path) -> Iterator[Output]:
    samples_of: dict[str, int] = {}
    empty = True
    for number, line in _lines(path):
        row = _Row(parse_object(line, f"{path}:{number}"), f"{path}:{number}")
        for output in row.outputs(number, samples_of):
            empty = False
            yield output
    if empty:
        raise SpecError(
            "no outputs in this file",
            where=str(path),
            hint='write one JSON object a line, like {"prompt": "…", "text": "…"}',
        )


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Lines that are not blank, with their 1-based numbers."""
    number = 0
    try:
        with path.open("rb") as raw:
            packed = raw.read(2) == _GZIP_MAGIC
        with gzip.open(path) if packed else path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                # A byte order mark is what some editors put before the first line.
                text = line.decode("utf-8-sig" if number == 1 else "utf-8")
                if text.strip():
                    yield number, text
    except UnicodeDecodeError as error:
        raise SpecError(
            f"not UTF-8 text (byte {error.start})",
            where=f"{path}:{number}",
            hint="save the file as UTF-8",
        ) from None
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise SpecError(
            f"the gzip data is cut off or damaged after line {number}",
            where=str(path),
            hint="copy or make the file again",
        ) from None
    except OSError as error:
        raise SpecError(f"cannot be read: {error.strerror}", where=str(path)) from None


class _Row:
    """One line's fields, taken out by their several names and checked."""

    def __init__(self, data: dict[str, Any], where: str) -> None:
        self._data = data
        self._where = where

    def outputs(self, number: int, samples_of: dict[str, int]) -> Iterator[Output]:
        """The line's outputs; `samples_of` counts the samples seen of each prompt id."""
        field, found = self._find(TEXT_FIELDS)
        texts = found if isinstance(found, list) and found else [found]
        if found is None or not all(isinstance(text, str) for text in texts):
            missing = found is None
            raise SpecError(
                "no output text" if missing else f"{field}: must be a text or a list of texts",
                where=self._where,
                hint=f"put it under {TEXT_FIELDS[0]!r} (or {', '.join(TEXT_FIELDS[1:])})",
            )
        ids, logprobs = self._numbers("token_ids", int), self._numbers("logprobs", float)
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
        constraints = self._constraints()
        for offset, text in enumerate(texts):
            yield Output(
                text=text,
                prompt=self._prompt(),
                token_ids=ids,
                logprobs=logprobs,
                finish_reason=self._finish_reason(),
                **self._right_answers(),
                tags=self._tags(),
                prompt_id=prompt_id or f"line-{number}",
                sample_index=first + offset,
                constraints=constraints,
            )

    def _find(self, names: tuple[str, ...]) -> tuple[str, Any]:
        """The first of the names that the line has, and its value; null counts as absent."""
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
            turns = [turn.get("content") if isinstance(turn, dict) else None for turn in value]
            if turns and all(isinstance(turn, str) for turn in turns):
                return "\n".join(str(turn) for turn in turns)
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
        reason = self._text("finish_reason")
        return FINISH_REASONS.get(reason, "unknown") if reason else None

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

    def _numbers(self, field: str, kind: type) -> tuple[Any, ...] | None:
        """A list of numbers, or None where it is absent or empty."""
        values = self._data.get(field) or []
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
