"""Bounds: a schema in which no string, number or list is endless.

Under greedy decoding a model repeats digits, letters or items for as long as the schema lets it.
Where a schema states no bound of its own, it gets one here; what it accepts stays JSON of the given
schema. A schema that needs more states its own: `maxLength: 5000`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeGuard

#: Characters of a string.
MAX_LENGTH = 1000
#: Items of a list.
MAX_ITEMS = 100
#: Size of a number; within it, doubles count whole numbers exactly, with a digit to spare.
MAX_NUMBER = 1e15
#: Decimals of a number.
STEP = 1e-6
_ANY = "ethogram-any"
_REFERENCE = {"$ref": f"#/$defs/{_ANY}"}
#: Keywords whose value is a schema, a mapping of names to schemas, a list of schemas.
_ONE = (
    *("not", "if", "then", "else", "contains", "propertyNames", "items", "additionalItems"),
    *("additionalProperties", "unevaluatedItems", "unevaluatedProperties"),
)
_NAMED = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
_LISTED = ("anyOf", "oneOf", "allOf", "prefixItems", "items")
#: Keywords beside which bounds would be merged into other schemas, or are not needed.
_LEFT = ("$ref", "$dynamicRef", "anyOf", "oneOf", "allOf", "enum", "const")


def bounded(schema: Mapping[str, Any] | bool) -> dict[str, Any]:
    """The schema with bounds where it states none.

    `x-guidance`, by which a schema could switch checks of the library off, is left out.

    Raises:
        RecursionError: it is nested too deep.
    """
    made = _bounded(as_object(schema))
    anything = {**_LIMITS, "items": _REFERENCE, "additionalProperties": _REFERENCE}
    return {**made, "$defs": {**made.get("$defs", {}), _ANY: anything}}


def as_object(schema: Mapping[str, Any] | bool) -> dict[str, Any]:
    """A schema as an object: `true` accepts anything, `false` nothing."""
    if isinstance(schema, bool):
        return {} if schema else {"not": {}}
    return {key: value for key, value in schema.items() if key != "x-guidance"}


_LIMITS = {
    "maxLength": MAX_LENGTH,
    "maxItems": MAX_ITEMS,
    "minimum": -MAX_NUMBER,
    "maximum": MAX_NUMBER,
    "multipleOf": STEP,
}


def _bounded(schema: Any) -> Any:
    """A schema within another one."""
    if schema is True or schema == {}:
        return _REFERENCE
    if not isinstance(schema, dict) or "$id" in schema:
        return schema  # `$id` begins another document, whose `#` is not ours.
    made = {key: _inner(key, value) for key, value in schema.items() if key != "x-guidance"}
    if any(key in made for key in _LEFT):
        return made
    kinds = schema.get("type")
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if not isinstance(kinds, list):
        kinds = ["string", "number", "array", "object"]
    for kind in kinds:
        _ADD.get(kind, _nothing)(made)
    return made


def _inner(key: str, value: Any) -> Any:
    if key == "allOf":  # Merged into one schema: bounds of each would be merged too.
        return value
    if key in _NAMED and isinstance(value, dict):
        return {name: _bounded(each) for name, each in value.items()}
    if key in _LISTED and isinstance(value, list):
        return [_bounded(each) for each in value]
    return _bounded(value) if key in _ONE else value


def _nothing(made: dict[str, Any]) -> None:
    """Nothing to bound."""


def _string(made: dict[str, Any]) -> None:
    if "format" not in made and not _above(made.get("minLength"), MAX_LENGTH):
        made.setdefault("maxLength", MAX_LENGTH)


def _integer(made: dict[str, Any]) -> None:
    low = made.get("exclusiveMinimum", made.get("minimum"))
    high = made.get("exclusiveMaximum", made.get("maximum"))
    if low is None and not (_is_number(high) and high < -MAX_NUMBER):
        made["minimum"] = -int(MAX_NUMBER)
    if high is None and not _above(low, MAX_NUMBER):
        made["maximum"] = int(MAX_NUMBER)


def _number(made: dict[str, Any]) -> None:
    _integer(made)
    made.setdefault("multipleOf", STEP)


def _array(made: dict[str, Any]) -> None:
    made.setdefault("items", _REFERENCE)
    if not _above(made.get("minItems"), MAX_ITEMS):
        made.setdefault("maxItems", MAX_ITEMS)


def _object(made: dict[str, Any]) -> None:
    made.setdefault("additionalProperties", _REFERENCE)


_ADD: dict[str, Callable[[dict[str, Any]], None]] = {
    "string": _string,
    "integer": _integer,
    "number": _number,
    "array": _array,
    "object": _object,
}


def _above(value: Any, bound: float) -> bool:
    return _is_number(value) and value > bound


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
