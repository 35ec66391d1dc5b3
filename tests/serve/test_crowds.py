"""Many clients at once: who leaves frees its rows, and nobody else notices."""

from __future__ import annotations

import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import openai
import pytest
from tests.serve.conftest import serving
from tests.serve.test_behaviours import TURN, post

from ethogram.engine.live import Chosen, LiveBatch
from ethogram.serve.loop import EngineLoop, Row
from ethogram.serve.server import Server
from ethogram.serve.service import Limits
from ethogram.study import Study


def idle(loop: EngineLoop, seconds: float = 5.0) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if loop.rows == 0 and loop.running == 0:
            return True
        time.sleep(0.005)
    return False


@pytest.fixture
def steps_until_free(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many steps ended between each client's leaving and its row's release."""
    step, cancel, leave = LiveBatch.step, EngineLoop.cancel, LiveBatch.cancel
    steps, asked, found = [0], dict[str, int](), list[int]()

    def counted(live: LiveBatch) -> list[Chosen]:
        chosen = step(live)
        steps[0] += 1
        return chosen

    def noted(loop: EngineLoop, rows: Sequence[Row]) -> None:
        asked.update({row.ticket: steps[0] for row in rows})
        cancel(loop, rows)

    def left(live: LiveBatch, ticket: str) -> None:
        found.append(steps[0] - asked[ticket])
        leave(live, ticket)
        running = [each for group in live._batch.slots.groups() for each in group.outputs]
        assert all(each.job.request.identity != ticket for each in running)

    monkeypatch.setattr(LiveBatch, "step", counted)
    monkeypatch.setattr(EngineLoop, "cancel", noted)
    monkeypatch.setattr(LiveBatch, "cancel", left)
    return found


def test_a_third_of_the_clients_leaves_and_the_others_have_their_bits(
    client: openai.OpenAI, server: Server, steps_until_free: list[int]
) -> None:
    [loop] = server.service.loops.values()
    names = ["v0.0.1", "v0.1.0", "v1.0.0", "v1.1.0", "v1.2.0"]
    asked: list[Any] = [
        {
            "model": names[number % len(names)],
            "messages": [{"role": "user", "content": f"the sea wrote {number}"}],
            "seed": number,
            "stream": True,
            # Bits of the model's own scores, where the version streams them.
            "logprobs": names[number % len(names)] not in ("v1.1.0", "v1.2.0"),
        }
        for number in range(30)
    ]

    def text(number: int, leaves_after: int | None = None) -> str:
        said, scores = "", list[str]()
        with client.chat.completions.create(**asked[number]) as stream:
            for count, chunk in enumerate(stream):
                if leaves_after is not None and count >= leaves_after:
                    return said
                said += chunk.choices[0].delta.content or ""
                told = chunk.choices[0].logprobs
                scores += [each.logprob.hex() for each in (told and told.content) or []]
        assert bool(scores) == asked[number]["logprobs"]
        return said + "".join(scores)

    alone = [text(number) for number in range(len(asked))]
    chance = random.Random(3)
    leaving = {number: chance.randint(0, 5) for number in range(0, len(asked), 3)}
    order = list(range(len(asked)))
    chance.shuffle(order)
    with ThreadPoolExecutor(15) as threads:
        crowd = dict(
            zip(order, threads.map(lambda each: text(each, leaving.get(each)), order), strict=True)
        )
    for number, said in crowd.items():
        if number not in leaving:
            assert said == alone[number]
        else:
            assert alone[number].startswith(said)
    assert idle(loop)
    assert steps_until_free
    assert max(steps_until_free) <= 1


@pytest.mark.parametrize("name", ["v0.1.0", "v1.1.0", "v1.2.0"])
@pytest.mark.parametrize("stream", [True, False])
def test_a_client_that_leaves_frees_its_rows(server: Server, name: str, stream: bool) -> None:
    [loop] = server.service.loops.values()
    body = (
        f'{{"model": "{name}", "messages": [{{"role": "user", "content": "a"}}], "n": 8, '
        f'"max_tokens": 150, "stream": {str(stream).lower()}}}'
    )
    with socket.create_connection(server.socket.getsockname()[:2]) as connection:
        connection.sendall(
            b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n"
            b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n"
            % len(body)
            + body.encode()
        )
        until = time.monotonic() + 60
        while not loop.rows and time.monotonic() < until:
            time.sleep(0.001)
        assert loop.rows
    assert idle(loop)
    assert post(server, "/v1/chat/completions", TURN)[0] == 200


def test_a_time_out_ends_a_request(study: Study) -> None:
    with serving(study, Limits(timeout=0.001), names=["v0.1.0"]) as made:
        status, headers, _ = post(made, "/v1/completions", {"model": "v0.1.0", "prompt": "a b"})
        assert (status, headers["x-should-retry"]) == (408, "false")
        streamed = {"model": "v0.1.0", "prompt": "a b", "stream": True}
        status, _, raw = post(made, "/v1/completions", streamed)
        assert status == 200
        *_, error, done, rest = raw.split(b"\n\n")
        assert b'"code":"timeout"' in error
        assert (done, rest) == (b"data: [DONE]", b"")
        [loop] = made.service.loops.values()
        assert idle(loop)


def test_running_requests_finish_when_the_server_stops(study: Study) -> None:
    said: list[str] = []
    began = threading.Event()

    def follow(url: str) -> None:
        with openai.OpenAI(base_url=f"{url}/v1", api_key="-", max_retries=0) as client:
            stream = client.completions.create(
                model="v0.1.0", prompt="a b", max_tokens=100, seed=1, stream=True, n=4
            )
            for chunk in stream:
                began.set()
                said.extend(each.finish_reason for each in chunk.choices if each.finish_reason)

    with serving(study, names=["v0.1.0"]) as made:
        follower = threading.Thread(target=follow, args=(made.url,))
        follower.start()
        assert began.wait(30)
    follower.join(30)
    assert len(said) == 4


def test_one_request_does_not_starve_another(study: Study) -> None:
    with (
        serving(study, Limits(max_rows=2), names=["v0.1.0"]) as made,
        openai.OpenAI(base_url=f"{made.url}/v1", api_key="-", max_retries=0) as client,
    ):
        ended: list[str] = []

        def ask(name: str, n: int) -> None:
            client.completions.create(model="v0.1.0", prompt="a b", n=n, max_tokens=60)
            ended.append(name)

        many = threading.Thread(target=ask, args=("many", 40))
        many.start()
        [loop] = made.service.loops.values()
        while not loop.running:
            time.sleep(0.001)
        ask("one", 1)
        many.join(60)
        assert ended == ["one", "many"]


def start(folder: Path, *versions: str) -> tuple[subprocess.Popen[str], str]:
    """The command in a process of its own, and its URL."""
    command = [sys.executable, "-c", "from ethogram.cli import main; main()", "serve", *versions]
    process = subprocess.Popen(
        [*command, "-C", str(folder), "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith(f"Serving {versions[0]} at http://127.0.0.1:")
    return process, line.rpartition(" at ")[2].strip()


@pytest.mark.fault("SIGKILL of a server that stores")
@pytest.mark.long
@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_what_was_stored_is_whole_after_a_kill(folder: Path, tmp_path: Path) -> None:
    own = Path(shutil.copytree(folder, tmp_path / "study"))
    process, url = start(own, "v1.0.0")
    texts: dict[int, str] = {}

    def ask(url: str, seed: int, **more: Any) -> tuple[str, str]:
        asked: Any = {**TURN, "max_tokens": 120, "seed": seed, **more}
        with openai.OpenAI(base_url=url, api_key="-", max_retries=0) as client:
            raw = client.chat.completions.with_raw_response.create(**asked)
            return raw.headers["x-ethogram-generation"], raw.parse().choices[0].message.content

    identities: dict[int, str] = {}

    def keep(seed: int) -> None:
        with suppress(openai.APIError):
            identities[seed], texts[seed] = ask(url, seed, store=True)

    with ThreadPoolExecutor(6) as threads:
        waiting = [threads.submit(keep, seed) for seed in range(200)]
        until = time.monotonic() + 60
        while len(texts) < 8 and time.monotonic() < until:
            time.sleep(0.001)
        process.kill()
        for each in waiting:
            each.cancel()
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    assert 8 <= len(texts) < 200
    with Study(own) as study:
        stored = study.store.get(list(identities.values()))
        assert {seed: stored[identities[seed]].text for seed in texts} == texts
    process, url = start(own, "v1.0.0")
    try:
        for seed in sorted(texts)[-3:]:
            assert ask(url, seed) == (identities[seed], texts[seed])
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_the_command_prints_its_url_and_ends_at_a_signal(folder: Path, number: int) -> None:
    process, _ = start(folder, "v0.0.1")
    try:
        process.send_signal(number)
        _, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 0, err
    assert "Traceback" not in err
