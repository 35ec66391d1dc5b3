"""Replies of a given form over HTTP: the official client, streams, other endpoints, refusals."""

from __future__ import annotations

import json
from typing import Any

import openai
import pytest
from jsonschema import Draft202012Validator
from tests.serve.test_behaviours import CHAT, INPUT, RESPONSES, TEXT, TURN, post

from ethogram.serve.server import Server
from ethogram.study import Study

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "tags": {"type": "array", "items": {"enum": ["a", "b"]}},
    },
    "required": ["name", "tags"],
    "additionalProperties": False,
}
FORM: Any = {
    "type": "json_schema",
    "json_schema": {"name": "reply", "schema": SCHEMA, "strict": True, "description": None},
}
MESSAGES: Any = [{"role": "user", "content": "Continue: [1, [1, [1, "}]


def valid(text: str | None, schema: Any = SCHEMA) -> bool:
    return Draft202012Validator(schema).is_valid(json.loads(text or ""))


@pytest.mark.parametrize("version", ["v0.0.1", "v1.0.0", "v1.1.0"])
def test_the_official_client_gets_valid_replies(client: openai.OpenAI, version: str) -> None:
    made = client.chat.completions.create(
        model=version, messages=MESSAGES, response_format=FORM, max_tokens=40, n=3, stop="}"
    )
    assert all(valid(choice.message.content) for choice in made.choices)
    assert {choice.finish_reason for choice in made.choices} == {"stop"}


def test_a_stream_is_the_whole_reply(client: openai.OpenAI) -> None:
    arguments: Any = {
        "model": "v0.1.0",
        "messages": MESSAGES,
        "response_format": FORM,
        "max_tokens": 40,
        "seed": 7,
    }
    whole = client.chat.completions.create(**arguments).choices[0].message.content
    pieces = [
        chunk.choices[0].delta.content or ""
        for chunk in client.chat.completions.create(**arguments, stream=True)
    ]
    assert "".join(pieces) == whole
    assert valid(whole)


def test_other_endpoints_take_a_form_too(client: openai.OpenAI) -> None:
    form: Any = {"type": "json_schema", "name": "reply", "schema": SCHEMA, "strict": True}
    made = client.responses.create(
        model="v1.0.0", input="a", text={"format": form}, max_output_tokens=40
    )
    assert made.status == "completed"
    assert valid(made.output_text)
    text = client.completions.create(
        model="v0.1.0",
        prompt="a",
        max_tokens=30,
        extra_body={"response_format": {"type": "json_object"}},
    )
    assert valid(text.choices[0].text, {"type": "object"})


def test_the_identity_is_that_of_the_study(server: Server, study: Study) -> None:
    """A reply of a form has an identity of its own, and without one the version's."""
    body = {"model": "v0.1.0", "messages": MESSAGES, "metadata": {"prompt_id": "p1"}}
    plain = post(server, CHAT, body)[1]["x-ethogram-generation"]
    formed = {**body, "response_format": FORM, "max_tokens": 40}
    other = post(server, CHAT, formed)[1]["x-ethogram-generation"]
    named = {**FORM, "json_schema": {"name": "other", "schema": SCHEMA}}
    same = post(server, CHAT, {**formed, "response_format": named})[1]["x-ethogram-generation"]
    assert other == same != plain


def test_a_wrapped_reply_comes_with_what_is_known_of_it(server: Server) -> None:
    body = {"model": "v1.1.0", "messages": MESSAGES, "response_format": FORM, "max_tokens": 40}
    status, _, raw = post(server, CHAT, body)
    assert status == 200, raw
    [choice] = json.loads(raw)["choices"]
    about = choice["ethogram"]
    assert about["answer"] == choice["message"]["content"]
    assert about["data"] == json.loads(choice["message"]["content"])
    assert about["sentences"] == []
    assert about["usage"]["total_tokens"] > 0


@pytest.mark.parametrize(
    ("path", "change", "param", "said"),
    [
        (CHAT, {"response_format": {"type": "json_schema"}}, "response_format", "schema"),
        (CHAT, {"response_format": {"type": "sound"}}, "response_format", "unknown type"),
        (
            CHAT,
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"schema": {"type": "array", "uniqueItems": True}},
                }
            },
            "response_format",
            "uniqueItems is not supported",
        ),
        (CHAT, {"response_format": FORM, "max_tokens": 3}, "max_tokens", "shortest reply takes"),
        (TEXT, {"response_format": {"type": "grammar"}}, "response_format", "unknown type"),
        (RESPONSES, {"text": {"format": {"type": "json_schema"}}}, "response_format", "schema"),
        (RESPONSES, {"text": {"verbosity": "low"}}, "text", "nothing else is served"),
        (RESPONSES, {"response_format": FORM}, "response_format", "text.format"),
    ],
)
def test_what_cannot_be_served_is_refused_by_name(
    server: Server, path: str, change: dict[str, Any], param: str, said: str
) -> None:
    starts: dict[str, dict[str, Any]] = {
        CHAT: TURN,
        TEXT: {"model": "v0.1.0", "prompt": "a"},
        RESPONSES: INPUT,
    }
    status, _, raw = post(server, path, {**starts[path], **change})
    error = json.loads(raw)["error"]
    assert (status, error["param"]) == (400, param), error
    assert said in error["message"]
