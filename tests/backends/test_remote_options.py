"""What may be spent at an endpoint, and which key goes where."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import pytest
from tests.backends.asked import backend, made, requests
from tests.backends.test_remote import JSON, SECRET, passing
from tests.endpoints import Fault, echo, serving

from ethogram.backends import Budget
from ethogram.backends.endpoint import KEY_VARIABLE, URL_VARIABLE, VARIABLE
from ethogram.backends.remote import RemoteBackend
from ethogram.errors import BackendError, SpecError
from ethogram.spec import Generation
from ethogram.spec.endpoint import RemoteModel

pytestmark = pytest.mark.usefixtures("machine")


@pytest.mark.parametrize("tokens", [1, 60, 200])
def test_no_token_is_spent_above_the_budget(tokens: int) -> None:
    with serving() as server:
        asked = backend(server, budget=Budget(tokens=tokens))
        found: list[Generation] = []
        with pytest.raises(BackendError, match=f"token budget of {tokens} is used up"):
            found.extend(asked.generate(requests(90)))
    spent = asked.spending.prompt_tokens + asked.spending.completion_tokens
    assert spent <= tokens
    assert spent == 2 * len(found) + sum(len(one.text.split()) for one in found)
    assert len(found) == len(server.asked)


def test_money_is_counted_by_the_prices(machine: Callable[..., None]) -> None:
    machine(prices={"small": [1e6, 2e6]})  # One for a prompt token, two for a new one.
    with serving(lambda _: "one two") as server:
        asked = backend(server, budget=Budget(money=100))
        with pytest.raises(BackendError, match=r"money budget of 100 .*by the prices"):
            list(asked.generate(requests(90)))
    assert asked.spending.money is not None
    assert 70 < asked.spending.money <= 100
    machine()
    with pytest.raises(BackendError, match="needs the prices of 'small'"):
        RemoteBackend(RemoteModel("small", server.url), budget=Budget(money=1))


def test_tries_without_an_answer_count_as_spent(machine: Callable[..., None]) -> None:
    machine(retries=1)
    with serving(passing(Fault(200, b'{"ch', JSON, length=99))) as server:
        asked = backend(server)
        list(asked.generate(requests()))
    answered = len(echo({"prompt": "ask 0", "temperature": 0.7, "seed": 128}).split())
    assert asked.spending.completion_tokens == 9 + answered


@pytest.mark.parametrize(
    ("environment", "options", "key"),
    [
        ({KEY_VARIABLE: SECRET}, {}, "none"),
        ({"MINE": SECRET}, {"keys": {"127.0.0.1": "MINE"}}, SECRET),
        ({"OPENAI_ORG_ID": SECRET, "OPENAI_PROJECT_ID": SECRET}, {}, "none"),
    ],
)
def test_a_key_goes_only_to_a_host_that_the_machine_names(
    machine: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    environment: dict[str, str],
    options: dict[str, Any],
    key: str,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    machine(**options)
    with serving() as server:
        made(server, requests())
    assert server.keys == {f"Bearer {key}"}
    assert SECRET not in str([] if key == SECRET else server.headers)


def test_the_address_of_the_environment_gets_its_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with serving() as server:
        monkeypatch.setenv(URL_VARIABLE, server.url)
        monkeypatch.setenv(KEY_VARIABLE, SECRET)
        running = RemoteBackend(RemoteModel("small"))
        list(running.generate(requests()))
    assert server.keys == {f"Bearer {SECRET}"}
    assert SECRET not in f"{running!r} {running} {running.__dict__['_endpoint']!r}"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[]", "must be a JSON object"),
        ('{"concurrencies": 2}', "'concurrencies' is not an option; did you mean 'concurrency'"),
        ('{"concurrency": 0}', "concurrency must be a whole number from 1 to 256"),
        ('{"timeout": "9"}', "timeout must be a number from 0.1 to 86400"),
        ('{"retries": 1.5}', "retries must be a whole number from 0 to 20"),
        ('{"retries": true}', "retries must be a whole number"),
        ('{"prices": {"small": 2}}', "prices must be two numbers a model"),
        ('{"prices": []}', "prices must be two numbers a model"),
        ('{"keys": ["a"]}', "keys must be hosts"),
        ('{"keys": {"127.0.0.1": "ABSENT"}}', "ABSENT, the key of 127.0.0.1, is not set"),
    ],
)
def test_options_of_the_machine_are_checked(
    monkeypatch: pytest.MonkeyPatch, text: str, words: str
) -> None:
    monkeypatch.setenv(VARIABLE, text)
    with pytest.raises(SpecError) as caught:
        RemoteBackend(RemoteModel("small", "http://127.0.0.1:9/v1"))
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254",
        "169.254.169.254.",
        "2852039166",
        "0xa9fea9fe",
        "0xA9.0xFE.0xA9.0xFE",
        "0251.0376.0251.0376",
        "169.254.43518",
        "１６９.254.169.254",
        "[fe80::1]",
        "[fe80::1%25eth0]",
        "[::ffff:169.254.169.254]",
        "[::ffff:a9fe:a9fe]",
        "[::a9fe:a9fe]",
        "[64:ff9b::a9fe:a9fe]",
        "[2002:a9fe:a9fe::]",
        "[fd00:ec2::254]",
        "100.100.100.200",
    ],
)
def test_link_local_addresses_are_refused(host: str) -> None:
    with pytest.raises(BackendError, match="not an API address"):
        RemoteBackend(RemoteModel("small", f"http://{host}/v1"))


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "[::1]", "localhost", "10.0.0.7", "192.168.1.2", "[fd12::7]", "a.example"]
)
def test_addresses_of_this_machine_and_its_network_are_not(host: str) -> None:
    assert RemoteBackend(RemoteModel("small", f"http://{host}:1/v1")).where.endswith(":1/v1")


def names(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Have names stand for these addresses, an answer for each look-up; returns what is asked."""
    asked: list[str] = []
    real, left = socket.getaddrinfo, [*answers]

    def lookup(host: Any, port: Any, *args: Any, **options: Any) -> Any:
        if not str(host).endswith(".test"):
            return real(host, port, *args, **options)
        asked.append(str(host))
        found = left.pop(0) if len(left) > 1 else left[0]
        return [row for each in found for row in real(each, port, *args, **options)]

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    return asked


@pytest.mark.parametrize(
    "address", ["169.254.169.254", "fe80::1", "::ffff:169.254.169.254", "100.100.100.200"]
)
def test_a_name_that_stands_for_a_refused_address(
    machine: Callable[..., None], monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    machine(retries=3)
    asked = names(monkeypatch, [address])
    remote = RemoteBackend(RemoteModel("small", "http://inside.test:1/v1"))
    with pytest.raises(BackendError, match=f"inside.test stands for {address}.* is refused"):
        list(remote.generate(requests(1)))
    assert 0 < len(asked) < 4  # Trying again would not help.


def test_a_name_is_looked_up_at_each_connection(
    machine: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    machine(concurrency=1)
    names(monkeypatch, ["127.0.0.1"], ["169.254.169.254"])
    with serving() as server:
        address = server.url.replace("127.0.0.1", "turns.test")
        assert len(list(RemoteBackend(RemoteModel("small", address)).generate(requests(1)))) == 1
        with pytest.raises(BackendError, match=r"turns\.test stands for 169\.254"):
            list(RemoteBackend(RemoteModel("small", address)).generate(requests(1)))
        assert len(server.asked) == 1
