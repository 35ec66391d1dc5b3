"""Behaviours that public suites of servers assert, as requests and what is expected."""

from __future__ import annotations

import http.client
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ethogram.serve.server import Server

CHAT, TEXT, RESPONSES = "/v1/chat/completions", "/v1/completions", "/v1/responses"
TURN = {"model": "v1.0.0", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 4}
PROMPT = {"model": "v0.0.1", "prompt": "one two", "max_tokens": 4}
INPUT = {"model": "v1.0.0", "input": "hi", "max_output_tokens": 4}
SCHEMA = {"type": "json_schema"}


def connect(server: Server) -> http.client.HTTPConnection:
    host, port = server.socket.getsockname()[:2]
    return http.client.HTTPConnection(host, port, timeout=60)


def post(
    server: Server, path: str, body: Any, headers: dict[str, str] | None = None
) -> tuple[int, dict[str, str], bytes]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    connection = connect(server)
    connection.request("POST", path, raw, {"content-type": "application/json", **(headers or {})})
    reply = connection.getresponse()
    found = reply.status, {k.lower(): v for k, v in reply.getheaders()}, reply.read()
    connection.close()
    return found


@pytest.mark.parametrize(
    ("path", "body", "status", "param"),
    [
        (TEXT, {**PROMPT, "logprobs": 21}, 400, "logprobs"),
        (TEXT, {**PROMPT, "logprobs": 21, "stream": True}, 400, "logprobs"),
        (TEXT, {**PROMPT, "stream_options": {"include_usage": True}}, 400, "stream_options"),
        (CHAT, {**TURN, "stream_options": {"include_usage": True}}, 400, "stream_options"),
        (CHAT, {**TURN, "response_format": SCHEMA}, 400, "response_format"),
        (CHAT, {**TURN, "response_format": {"type": "sound"}}, 400, "response_format"),
        (RESPONSES, {**INPUT, "text": {"format": SCHEMA}}, 400, "response_format"),
        (TEXT, {**PROMPT, "prompt": None}, 400, "prompt"),
        (TEXT, {**PROMPT, "prompt": None, "stream": True}, 400, "prompt"),
        (TEXT, {**PROMPT, "prompt": ""}, 400, "prompt"),
        (TEXT, {**PROMPT, "prompt": []}, 400, "prompt"),
        (TEXT, {**PROMPT, "prompt": [""]}, 400, "prompt"),
        (TEXT, {**PROMPT, "prompt": [[]]}, 400, "prompt"),
        (TEXT, {**PROMPT, "prompt": [999999]}, 400, "prompt"),
        (TEXT, {**PROMPT, "prompt": [-1]}, 400, "prompt"),
        (TEXT, {**PROMPT, "prompt": [[5, -1]]}, 400, "prompt"),
        (TEXT, {**PROMPT, "prompt": [1.5]}, 400, "prompt"),
        (CHAT, {**TURN, "logprobs": True, "top_logprobs": 21}, 400, "top_logprobs"),
        (CHAT, {**TURN, "top_logprobs": 2}, 400, "top_logprobs"),
        (CHAT, {**TURN, "seed": 2**64}, 400, "seed"),
        (CHAT, {**TURN, "seed": "x"}, 400, "seed"),
        (CHAT, {**TURN, "logit_bias": {"999999": 1}}, 400, "logit_bias"),
        (CHAT, {**TURN, "logit_bias": {"a": 1}}, 400, "logit_bias"),
        (CHAT, {**TURN, "logit_bias": {"3": 101}}, 400, "logit_bias"),
        (CHAT, [TURN], 400, None),
        (CHAT, b"{", 400, None),
        (CHAT, b'{"model": NaN}', 400, None),
        (CHAT, b"\xff\xfe", 400, None),
        (CHAT, b"[" * 50_000, 400, None),
        (CHAT, {**TURN, "messages": [{"role": "user", "content": "a \ud800"}]}, 400, None),
        (CHAT, {**TURN, "messages": None}, 400, "messages"),
        (CHAT, {**TURN, "messages": "hi"}, 400, "messages"),
        (CHAT, {**TURN, "messages": []}, 400, "messages"),
        (CHAT, {**TURN, "messages": [123]}, 400, "messages[0]"),
        (CHAT, {**TURN, "messages": [{}]}, 400, "messages[0].role"),
        (CHAT, {**TURN, "messages": [{"role": 123, "content": "a"}]}, 400, "messages[0].role"),
        (CHAT, {**TURN, "messages": [{"role": "user", "content": 1}]}, 400, "messages[0].content"),
        (CHAT, {**TURN, "messages": [{"role": "user", "content": "a " * 300}]}, 400, None),
        (CHAT, {**TURN, "max_tokens": 199}, 400, None),
        (CHAT, {**TURN, "max_tokens": 0}, 400, "max_tokens"),
        (CHAT, {**TURN, "n": 0}, 400, "n"),
        (CHAT, {**TURN, "n": 129}, 400, "n"),
        (CHAT, {**TURN, "temperature": -1}, 400, "temperature"),
        (CHAT, {**TURN, "top_p": 7}, 400, "top_p"),
        (CHAT, {**TURN, "tools": [{"type": "function"}]}, 400, "tools"),
        (CHAT, {**TURN, "reasoning_effort": "low"}, 400, "reasoning_effort"),
        (CHAT, {**TURN, "nonsense": 1}, 400, "nonsense"),
        (CHAT, {**TURN, "stream": "yes"}, 400, "stream"),
        (TEXT, {**PROMPT, "best_of": 3}, 400, "best_of"),
        (TEXT, {**PROMPT, "suffix": "x"}, 400, "suffix"),
        (RESPONSES, {**INPUT, "previous_response_id": "resp_1"}, 400, "previous_response_id"),
        (RESPONSES, {**INPUT, "input": 3}, 400, "input"),
        (RESPONSES, {**INPUT, "n": 2}, 400, "n"),
        (CHAT, {**TURN, "model": "v9"}, 404, "model"),
        (CHAT, {**TURN, "model": None}, 400, "model"),
        ("/v1/embeddings", {"model": "v1.0.0", "input": "a"}, 404, "model"),
        ("/v1/embeddings", {"model": "all-minilm-l6-v2", "input": []}, 400, "input"),
        ("/v1/nothing", {}, 404, None),
        (CHAT, {**TURN, "user": "x" * 200_000}, 413, None),
    ],
)
def test_refusals(server: Server, path: str, body: Any, status: int, param: str | None) -> None:
    got, headers, raw = post(server, path, body)
    assert (got, headers["content-type"]) == (status, "application/json"), raw
    error = json.loads(raw)["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["param"] == param, error
    assert error["type"] == {404: "not_found_error"}.get(status, "invalid_request_error")
    assert "Traceback" not in error["message"]
    assert "/" not in error["message"].replace("/v1", ""), error
    assert post(server, CHAT, TURN)[0] == 200  # It lives.


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (CHAT, {**TURN, "stop": [], "tools": None, "tool_choice": "none", "user": "u"}),
        (CHAT, {**TURN, "response_format": {"type": "text"}, "logprobs": False, "seed": None}),
        (CHAT, {**TURN, "frequency_penalty": 0.5, "presence_penalty": 0.1, "top_k": 5}),
        (CHAT, {**TURN, "messages": [{"role": "user", "content": "a", "name": "x", "extra": 1}]}),
        (CHAT, {"model": "v1.0.0", "messages": TURN["messages"], "max_completion_tokens": 3}),
        (CHAT, {**TURN, "messages": [{"role": "user", "content": "a\x00b"}]}),
        (TEXT, {**PROMPT, "logprobs": True, "best_of": 1, "stop": ["<|im_end|>", "zzz"]}),
        (TEXT, {**PROMPT, "logprobs": None, "suffix": None}),
        (TEXT, {**PROMPT, "logit_bias": {"5": -100}}),
        (RESPONSES, {**INPUT, "instructions": "Be brief.", "store": False}),
        (
            RESPONSES,
            {
                **INPUT,
                "input": [{"role": "user", "content": [{"type": "input_text", "text": "a"}]}],
            },
        ),
    ],
)
def test_what_is_served(server: Server, path: str, body: Any) -> None:
    status, _, raw = post(server, path, body)
    assert status == 200, raw


def test_parts_are_one_text(server: Server) -> None:
    parts = [{"type": "text", "text": "h"}, {"type": "text", "text": "i"}]
    split = {**TURN, "seed": 1, "messages": [{"role": "user", "content": parts}]}
    replies = [json.loads(post(server, CHAT, body)[2]) for body in (split, {**TURN, "seed": 1})]
    assert replies[0]["choices"] == replies[1]["choices"]
    assert "tool_calls" not in replies[0]["choices"][0]["message"]


def test_a_prompt_that_is_too_long_is_refused_before_any_event(server: Server) -> None:
    long = {**TURN, "messages": [{"role": "user", "content": "a " * 300}]}
    for stream in (False, True):
        status, headers, raw = post(server, CHAT, {**long, "stream": stream})
        assert (status, headers["content-type"]) == (400, "application/json")
        assert json.loads(raw)["error"]["code"] == "context_length_exceeded"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "evil.example"}, 403),
        ({"host": "evil.example:80"}, 403),
        ({"host": "[::1"}, 403),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"content-type": "text/plain"}, 415),
        ({"content-type": "application/x-www-form-urlencoded"}, 415),
        ({"content-encoding": "zstd"}, 415),
        ({"host": "localhost"}, 200),
    ],
)
def test_web_pages_cannot_use_it(server: Server, headers: dict[str, str], status: int) -> None:
    got, answered, raw = post(server, CHAT, TURN, headers)
    assert got == status, raw
    assert not [name for name in answered if name.startswith("access-control")]
    assert (status == 200) or set(json.loads(raw)) == {"error"}


def test_health_and_metrics(server: Server) -> None:
    post(server, TEXT, PROMPT)
    connection = connect(server)
    connection.request("GET", "/health")
    assert json.loads(connection.getresponse().read()) == {"status": "ok"}
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    connection.close()
    assert 'ethogram_requests_total{path="/v1/completions",status="200"}' in text
    assert "ethogram_output_tokens_total" in text
    assert "/tmp" not in text


LEAF = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
FLAT = LEAF | st.lists(LEAF, max_size=3)
JSON = FLAT | st.lists(FLAT, max_size=3) | st.dictionaries(st.text(max_size=5), FLAT, max_size=3)
FIELDS = (
    *("messages", "prompt", "input", "max_tokens", "n", "seed", "stop", "stream"),
    *("stream_options", "logprobs", "top_logprobs", "echo", "temperature", "top_p", "top_k"),
    *("min_p", "logit_bias", "metadata", "store", "response_format", "tools", "xtc", "dry"),
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=st.sampled_from([CHAT, TEXT, RESPONSES, "/v1/embeddings"]),
    changes=st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=3),
)
def test_fuzzed_bodies_are_never_the_servers_fault(
    server: Server, path: str, changes: dict[str, Any]
) -> None:
    start = {CHAT: TURN, TEXT: PROMPT, RESPONSES: INPUT}.get(
        path, {"model": "v1.0.0", "input": "a"}
    )
    status, _, raw = post(server, path, {**start, **changes})
    assert status < 500, raw


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raw=st.binary(max_size=60))
def test_bytes_are_never_the_servers_fault(server: Server, raw: bytes) -> None:
    assert post(server, CHAT, raw)[0] == 400


def test_any_chunking_of_a_stream_decodes_to_the_same_text(server: Server) -> None:
    import random

    from openai._streaming import SSEDecoder

    body = {**TURN, "seed": 9, "max_tokens": 24, "temperature": 1.5, "stream": True}
    raw = post(server, CHAT, body)[2]
    chance = random.Random(1)

    def decoded(parts: list[bytes]) -> list[str]:
        return [event.data for event in SSEDecoder().iter_bytes(iter(parts))]

    whole = decoded([raw])
    assert whole[-1] == "[DONE]"
    for _ in range(10_000):
        cuts = sorted(chance.sample(range(1, len(raw)), chance.randint(0, 12)))
        assert (
            decoded([raw[a:b] for a, b in zip([0, *cuts], [*cuts, len(raw)], strict=True)]) == whole
        )
