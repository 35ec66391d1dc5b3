"""Long conversations: a version's history budget holds in the server as in the chat."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.serve.conftest import serving_all
from tests.serve.test_behaviours import CHAT, RESPONSES, post

from ethogram.serve.catalogue import Catalogue, of_study
from ethogram.serve.server import Server
from ethogram.serve.service import Limits
from ethogram.spec import Prompt
from ethogram.spec.wrapper import Wrapper
from ethogram.study import Study
from ethogram.study.chatting import Chat

#: Messages of a client, beside the system's.
SPOKEN = [
    {"role": role, "content": f"{text} {number}"}
    for number in range(9)
    for role, text in (("user", "ask"), ("assistant", "say"))
]
LAST = {"role": "user", "content": "the last"}
SYSTEM = {"role": "system", "content": "be kind"}
QA = Prompt(template="Q: {{ input }}\nA:", stop=("\nQ:",))


@pytest.fixture(scope="module")
def limited(study: Study) -> Iterator[Server]:
    """A chat version and a completion version with a budget, and one without."""
    found = of_study(study, ["v1.0.0", "v0.1.0"])
    chat, text = found.get("v1.0.0"), found.get("v0.1.0")
    budget = Wrapper(history_tokens=120)
    made = {
        "chat": replace(chat, version=chat.version.model_copy(update={"wrapper": budget})),
        "text": replace(
            text, version=text.version.model_copy(update={"wrapper": budget, "prompt": QA})
        ),
        "free": chat,
    }
    limits = Limits(max_rows=4, max_tokens=200)
    with serving_all(Catalogue(made), limits) as server:
        yield server


def ask(server: Server, name: str, messages: list[Any], **more: Any) -> Any:
    body = {"model": name, "messages": messages, "max_tokens": 6, "seed": 3, **more}
    status, headers, raw = post(server, CHAT, body)
    return status, headers, json.loads(raw) if not body.get("stream") else raw


@pytest.mark.parametrize("name", ["chat", "text"])
@pytest.mark.parametrize("first", [[], [SYSTEM]])
def test_the_oldest_turns_are_dropped_and_the_reply_says_so(
    limited: Server, name: str, first: list[Any]
) -> None:
    status, headers, reply = ask(limited, name, [*first, *SPOKEN, LAST])
    assert status == 200
    assert reply["usage"]["prompt_tokens"] <= 120
    dropped = int(headers["x-ethogram-dropped-messages"])
    assert 0 < dropped < len(SPOKEN)
    assert dropped % 2 == 0
    _, headers, kept = ask(limited, name, [*first, *SPOKEN[dropped:], LAST])
    assert "x-ethogram-dropped-messages" not in headers
    assert kept["choices"] == reply["choices"]
    _, headers, _ = ask(limited, name, [*first, *SPOKEN[dropped - 2 :], LAST])
    assert headers["x-ethogram-dropped-messages"] == "2"


def test_without_a_budget_nothing_is_dropped(limited: Server) -> None:
    status, _, reply = ask(limited, "free", [SYSTEM, *SPOKEN, LAST])
    assert status == 400
    assert reply["error"]["code"] == "context_length_exceeded"
    status, headers, _ = ask(limited, "free", [SYSTEM, *SPOKEN[:2], LAST])
    assert status == 200
    assert "x-ethogram-dropped-messages" not in headers


def test_a_last_message_that_does_not_fit_is_refused(limited: Server) -> None:
    long = {"role": "user", "content": "word " * 100}
    status, _, reply = ask(limited, "chat", [*SPOKEN, long])
    assert (status, reply["error"]["code"]) == (400, "context_length_exceeded")
    assert "there is room for 120" in reply["error"]["message"]


def test_a_budget_alone_keeps_the_stream_and_responses_know_it(limited: Server) -> None:
    _, headers, raw = ask(limited, "chat", [*SPOKEN, LAST], stream=True)
    assert headers["x-ethogram-dropped-messages"]
    assert raw.count(b'"delta":{"content"') > 1
    body = {"model": "chat", "input": [*SPOKEN, LAST], "max_output_tokens": 4}
    status, headers, _ = post(limited, RESPONSES, body)
    assert (status, "x-ethogram-dropped-messages" in headers) == (200, True)


def test_an_empty_message_to_a_completion_model_is_refused(limited: Server) -> None:
    empty = replace(
        limited.service.catalogue.get("text"),
        version=limited.service.catalogue.get("text").version.model_copy(
            update={"prompt": Prompt()}
        ),
    )
    with serving_all(Catalogue({"plain": empty})) as server:
        status, _, reply = ask(server, "plain", [{"role": "user", "content": ""}])
    assert (status, reply["error"]["message"]) == (400, "the prompt is empty")


@pytest.mark.parametrize("name", ["v1.0.0", "v0.1.0"])
def test_the_server_reads_a_conversation_as_the_chat_does(
    study: Study, tmp_path: Path, name: str
) -> None:
    served = of_study(study, [name]).get(name)
    template = "Question: {{ input }}\nAnswer:"
    version = served.version.model_copy(
        update={"prompt": served.version.prompt.model_copy(update={"template": template})}
    )
    served = replace(served, version=version)
    chat = Chat(study, name)
    chat.set("prompt.template", template)
    first = chat.say("one")
    second = chat.say("two")
    messages = [*chat.messages[:2], replace(chat.messages[2])]
    [request] = served.chat(messages, version.decoding, count=1, seed=1, prompt_id=None)
    assert request.prompt == second.request.prompt
    assert first.request.prompt != second.request.prompt
