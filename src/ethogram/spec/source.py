"""Read YAML and JSONL with the line of each value; turn validation errors into one line."""

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
from ethogram.spec.yaml_nodes import DEEPEST, nodes, too_many_aliases

ModelT = TypeVar("ModelT", bound=BaseModel)
FieldPath = tuple[str | int, ...]


class SourceMap:
    """Where each field of a document is written: field path to (file, line).

    Deep merges keep the position of the file that set the value last.
    """

    def __init__(self) -> None:
        self._places: dict[FieldPath, tuple[Path, int]] = {}
        self._written: dict[FieldPath, str] = {}

    def set(self, path: FieldPath, file: Path, line: int) -> None:
        """Record that `path` is at `line` (1-based) of `file`."""
        self._places[path] = (file, line)
        self._written.pop(path, None)

    def rename(self, old: FieldPath, new: FieldPath) -> None:
        """Record that the file writes `new` by another name; messages keep the file's name."""
        for path, place in list(self._places.items()):
            if path[: len(old)] == old:
                self.set((*new, *path[len(old) :]), *place)
        self._written[new] = _dotted(old)

    def update(self, other: SourceMap) -> None:
        """Let the places of `other` win."""
        for path, place in other._places.items():
            self.set(path, *place)
        self._written |= other._written

    def line(self, path: FieldPath) -> int | None:
        """The 1-based line of `path`, if it has a place of its own."""
        place = self._places.get(path)
        return place[1] if place else None

    def place(self, path: FieldPath) -> tuple[Path, int] | None:
        """File and 1-based line of `path`, if it has a place of its own."""
        return self._places.get(path)

    def where(self, path: FieldPath, default: Path) -> str:
        """`file:line: field` of the nearest enclosing field that has a place."""
        prefixes = [path[:length] for length in range(len(path), -1, -1)]
        place = next((self._places[prefix] for prefix in prefixes if prefix in self._places), None)
        renamed = next((prefix for prefix in prefixes if prefix in self._written), None)
        if renamed is None:
            name = _dotted(path)
        else:
            name = ".".join([self._written[renamed], *map(str, path[len(renamed) :])])
        start = f"{place[0]}:{place[1]}" if place else str(default)
        return f"{start}: {name}" if name else start


def _dotted(path: FieldPath) -> str:
    return ".".join(str(part) for part in path)


def read_text(path: Path) -> str:
    """The text of a UTF-8 file, line ends unchanged, without a byte order mark.

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
        SpecError: missing file, YAML syntax error, duplicate key, a number that cannot be read, or
            nesting too deep.
    """
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    text = read_text(path)
    places = SourceMap()
    try:
        return _plain(nodes(text), (), path, places), places
    except MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        problem = (error.problem or "broken YAML").split("\n")[0]
        if problem.startswith("maximum depth"):  # Releases before 0.19 have no class for it.
            raise _too_deep(where) from None
        raise SpecError(f"not valid YAML: {problem}", where=where) from None
    except too_many_aliases() as error:
        raise SpecError(
            str(error), where=str(path), hint="write the values out, or share fewer of them"
        ) from None
    except YAMLError as error:
        raise SpecError(f"not valid YAML: {str(error).splitlines()[0]}", where=str(path)) from None
    except ValueError as error:  # int() refuses very long numbers; the error has no line.
        problem = str(error).split(":")[0]
        raise SpecError(f"a value cannot be read: {problem}", where=str(path)) from None
    except TypeError:  # A mapping that is the key of a merged mapping cannot be hashed.
        raise SpecError("a key is not a text", where=str(path)) from None
    except RecursionError:
        raise _too_deep(str(path)) from None


def _too_deep(where: str) -> SpecError:
    return SpecError(
        "the YAML is nested too deeply", where=where, hint=f"use at most {DEEPEST} levels"
    )


def parse_yaml(text: str) -> Any:
    """The value of a short YAML 1.2 text as plain data.

    Raises:
        ruamel.yaml.error.YAMLError: not valid YAML.
        ValueError: a whole number of too many digits.
        RecursionError: nested too deep.
    """
    return _plain(nodes(text), (), Path(), SourceMap())


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
        hint: how to fix text that is not valid.

    Raises:
        SpecError: not valid JSON, nested too deep, or a whole number of too many digits.
    """
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        place = f"column {error.colno}" if error.lineno == 1 else f"line {error.lineno}"
        raise SpecError(f"not valid JSON: {error.msg} ({place})", where=where, hint=hint) from None
    except RecursionError:
        raise SpecError("the JSON is nested too deeply", where=where, hint=hint) from None
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
    row = parse_json(line, where, hint="fix or remove the line")
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
    # An unknown field often explains the other complaints, so it is reported first.
    details = sorted(error.errors(), key=lambda item: item["type"] != "extra_forbidden")[0]
    location: FieldPath = tuple(details["loc"])
    where = places.where(location, path)
    owner = _owner(kind, location)
    if details["type"] == "extra_forbidden":
        removed = getattr(owner, "REMOVED_FIELDS", {}).get(location[-1])
        if removed:
            what, _, hint = removed.partition("; ")
            return SpecError(what, where=where, hint=hint)
        return SpecError("unknown field", where=where, hint=_nearest_field(owner, location))
    group = _submodel(owner, location[-1]) if location else None
    if group and details["type"] in ("model_type", "model_attributes_type"):
        names = ", ".join(list(group.model_fields)[:5])
        return SpecError(
            f"must be a mapping of fields, got {details.get('input')!r}",
            where=where,
            hint=f"its fields are {names}",
        )
    return SpecError(_message(details), where=where)


def _owner(kind: type[BaseModel], location: FieldPath) -> type[BaseModel]:
    """The model that the last part of a location is a field of."""
    owner = kind
    for part in location[:-1]:
        owner = _submodel(owner, part) or owner
    return owner


def _message(details: ErrorDetails) -> str:
    message = details["msg"].removeprefix("Value error, ")
    value = details.get("input")
    if details["type"] == "value_error" or isinstance(value, dict | list):
        return message[:1].lower() + message[1:]
    return f"{message[:1].lower()}{message[1:]}, got {value!r}"


def _nearest_field(owner: type[BaseModel], location: FieldPath) -> str:
    """The hint of an unknown-field error.

    A model may have hints of its own for names that other programs use, in `FIELD_HINTS`.
    """
    names = list(owner.model_fields)
    name = str(location[-1])
    hints = getattr(owner, "FIELD_HINTS", {})
    if name in hints:
        return str(hints[name])
    groups = {group: inner for group in names if (inner := _submodel(owner, group))}
    for group, inner in groups.items():
        hint = str(getattr(inner, "FIELD_HINTS", {}).get(name, ""))
        if hint:
            return f"{hint[:-1]} inside {group!r}?" if hint.endswith("?") else hint
    if not difflib.get_close_matches(name, names, n=1, cutoff=0.7):
        for group, inner in groups.items():
            near = difflib.get_close_matches(name, list(inner.model_fields), n=1)
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
