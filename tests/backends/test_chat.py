"""The chat client against a server on this machine: retries, bounds, a line for each failure."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from itertools import count

import pytest
from tests.judges import completion, refusal, serving

from ethogram.backends import ChatClient, ChatReply, ChatRequest, Endpoint
from ethogram.backends.client import LONGEST_REPLY, clean
from ethogram.backends.endpoint import KEY_VARIABLE, URL_VARIABLE
from ethogram.errors import BackendError

SECRET = "sk-very-secret-0123456789"


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (URL_VARIABLE, KEY_VARIABLE):
        monkeypatch.delenv(name, raising=False)


def requests(number: int = 1) -> Iterator[ChatRequest]:
    return (ChatRequest(f"id{i}", f"question {i}", 50) for i in range(number))


def client(url: str, **options: object) -> ChatClient:
    settings = {"retries": 0, "timeout": 5.0, **options}
    return ChatClient("small", Endpoint(url, **settings))  # type: ignore[arg-type]


def test_replies_carry_what_was_asked_and_what_it_took() -> None:
    with serving(lambda question: f"reply to {question}") as judge:
        replies = {each.identity: each for each in client(judge.url).ask(requests(20))}
    assert {each.text for each in replies.values()} == {f"reply to question {i}" for i in range(20)}
    reply = replies["id3"]
    assert (reply.text, reply.finish_reason, reply.served_model) == (
        "reply to question 3",
        "stop",
        "served-judge",
    )
    assert (reply.prompt_tokens, reply.completion_tokens) == (100, 20)
    assert reply.seconds > 0
    request = judge.asked[0]
    assert (request["model"], request["temperature"], request["max_tokens"]) == ("small", 0.0, 50)
    assert [message["role"] for message in request["messages"]] == ["user"]


@pytest.mark.parametrize("concurrency", [1, 3])
@pytest.mark.long
def test_no_more_questions_are_under_way_than_allowed(concurrency: int) -> None:
    with serving(lambda _: "yes", delay=0.02) as judge:
        asked = client(judge.url, concurrency=concurrency).ask(requests(12))
        assert len(list(asked)) == 12
    assert judge.most_at_once == concurrency


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_passes_is_tried_again(status: int) -> None:
    tries = count()

    def answer(_: str) -> object:
        return refusal(status, **{"Retry-After": "0.01"}) if next(tries) < 2 else "yes"

    with serving(answer) as judge:  # type: ignore[arg-type]
        (reply,) = client(judge.url, retries=2).ask(requests())
    assert reply.text == "yes"
    assert len(judge.asked) == 3


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (refusal(401, f"Incorrect key {SECRET}"), ["refuses the key (401)", "OPENAI_API_KEY"]),
        (refusal(403), ["refuses the key (403)"]),
        (refusal(404), ["no model 'small'", "404", "/v1"]),
        (refusal(429), ["too many requests", "429", "--concurrency"]),
        (refusal(400, f"bad {SECRET}\x1b[2J<b>"), ["refuses the request (400): bad …"]),
        (refusal(400, "x" * 9000), ["x …"]),
        (refusal(500, "no room"), ["fails (500), tried once: no room", "its log", "stored"]),
        ((502, {}, b"<html>oops"), ["fails (502), tried once; check its log and run again"]),
        ((422, {}, b"<html>oops"), ["refuses the request (422): no reason given"]),
        ((200, {"Content-Type": "application/json"}, b"{not json"), ["not a completion"]),
        ((200, {"Content-Type": "text/html"}, b"<html>hi"), ["not a completion"]),
        ((200, {"Content-Type": "application/json"}, b"[]"), ["not a completion"]),
        ((200, {"Content-Type": "application/json"}, b"null"), ["not a completion"]),
        (completion("x", choices=[]), ["not a completion"]),
        (completion("x", choices=None), ["not a completion"]),
        (completion("x", choices=[{"message": None}]), ["not a completion"]),
        (completion("x", choices=[{"message": {"content": [1]}}]), ["not a completion"]),
    ],
)
def test_each_failure_is_one_clear_line(answer: object, words: list[str]) -> None:
    with (
        serving(lambda _: answer) as judge,  # type: ignore[arg-type,return-value]
        pytest.raises(BackendError) as caught,
    ):
        list(client(judge.url, api_key=SECRET).ask(requests()))
    line = str(caught.value)
    assert line.startswith(judge.url)
    assert line.isprintable()
    assert len(line) < 500
    assert SECRET not in line
    for word in words:
        assert word in line
    # A chained error would print the endpoint's words, and the key, in a traceback.
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    assert judge.keys == [f"Bearer {SECRET}"]


def test_without_a_key_a_refusal_says_that_one_is_needed() -> None:
    with (
        serving(lambda _: refusal(401)) as judge,
        pytest.raises(BackendError, match=r"requires a key \(401\)"),
    ):
        list(client(judge.url).ask(requests()))


def test_a_refused_connection_is_one_error() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    with pytest.raises(BackendError, match=r"unreachable .*refused.*, tried once"):
        list(client(url).ask(requests()))


def test_a_slow_answer_is_a_timeout() -> None:
    with (
        serving(lambda _: "yes", delay=0.6) as judge,
        pytest.raises(BackendError, match=r"no answer within 0.2 s; .*--timeout"),
    ):
        list(client(judge.url, timeout=0.2).ask(requests()))


def test_replies_under_way_when_another_fails_are_given_and_no_more_is_asked() -> None:
    tries = count()
    with serving(lambda _: refusal(401) if next(tries) == 5 else "yes", delay=0.01) as judge:
        found: list[ChatReply] = []
        asked = client(judge.url, concurrency=4).ask(requests(100))
        with pytest.raises(BackendError):
            found.extend(asked)
    assert len(found) == len(judge.asked) - 1
    assert len(judge.asked) < 12


@pytest.mark.parametrize(
    ("message", "left"),
    [
        ("Unsupported parameter: 'max_tokens' is not supported", {"max_completion_tokens": 50}),
        ("Unsupported value: 'temperature' does not support 0", {"max_tokens": 50}),
    ],
)
def test_a_setting_that_a_model_refuses_is_left_out(message: str, left: dict[str, int]) -> None:
    name = message.split("'")[1]

    def answer(_: str) -> object:
        return refusal(400, message) if name in judge.asked[-1] else "yes"

    with serving(answer) as judge:  # type: ignore[arg-type]
        asked = client(judge.url, concurrency=1)
        assert [each.text for each in asked.ask(requests(3))] == ["yes"] * 3
    assert len(judge.asked) == 4  # Refused once, and then known.
    assert left.items() <= judge.asked[-1].items()
    assert name not in judge.asked[-1]


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://host/v1", "http://", "http://[", "v1"])
def test_an_invalid_address_is_refused(url: str) -> None:
    with pytest.raises(BackendError, match="not an API address"):
        client(url)


def test_openai_itself_needs_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BackendError, match="no key; set OPENAI_API_KEY"):
        ChatClient("small", Endpoint())
    monkeypatch.setenv(KEY_VARIABLE, SECRET)
    made = ChatClient("small", Endpoint())
    assert SECRET not in repr(made)
    assert SECRET not in repr(Endpoint(api_key=SECRET))


def test_address_and_key_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(lambda _: "yes") as judge:
        monkeypatch.setenv(URL_VARIABLE, judge.url)
        monkeypatch.setenv(KEY_VARIABLE, SECRET)
        list(ChatClient("small", Endpoint()).ask(requests()))
    assert judge.keys == [f"Bearer {SECRET}"]


def test_what_else_the_environment_holds_for_openai_goes_nowhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("OPENAI_ADMIN_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.setenv(name, SECRET)
    with serving(lambda _: "yes") as judge:
        list(client(judge.url).ask(requests()))
    assert judge.keys == ["Bearer none"]
    assert SECRET not in str(judge.headers)


def test_no_password_of_an_address_is_shown() -> None:
    made = client("http://me:hush@localhost:1/v1?token=hush")
    assert "hush" not in repr(made)
    assert made.where == "http://localhost:1/v1"


@pytest.mark.parametrize(
    ("text", "kept"),
    [("a\x00b", "a�b"), ("a\ud800b", "a�b"), ("😀\x1b[2J", "😀\x1b[2J"), ("\udc00\ud83d", "��")],
)
def test_replies_hold_only_what_a_database_takes(text: str, kept: str) -> None:
    assert clean(text) == kept
    with serving(lambda _: completion(text)) as judge:
        (reply,) = client(judge.url).ask(requests())
    assert reply.text == kept


def test_a_reply_without_words_counts_or_end_is_a_reply() -> None:
    body = json.loads(completion(None)[2])
    del body["usage"], body["choices"][0]["finish_reason"]
    head = {"Content-Type": "application/json"}
    with serving(lambda _: (200, head, json.dumps(body).encode())) as judge:
        (reply,) = client(judge.url).ask(requests())
    assert (reply.text, reply.finish_reason, reply.prompt_tokens) == ("", "", 0)
    with serving(lambda _: "x" * (LONGEST_REPLY + 5)) as judge:
        (reply,) = client(judge.url).ask(requests())
    assert len(reply.text) == LONGEST_REPLY
