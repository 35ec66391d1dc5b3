"""What a server tells of its requests: one line of JSON each, and counts; never a prompt."""

from __future__ import annotations

import json
import logging
import re
import time
from typing import Any

import openai
import pytest
from tests.serve.test_behaviours import CHAT, TURN, connect, post

from ethogram.serve.server import Server

NAME = "ethogram.serve.requests"


def lines(caplog: pytest.LogCaptureFixture, count: int) -> list[dict[str, Any]]:
    """The lines, once there are so many: a line is written after its reply."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        found = [each.getMessage() for each in caplog.records if each.name == NAME]
        if len(found) >= count:
            return [json.loads(each) for each in found]
        time.sleep(0.01)
    raise AssertionError(found)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", ["v1.0.0", "v1.1.0"])
def test_a_line_has_the_tokens_and_no_text(
    server: Server, caplog: pytest.LogCaptureFixture, name: str, stream: bool
) -> None:
    caplog.set_level(logging.INFO, NAME)
    body = {**TURN, "model": name, "n": 2, "seed": 1, "max_tokens": 9, "stream": stream}
    if stream:
        body["stream_options"] = {"include_usage": True}
    status, headers, raw = post(server, CHAT, body)
    if stream:
        raw = raw.split(b"\n\n")[-3].removeprefix(b"data: ")
    usage = json.loads(raw)["usage"]
    [line] = lines(caplog, 1)
    assert (line["request"], line["status"]) == (headers["x-request-id"], status)
    assert (line["model"], line["path"]) == (name, CHAT)
    assert line["prompt_tokens"] == usage["prompt_tokens"]
    assert line["output_tokens"] == usage["completion_tokens"]
    assert 0 < line["first_token_seconds"] <= line["seconds"]
    assert '"hi"' not in json.dumps(line)


def test_a_client_that_leaves_is_logged_with_what_it_got(
    server: Server, client: openai.OpenAI, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, NAME)
    asked: Any = {"model": "v1.0.0", "messages": TURN["messages"], "max_tokens": 150, "seed": 1}
    asked["extra_body"] = {"min_tokens": 150}
    with client.chat.completions.create(**asked, stream=True) as stream:
        for count, _ in enumerate(stream):
            if count == 4:
                break
    [line] = lines(caplog, 1)
    assert 1 <= line["output_tokens"] < 150


def test_a_refusal_has_no_tokens(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, NAME)
    post(server, CHAT, {**TURN, "n": 0})
    [line] = lines(caplog, 1)
    assert line["status"] == 400
    assert "output_tokens" not in line


def test_the_time_between_tokens_is_counted_once_for_each_but_the_first(server: Server) -> None:
    def counted() -> int:
        connection = connect(server)
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
        connection.close()
        found = re.search(r"^ethogram_between_tokens_seconds_count (\S+)$", text, re.MULTILINE)
        assert found
        return int(float(found[1]))

    before = counted()
    body = {**TURN, "seed": 2, "max_tokens": 12, "min_tokens": 12, "n": 2}
    made = json.loads(post(server, CHAT, body)[2])
    assert made["usage"]["completion_tokens"] == 24
    assert counted() - before == 22
