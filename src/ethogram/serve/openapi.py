"""OpenAPI document of a server, made from the bodies that it reads."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from pydantic import BaseModel

from ethogram.serve.bodies import (
    SETTINGS,
    ChatBody,
    CompletionBody,
    EmbeddingsBody,
    ResponsesBody,
    Sampled,
)
from ethogram.spec.decoding import Decoding

_Schema = dict[str, Any]
_PREFIX = "#/components/schemas/"
_REF = _PREFIX + "{model}"
_TEXT: _Schema = {"type": "string", "minLength": 1}
#: The forms that validators bring into one, before the fields of a body are read.
_PART = {
    "type": "object",
    "properties": {
        "type": {"enum": ["text", "input_text", "output_text"]},
        "text": {"type": "string"},
    },
    "required": ["type", "text"],
}
_MESSAGES = {
    "type": "array",
    "minItems": 1,
    "items": {
        "type": "object",
        "properties": {
            "role": {"enum": ["system", "developer", "user", "assistant", "tool"]},
            "content": {"anyOf": [{"type": "string"}, {"type": "array", "items": _PART}]},
        },
        "required": ["role", "content"],
    },
}
_TOKEN_IDS = {"type": "array", "minItems": 1, "items": {"type": "integer", "minimum": 0}}
_PROMPT = {
    "anyOf": [
        _TEXT,
        _TOKEN_IDS,
        {
            "type": "array",
            "minItems": 1,
            "maxItems": 2048,
            "items": {"anyOf": [_TEXT, _TOKEN_IDS]},
        },
    ]
}
_TEXTS = {"anyOf": [_TEXT, {"type": "array", "minItems": 1, "maxItems": 2048, "items": _TEXT}]}
_STOP = {
    "anyOf": [
        {"type": "string"},
        {"type": "array", "items": {"type": "string"}, "maxItems": 64},
        {"type": "null"},
    ]
}
_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "properties": {
                "message": {"type": "string"},
                "type": {"type": "string"},
                "param": {"type": ["string", "null"]},
                "code": {"type": ["string", "null"]},
            },
        }
    },
}


def document(names: Sequence[str], encoder: str, keys: bool = False) -> _Schema:
    """The OpenAPI document.

    Args:
        names: of the versions.
        encoder: name of the model for embeddings.
        keys: whether clients need an API key.
    """
    schemas: _Schema = {"Error": _ERROR}
    for body in (ChatBody, CompletionBody, ResponsesBody, EmbeddingsBody):
        schemas[body.__name__] = _schema_of(body, schemas)
        models = [encoder] if body is EmbeddingsBody else list(names)
        schemas[body.__name__]["properties"]["model"] = {"type": "string", "enum": models}
    counted = ["id", "object", "created", "model", "choices", "usage"]
    listed = {"application/json": {"schema": _object(["object", "data"])}}
    made: _Schema = {
        "openapi": "3.1.0",
        "info": {"title": "Ethogram", "version": version("ethogram")},
        "paths": {
            "/health": {"get": _answers("Whether requests are taken", "status", codes=("503",))},
            "/metrics": {"get": _plain("Counts for Prometheus")},
            "/v1/models": {"get": {**_answers("The versions"), **_replies(listed)}},
            "/v1/models/{name}": {"get": _answers("One version", "id", named=True)},
            "/v1/chat/completions": {"post": _post("Reply to a conversation", ChatBody, counted)},
            "/v1/completions": {"post": _post("Continue a text", CompletionBody, counted)},
            "/v1/responses": {
                "post": _post("Reply to an input", ResponsesBody, ["id", "object", "output"])
            },
            "/v1/embeddings": {
                "post": _post("Vectors of texts", EmbeddingsBody, ["object", "data", "usage"])
            },
        },
        "components": {"schemas": schemas},
    }
    if keys:
        made["components"]["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
        made["security"] = [{"key": []}]
    return made


def _schema_of(body: type[BaseModel], schemas: _Schema) -> _Schema:
    """The schema of a body in the form that clients send; what it refers to goes into `schemas`."""
    made = body.model_json_schema(ref_template=_REF)
    properties: _Schema = made["properties"]
    if issubclass(body, Sampled):
        decoding = Decoding.model_json_schema(ref_template=_REF)
        defined = {**decoding["$defs"], **made.pop("$defs")}
        properties |= {name: decoding["properties"][name] for name in SETTINGS}
        for name in SETTINGS:  # The version's value holds, not the default of a decoding.
            properties[name] = {k: v for k, v in properties[name].items() if k != "default"}
        properties["stop"] = _STOP
        made["additionalProperties"] = False
    else:
        defined = made.pop("$defs", {})
    if body is ChatBody:
        properties |= {"messages": _MESSAGES, "max_completion_tokens": properties["max_tokens"]}
    elif body is CompletionBody:
        properties["prompt"] = _PROMPT
    elif body is ResponsesBody:
        for name in ("messages", "n"):
            del properties[name]
        properties |= {
            "input": {"anyOf": [{"type": "string"}, _MESSAGES]},
            "instructions": {"type": ["string", "null"]},
            "max_output_tokens": properties.pop("max_tokens"),
        }
        made["required"] = ["model", "input"]
    else:
        properties["input"] = _TEXTS
    defined.pop("Message", None)
    schemas |= defined
    return made


def _object(required: Sequence[str]) -> _Schema:
    return {"type": "object", "required": list(required)}


def _replies(content: _Schema, codes: Sequence[str] = ()) -> _Schema:
    error = {"application/json": {"schema": {"$ref": f"{_PREFIX}Error"}}}
    return {
        "responses": {
            "200": {"description": "The reply", "content": content},
            **{code: {"description": "Not now", "content": content} for code in codes},
            "4XX": {"description": "The request is refused", "content": error},
            **(
                {}
                if codes
                else {"5XX": {"description": "The server failed or stops", "content": error}}
            ),
        }
    }


def _answers(
    summary: str, *required: str, codes: Sequence[str] = (), named: bool = False
) -> _Schema:
    made = {
        "summary": summary,
        **_replies({"application/json": {"schema": _object(required)}}, codes),
    }
    if named:
        made["parameters"] = [
            {"name": "name", "in": "path", "required": True, "schema": {"type": "string"}}
        ]
    return made


def _plain(summary: str) -> _Schema:
    return {"summary": summary, **_replies({"text/plain": {"schema": {"type": "string"}}})}


def _post(summary: str, body: type[BaseModel], required: Sequence[str]) -> _Schema:
    content: _Schema = {"application/json": {"schema": _object(required)}}
    if issubclass(body, Sampled):
        content["text/event-stream"] = {}  # Events of JSON; OpenAPI 3.1 has no schema of a stream.
    sent = {"application/json": {"schema": {"$ref": f"{_PREFIX}{body.__name__}"}}}
    return {
        "summary": summary,
        "requestBody": {"required": True, "content": sent},
        **_replies(content),
    }
