"""Read YAML and JSONL so that every value remembers its line; turn validation errors into one line.

Knows files and positions; knows nothing of what a study means.
"""

from __future__ import annotations

import difflib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from ethogram.errors import SpecError

ModelT = TypeVar("ModelT", bound=BaseModel)
FieldPath = tuple[str | int, ...]


class SourceMap:
    """Where each field of a document stands: field path to (file, line).

    Deep merges keep the position of the file that set the value last.
    """

    def __init__(self) -> None:
        self._places: dict[FieldPath, tuple[Path, int]] = {}

    def set(self, path: FieldPath, file: Path, line: int) -> None:
        """Remember that `path` stands at `line` (1-based) of `file`."""
        self._places[path] = (file, line)

    def update(self, other: SourceMap) -> None:
        """Let the places of `other` win."""
        self._places.update(other._places)

    def line(self, path: FieldPath) -> int | None:
        """The 1-based line of `path`, if it has a place of its own."""
        place = self._places.get(path)
        return place[1] if place else None

    def place(self, path: FieldPath) -> tuple[Path, int] | None:
        """File and 1-based line of `path`, if it has a place of its own."""
        return self._places.get(path)

    def where(self, path: FieldPath, default: Path) -> str:
        """`file:line: field` of the nearest enclosing field that has a place."""
        dotted = ".".join(str(part) for part in path)
        for length in range(len(path), -1, -1):
            place = self._places.get(path[:length])
            if place:
                return f"{place[0]}:{place[1]}: {dotted}" if dotted else f"{place[0]}:{place[1]}"
        return f"{default}: {dotted}" if dotted else str(default)


def read_text(path: Path) -> str:
    """The text of a UTF-8 file, its line ends as they are; a byte order mark is no part of it.

    Raises:
        SpecError: the file is missing, unreadable or not UTF-8.
    """
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise SpecError("no such file", where=str(path)) from None
    except UnicodeDecodeError as error:
        raise SpecError(
            f"not UTF-8 text (byte {error.start})", where=str(path), hint="save it as UTF-8"
        ) from None
    except OSError as error:
        raise SpecError(f"cannot be read: {error.strerror}", where=str(path)) from None


def read_yaml(path: Path) -> tuple[Any, SourceMap]:
    """Parse a YAML 1.2 file into plain data and the line of each field.

    Raises:
        SpecError: missing file, YAML syntax error, a key that stands twice, a number or date that
            is none, or nesting too deep.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    text = read_text(path)
    places = SourceMap()
    try:
        return _plain(YAML(typ="rt").load(text), (), path, places), places
    except MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        problem = (error.problem or "broken YAML").split("\n")[0]
        raise SpecError(f"not valid YAML: {problem}", where=where) from None
    except YAMLError as error:
        raise SpecError(f"not valid YAML: {str(error).splitlines()[0]}", where=str(path)) from None
    except ValueError as error:  # What reads as a number or date and is none; it has no line.
        problem = str(error).split(":")[0]
        raise SpecError(f"a value cannot be read: {problem}", where=str(path)) from None
    except RecursionError:
        raise SpecError("YAML nested too deep", where=str(path)) from None


def _plain(node: Any, at: FieldPath, file: Path, places: SourceMap) -> Any:
    """Round-trip nodes as plain dicts, lists and scalars; their lines go to `places`."""
    if isinstance(node, dict):
        position = getattr(node, "lc", None)
        for key in node:
            if position is not None and key in (position.data or {}):
                places.set((*at, str(key)), file, position.key(key)[0] + 1)
        return {
            str(key): _plain(value, (*at, str(key)), file, places) for key, value in node.items()
        }
    if isinstance(node, list):
        position = getattr(node, "lc", None)
        for index in range(len(node)):
            if position is not None and index in (position.data or {}):
                places.set((*at, index), file, position.item(index)[0] + 1)
        return [_plain(value, (*at, index), file, places) for index, value in enumerate(node)]
    if isinstance(node, bool) or node is None:
        return node
    for kind in (int, float, str):
        if isinstance(node, kind):
            return kind(node)
    return node


def parse_json(text: str, where: str, *, hint: str | None = None) -> Any:
    """The value that a JSON text states.

    Args:
        text: the JSON.
        where: file and line, for messages.
        hint: how to mend text that is not valid.

    Raises:
        SpecError: not valid JSON, nested too deep, or a whole number of too many digits.
    """
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        place = f"column {error.colno}" if error.lineno == 1 else f"line {error.lineno}"
        raise SpecError(f"not valid JSON: {error.msg} ({place})", where=where, hint=hint) from None
    except RecursionError:
        raise SpecError("JSON nested too deep", where=where, hint=hint) from None
    except ValueError:
        # The one other way to fail: int() refuses long numbers, which take quadratic time to read.
        limit = sys.get_int_max_str_digits()
        raise SpecError(
            f"a whole number of more than {limit} digits", where=where, hint=hint
        ) from None


def parse_object(line: str, where: str) -> dict[str, Any]:
    """The object on one line of JSONL.

    Raises:
        SpecError: the line is not a JSON object.
    """
    row = parse_json(line, where, hint="mend or remove the line")
    if not isinstance(row, dict):
        raise SpecError("a line must be a JSON object", where=where)
    return row


def read_jsonl(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of a JSONL file with their 1-based line numbers; blank lines are skipped.

    Raises:
        SpecError: a line is not a JSON object; the message names the line.
    """
    # Only a line feed ends a line: JSON texts may hold U+2028 and other separators as they are.
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if line.strip():
            yield number, parse_object(line, f"{path}:{number}")


def validate(kind: type[ModelT], data: Any, path: Path, places: SourceMap) -> ModelT:
    """`data` as a `kind`, or one line about the first thing that is wrong.

    Raises:
        SpecError: names file, line, field and, for an unknown field, the nearest valid name.
    """
    if not isinstance(data, dict):
        raise SpecError(
            f"must be a mapping of fields, got {type(data).__name__}",
            where=str(path),
            hint=f"start with one of: {', '.join(list(kind.model_fields)[:4])}",
        )
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        raise _as_spec_error(kind, error, path, places) from None


def _as_spec_error(
    kind: type[BaseModel], error: ValidationError, path: Path, places: SourceMap
) -> SpecError:
    # An unknown field often explains the other complaints, so it is told first.
    details = sorted(error.errors(), key=lambda item: item["type"] != "extra_forbidden")[0]
    location: FieldPath = tuple(details["loc"])
    where = places.where(location, path)
    if details["type"] == "extra_forbidden":
        return SpecError("unknown field", where=where, hint=_nearest_field(kind, location))
    return SpecError(_message(details), where=where)


def _message(details: ErrorDetails) -> str:
    message = details["msg"].removeprefix("Value error, ")
    value = details.get("input")
    if details["type"] == "value_error" or isinstance(value, dict | list):
        return message[:1].lower() + message[1:]
    return f"{message[:1].lower()}{message[1:]}, got {value!r}"


def _nearest_field(kind: type[BaseModel], location: FieldPath) -> str:
    """The mending half of an unknown-field error."""
    owner = kind
    for part in location[:-1]:
        owner = _submodel(owner, part) or owner
    names = list(owner.model_fields)
    name = str(location[-1])
    if not difflib.get_close_matches(name, names, n=1, cutoff=0.7):
        for group in names:
            inner = _submodel(owner, group)
            near = difflib.get_close_matches(name, list(inner.model_fields) if inner else [], n=1)
            if near:
                return f"did you mean {near[0]!r} inside {group!r}?"
    return suggest(name, names)


def suggest(name: str, valid: list[str]) -> str:
    """`did you mean …?`, or all valid names when none is near."""
    near = difflib.get_close_matches(name, valid, n=1, cutoff=0.5)
    return f"did you mean {near[0]!r}?" if near else f"valid names: {', '.join(valid)}"


def _submodel(owner: type[BaseModel], part: str | int) -> type[BaseModel] | None:
    """The model that the field `part` of `owner` holds, looking through unions and tuples."""
    from typing import get_args

    info = owner.model_fields.get(str(part))
    pending = [info.annotation] if info else []
    while pending:
        annotation = pending.pop()
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            return annotation
        pending.extend(get_args(annotation))
    return None
