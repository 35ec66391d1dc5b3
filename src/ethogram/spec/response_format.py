"""Response format: the form that a reply must have, as OpenAI's interface writes it.

`{type: json_object}` is any JSON object; `{type: json_schema, json_schema: {schema: …}}` is JSON of
one schema.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

#: Fields of `json_schema`; the names and descriptions are for the reader.
_FIELDS = ("name", "description", "strict", "schema")


def read_response_format(value: Any) -> Any:
    """Check a response format; `text`, in either spelling, is none.

    Raises:
        ValueError: it has another form.
    """
    if isinstance(value, str):
        value = {"type": value}
    if value is None or value == {"type": "text"}:
        return None
    if not isinstance(value, Mapping):
        raise ValueError("write {type: json_object} or {type: json_schema, json_schema: …}")
    try:
        plain: dict[str, Any] = json.loads(json.dumps(value, allow_nan=False))
    except (TypeError, ValueError, RecursionError):
        raise ValueError("use only numbers, texts, lists and mappings") from None
    kind = plain.get("type")
    if kind == "json_object":
        _refuse_others(plain, ("type",))
    elif kind == "json_schema":
        _refuse_others(plain, ("type", "json_schema"))
        _check_schema(plain.get("json_schema"))
    else:
        raise ValueError(f"unknown type {kind!r:.80}; use json_object or json_schema")
    return plain


def with_schema_as_text(value: Mapping[str, Any]) -> dict[str, Any]:
    """A response format whose schema is a text, for storage that does not keep an order."""
    if value["type"] == "json_object":
        return dict(value)
    return {**value, "json_schema": {**value["json_schema"], "schema": schema_text(value)}}


def _check_schema(given: Any) -> None:
    if isinstance(given, dict) and isinstance(given.get("schema"), str):
        try:
            given["schema"] = json.loads(given["schema"])
        except (ValueError, RecursionError):
            raise ValueError("the schema is a text that is not JSON") from None
    if not isinstance(given, dict) or not isinstance(given.get("schema"), dict | bool):
        raise ValueError("json_schema needs a field schema, which is an object")
    _refuse_others(given, _FIELDS)


def _refuse_others(given: Mapping[str, Any], known: tuple[str, ...]) -> None:
    for name in given:
        if name not in known:
            raise ValueError(f"unknown field {name!r:.80}; use {', '.join(known)}")


def schema_text(value: Mapping[str, Any]) -> str:
    """The schema of a response format as compact JSON, the same for all that mean the same.

    The order of keys stays: properties are written in the order of the schema.
    """
    is_object = value["type"] == "json_object"
    schema = {"type": "object"} if is_object else value["json_schema"]["schema"]
    return json.dumps(schema, ensure_ascii=False, separators=(",", ":"))
