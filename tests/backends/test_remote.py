"""Models at endpoints: what is sent, what a fault leads to, and what is spent."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from tests.backends.asked import backend, made, requests
from tests.endpoints import Body, Fault, echo, refusal, reply, said, serving

from ethogram.backends.client import MOST_BYTES
from ethogram.errors import BackendError, RequestError
from ethogram.spec import Decoding, Generation, Message, Request
from ethogram.spec.endpoint import Api
from ethogram.spec.generation import ChatFormat

pytestmark = pytest.mark.usefixtures("machine")
SECRET = "sk-very-secret-0123456789"
JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize("chat", [True, False])
def test_texts_go_to_completions_and_messages_to_chat(chat: bool) -> None:
    with serving() as server:
        found = made(server, requests(3, chat))
    assert set(server.paths) == {f"/v1/{'chat/' if chat else ''}completions"}
    assert {said(body) for body in server.asked} == {"ask 0", "ask 1", "ask 2"}
    one = found["id1"]
    assert one.text == "You said 'ask 1' at 0.7 and 256. That is all."
    assert (one.finish_reason, one.token_ids, one.logprobs) == ("eos", (), ())
    assert one.prompt_text == ("system: Be brief.\n\nuser: ask 1" if chat else "ask 1")
    assert one.seconds > 0


@pytest.mark.parametrize(
    ("api", "decoding", "sent"),
    [
        ("openai", {}, {"temperature": 0.7, "top_p": 1.0, "max_tokens": 9, "seed": 128}),
        ("openai", {"strategy": "greedy"}, {"temperature": 0.0, "top_p": 1.0, "max_tokens": 9}),
        (
            "openai",
            {"top_p": 0.9, "presence_penalty": 1.5, "stop": ["\n"], "logit_bias": {7: -5}},
            {
                "temperature": 0.7,
                "top_p": 0.9,
                "presence_penalty": 1.5,
                "stop": ["\n"],
                "logit_bias": {"7": -5},
                "max_tokens": 9,
                "seed": 128,
            },
        ),
        (
            "vllm",
            {"top_k": 5, "order": "vllm", "min_new_tokens": 2, "stop_token_ids": [3]},
            {
                "temperature": 0.7,
                "top_p": 1.0,
                "top_k": 5,
                "min_p": 0.0,
                "repetition_penalty": 1.0,
                "min_tokens": 2,
                "stop_token_ids": [3],
                "max_tokens": 9,
                "seed": 128,
            },
        ),
        (
            "llamacpp",
            {"min_p": 0.1, "order": "llamacpp"},
            {
                "temperature": 0.7,
                "top_p": 1.0,
                "top_k": 0,
                "min_p": 0.1,
                "repeat_penalty": 1.0,
                "max_tokens": 9,
                "seed": 128,
            },
        ),
    ],
)
def test_a_decoding_is_sent_with_what_is_off(
    api: Api, decoding: dict[str, Any], sent: dict[str, Any]
) -> None:
    with serving() as server:
        made(server, requests(**decoding), api=api)
    assert server.asked == [{"model": "small", "stream": False, "prompt": "ask 0", **sent}]


@pytest.mark.parametrize(
    ("decoding", "words"),
    [
        ({"top_k": 5}, "decoding.top_k: OpenAI's API has no top-k; turn it off"),
        ({"num_beams": 2}, "decoding.num_beams: OpenAI's API has no beam search"),
        ({"dry": {"multiplier": 0.8}}, "decoding.dry.multiplier: OpenAI's API has no"),
        ({"best_of": 2}, "decoding.best_of: an endpoint gives one output a request"),
        ({"stop": list("abcde")}, "decoding.stop: OpenAI's API takes 4 stop strings"),
    ],
)
def test_what_an_endpoint_cannot_take_is_refused_by_name(
    decoding: dict[str, Any], words: str
) -> None:
    with serving() as server:
        with pytest.raises(RequestError) as caught:
            backend(server).generate(requests(2, **decoding))
        with pytest.raises(RequestError, match="does not report how a token was chosen"):
            backend(server).generate(requests(), trace=True)
    assert words in str(caught.value)
    assert caught.value.request == "id0"
    assert not server.asked


def test_a_message_cannot_be_continued() -> None:
    asked = Request(
        "a", "p", 0, (Message("assistant", "I"),), Decoding(), 1, ChatFormat(continues=True)
    )
    with serving() as server, pytest.raises(RequestError, match="cannot continue a message"):
        backend(server).generate([asked])


@pytest.mark.parametrize(
    ("message", "name"),
    [
        ("Unsupported parameter: 'max_tokens'. Use another.", "max_tokens"),
        ("Unsupported parameter: 'top_p'", "top_p"),
        ("Unrecognized request argument supplied: 'seed'", "seed"),
    ],
)
def test_a_parameter_that_means_nothing_is_left_out_where_it_is_refused(
    message: str, name: str
) -> None:
    with serving(lambda body: refusal(400, message) if name in body else "yes") as server:
        assert [one.text for one in made(server, requests(4)).values()] == ["yes"] * 4
    sent = server.asked[-1]
    assert name not in sent
    assert (sent.get("max_completion_tokens") == 9) == (name == "max_tokens")


def test_a_setting_that_is_refused_is_never_left_out() -> None:
    with (
        serving(lambda _: refusal(400, "Unsupported value: 'temperature'")) as server,
        pytest.raises(BackendError, match=r"refuses the request \(400\): Unsupported value"),
    ):
        made(server, requests())


def passing(fault: Fault) -> Callable[[Body], str | Fault]:
    """A server whose first answer is a fault."""
    tries = count()
    return lambda body: fault if next(tries) == 0 else echo(body)


@pytest.mark.parametrize(
    "fault",
    [
        refusal(429, **{"Retry-After": "0.05"}),
        refusal(429, **{"retry-after-ms": "50"}),
        refusal(500),
        refusal(503),
        refusal(408),
        Fault(200, b'{"choices": [{"te', JSON, length=900),
        Fault(200, b"{not json", JSON),
        Fault(200, b"<html>hi</html>", {"Content-Type": "text/html"}),
    ],
    ids=["429", "429-ms", "500", "503", "408", "cut", "garbage", "html"],
)
def test_what_passes_is_tried_again(fault: Fault) -> None:
    with serving(passing(fault)) as server:
        found = made(server, requests(4))
    assert sorted(found) == ["id0", "id1", "id2", "id3"]
    assert len(server.asked) == 5


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (refusal(429, **{"Retry-After": "0"}), ["too many requests", "tried 3 times", "stored"]),
        (refusal(429, **{"Retry-After": "9999"}), ["too many requests", "tried once"]),
        (refusal(500, "no room"), ["fails (500), tried 3 times: no room", "the next run goes on"]),
        (refusal(400, "x" * 900), ["refuses the request (400): xxx"]),
        (refusal(401, f"bad key {SECRET}"), ["requires a key (401)", "ETHOGRAM_ENDPOINT"]),
        (refusal(404), ["no model 'small'", "prompt.chat: true"]),
        (Fault(307, b"", {"Location": "http://127.0.0.2:1/v1"}), ["redirect (307)", "followed"]),
        (Fault(200, b"{not json", JSON), ["not a completion"]),
        (Fault(200, b"[]", JSON), ["not a completion"]),
        (Fault(200, b"null", JSON), ["not a completion"]),
        (Fault(200, b"", JSON), ["not a completion"]),
        (Fault(200, b"<html>", {"Content-Type": "text/html"}), ["not a completion"]),
        (Fault(200, reply({"prompt": ""}, "x").replace(b'"x"', b"[1]"), JSON), ["not a compl"]),
        (Fault(200, b'{"choices": [{"te', JSON, length=900), ["unreachable (peer closed"]),
        (Fault(200, b"x", {**JSON, "Content-Encoding": "gzip"}), ["compressed"]),
        (Fault(200, b"x" * (MOST_BYTES + 9), JSON), ["more than 8000000 bytes"]),
    ],
)
def test_what_stays_is_one_clear_line(fault: Fault, words: list[str]) -> None:
    with serving(lambda _: fault) as server, pytest.raises(BackendError) as caught:
        made(server, requests())
    line = str(caught.value)
    assert line.startswith(server.url)
    assert line.isprintable()
    assert len(line) < 500
    assert SECRET not in line
    for word in words:
        assert word in line
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_a_redirect_takes_neither_prompt_nor_key_elsewhere(
    machine: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINE", SECRET)
    with serving() as other:
        moved = Fault(308, b"", {"Location": f"{other.url}/completions"})
        with serving(lambda _: moved) as server:
            machine(keys={server.url.split("/")[2]: "MINE"})
            with pytest.raises(BackendError, match="redirect"):
                made(server, requests())
    assert server.keys == {f"Bearer {SECRET}"}
    assert not other.asked


@pytest.mark.fault("an endpoint hangs")
@pytest.mark.parametrize(
    "fault",
    [
        Fault(seconds=30.0),
        Fault(200, b"x" * 900, JSON, drip=0.05),
        Fault(200, b"{" + b" " * 60, JSON, length=900, drip=0.01),
    ],
    ids=["silent", "dripping", "stuck"],
)
@pytest.mark.long
def test_a_hanging_server_costs_the_time_out_and_no_more(
    machine: Callable[..., None], fault: Fault
) -> None:
    machine(timeout=1.0, retries=4)
    good = count()

    def answer(body: Body) -> str | Fault:
        return fault if next(good) >= 3 else echo(body)

    found: list[Generation] = []
    with serving(answer) as server:
        running = backend(server).generate(requests(40))
        began = time.monotonic()
        with pytest.raises(BackendError, match=r"no answer within 1 s; give it more time"):
            found.extend(running)
        took = time.monotonic() - began
    assert len(found) == 3
    assert took < 1.0 + 0.9  # The time-out, half a second of grace, and a slow machine.
    assert len(server.asked) <= 3 + 2 * 8  # What hung while others were answered, once more.


@pytest.mark.long
def test_one_answer_that_hangs_is_asked_for_again(machine: Callable[..., None]) -> None:
    machine(timeout=1.0)
    tries = count()

    def answer(body: Body) -> str | Fault:
        if said(body) == "ask 0" and next(tries) == 0:
            return Fault(seconds=30.0)
        time.sleep(0.1)
        return echo(body)

    with serving(answer) as server:
        assert len(made(server, requests(150))) == 150
    assert len(server.asked) == 151


def test_no_more_is_in_flight_than_allowed(machine: Callable[..., None]) -> None:
    machine(concurrency=3)
    with serving(delay=0.02) as server:
        assert len(made(server, requests(12))) == 12
    assert server.most_at_once == 3


@pytest.mark.parametrize("chat", [True, False])
def test_a_stream_gives_its_pieces(chat: bool) -> None:
    pieces: list[str] = []
    with serving(lambda _: "Grüße!") as server:
        one = backend(server).stream(requests(chat=chat)[0], pieces.append)
    assert pieces == list("Grüße!")
    assert (one.text, one.finish_reason) == ("Grüße!", "eos")
    assert server.asked[0]["stream"] is True


@pytest.mark.fault("an endpoint breaks off its answer")
@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Fault(200, b'data: {"choices": []}\n\n', {"Content-Type": "text/event-stream"}), "ended"),
        (Fault(200, b"data: {oops\n\n", {"Content-Type": "text/event-stream"}), "not a completion"),
        (
            Fault(200, b"data: {", {"Content-Type": "text/event-stream"}, length=99),
            "unreachable (peer closed",
        ),
        (Fault(200, b"<html>", {"Content-Type": "text/html"}), "ended"),
        (refusal(429), "too many requests"),
        (Fault(seconds=30), "no answer within 0.5 s"),
    ],
)
def test_a_broken_stream_is_one_clear_line(
    machine: Callable[..., None], fault: Fault, words: str
) -> None:
    machine(timeout=0.5)
    with serving(lambda _: fault) as server, pytest.raises(BackendError) as caught:
        backend(server).stream(requests(chat=True)[0], lambda _: None)
    assert words in str(caught.value)


def test_replies_hold_only_what_a_database_takes() -> None:
    with serving(lambda _: "a\x00b\ud800c") as server:
        (one,) = made(server, requests()).values()
    assert one.text == "a�b�c"
