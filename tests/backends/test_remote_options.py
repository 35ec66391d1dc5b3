"""What may be spent at an endpoint, and which key goes where."""

from __future__ import annotations

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


@pytest.mark.parametrize("host", ["169.254.169.254", "[fe80::1]"])
def test_link_local_addresses_are_refused(host: str) -> None:
    with pytest.raises(BackendError, match="not an API address"):
        RemoteBackend(RemoteModel("small", f"http://{host}/v1"))
