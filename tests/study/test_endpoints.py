"""Versions whose model is at an endpoint: run, resume, compare, sweep, chat, refusals."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from rich.console import Console
from tests.endpoints import Body, Fault, Server, echo, refusal, said, serving

from ethogram.backends import Budget
from ethogram.backends.endpoint import VARIABLE
from ethogram.errors import BackendError, ModelError, RequestError, SpecError
from ethogram.report.terminal import print_comparison, print_run
from ethogram.spec.space import parse_axis
from ethogram.study import Study, compare, run, sweep, trace
from ethogram.study.chatting import Chat

#: A direction, since fewer words are not better.
WORDS = ["words:higher"]


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, '{"retries": 1, "timeout": 30, "concurrency": 4}')


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as found:
        yield found


def write(folder: Path, name: str, text: str) -> None:
    (folder / f"versions/{name}.yaml").write_text(text, encoding="utf-8")


def study_at(folder: Path, url: str, prompts: int = 12, samples: int = 2) -> Path:
    """A study of two versions at an endpoint; the second is cooler."""
    for name in ("versions", "suites"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "study.yaml").write_text(
        f"name: far\nsamples: {samples}\nmetrics: [words, loop_rate]\n", encoding="utf-8"
    )
    rows = [json.dumps({"id": f"p{i}", "text": f"ask {i}"}) for i in range(prompts)]
    (folder / "suites/prompts.jsonl").write_text("\n".join(rows), encoding="utf-8")
    write(folder, "v0.1.0", f"model: openai:small\nbase_url: {url}\nprompt: {{chat: true}}\n")
    write(folder, "v0.1.1", "parent: v0.1.0\ndecoding: {temperature: 0.5}\n")
    return folder


def printed(show: object, result: object) -> str:
    console = Console(width=90, no_color=True)
    with console.capture() as capture:
        show(console, result)  # type: ignore[operator]
    return " ".join(capture.get().split())


def test_a_run_asks_for_each_output_once_and_says_what_it_spent(
    tmp_path: Path, server: Server
) -> None:
    with Study(study_at(tmp_path, server.url)) as study:
        first, again = run(study), run(study)
        texts = [output.text for output in study.outputs("v0.1.1")]
    assert (first.made, again.made, again.reused) == (48, 0, 48)
    assert len(server.asked) == 48
    assert all("at 0.5 and" in text for text in texts)
    assert len(set(texts)) == 24, "each sample has a seed of its own"
    words = printed(print_run, first)
    assert f"small at {server.url}: 96 prompt and " in words
    assert "48 outputs generated, 0 already stored." in words
    assert again.spent == []


def test_versions_have_seeds_of_their_own_and_the_comparison_says_so(
    tmp_path: Path, server: Server
) -> None:
    with Study(study_at(tmp_path, server.url)) as study:
        run(study)
        assert not study.coupled("v0.1.0", "v0.1.1")
        found = compare(study, "v0.1.0", "v0.1.1")
    assert len({body["seed"] for body in server.asked}) == 48
    assert found.differences[0].test.coupling.unknown
    words = printed(print_comparison, found)
    assert "v0.1.0 and v0.1.1 are at an endpoint: no common random numbers, no traces" in words
    assert found.to_json()["endpoint"] == found.endpoint


def test_a_comparison_of_local_versions_says_nothing_of_endpoints(tiny_study: Path) -> None:
    with Study(tiny_study) as study:
        run(study, ["v0.0.1", "v0.1.0"])
        assert compare(study, "v0.0.1", "v0.1.0").endpoint == ""


@pytest.mark.parametrize(
    "fault",
    [
        refusal(429),
        refusal(500),
        Fault(200, b"{oops", {"Content-Type": "application/json"}),
        Fault(200, b'{"ch', {"Content-Type": "application/json"}, length=99),
        Fault(200, b"<html>", {"Content-Type": "text/html"}),
        pytest.param(Fault(seconds=20.0), marks=pytest.mark.long),
    ],
    ids=["429", "500", "garbage", "cut", "html", "hang"],
)
def test_a_run_that_a_fault_stopped_goes_on_where_it_was(
    tmp_path: Path, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Only the server that hangs is to run into the time-out, however busy the machine is.
    patient, hasty = (json.dumps({"retries": 0, "timeout": each}) for each in (60, 3))
    monkeypatch.setenv(VARIABLE, hasty if fault.seconds else patient)
    answers, broken = count(), True

    def answer(body: Body) -> str | Fault:
        return fault if broken and next(answers) >= 10 else echo(body)

    with serving(answer) as server, Study(study_at(tmp_path, server.url)) as study:
        with pytest.raises(BackendError) as caught:
            run(study)
        assert str(caught.value).startswith(server.url)
        wanted = study.identities("v0.1.0") + study.identities("v0.1.1")
        assert len(wanted) - len(study.store.missing(wanted)) == 10
        broken = False
        monkeypatch.setenv(VARIABLE, patient)
        asked = len(server.asked)
        assert run(study).made == 38
        assert len(server.asked) == asked + 38


def test_a_budget_ends_a_run_and_a_larger_one_goes_on(tmp_path: Path, server: Server) -> None:
    with Study(study_at(tmp_path, server.url)) as study:
        with pytest.raises(BackendError, match="token budget of 300 is used up"):
            run(study, budget=Budget(tokens=300))
        asked = len(server.asked)
        assert 0 < asked < 48
        assert run(study, budget=Budget(tokens=10_000)).made == 48 - asked


def test_a_sweep_tries_settings_of_an_endpoint(tmp_path: Path, server: Server) -> None:
    with Study(study_at(tmp_path, server.url, prompts=40, samples=1)) as study:
        found = sweep(
            study,
            "v0.1.0",
            [parse_axis("decoding.temperature=0.3,0.9")],
            objectives=WORDS,
            racing=False,
        )
        assert len(found.trials) == 2
        with pytest.raises(RequestError, match="OpenAI's API has no min-p"):
            sweep(
                study, "v0.1.0", [parse_axis("decoding.min_p=0.1,0.2")], objectives=["words:higher"]
            )
    assert {0.3, 0.9} <= {body["temperature"] for body in server.asked}


def test_a_chat_streams_and_keeps_the_conversation(tmp_path: Path, server: Server) -> None:
    pieces: list[str] = []
    with Study(study_at(tmp_path, server.url)) as study:
        chat = Chat(study, "v0.1.0")
        chat.set("temperature", 0.2)
        first = chat.say("hello", pieces.append).generation.text
        second = chat.say("more", pieces.append).generation.text
        with pytest.raises(RequestError, match="cannot trace"):
            chat.why()
    assert "".join(pieces) == first + second
    assert len(pieces) == len(first + second)
    assert [each["content"] for each in server.asked[1]["messages"]] == ["hello", first, "more"]
    assert server.asked[1]["temperature"] == 0.2


def test_guards_and_a_retry_work_on_replies_of_an_endpoint(tmp_path: Path) -> None:
    empty = {"ask 3", "ask 5"}

    def answer(body: Body) -> str:
        return "" if said(body) in empty and body["temperature"] == 1.0 else "One. Two. Three."

    with serving(answer) as server, Study(study_at(tmp_path, server.url, samples=1)) as study:
        write(
            tmp_path,
            "v0.2.0",
            "parent: v0.1.0\nwrapper: {most_sentences: 2, retry: {decoding: {temperature: 0.4}}}\n",
        )
        study = Study(tmp_path)
        assert run(study, "v0.2.0").made == 12
        assert {output.text for output in study.outputs("v0.2.0")} == {"One. Two."}
        study.close()
    assert len(server.asked) == 14


def test_what_needs_the_weights_is_refused(tmp_path: Path, server: Server) -> None:
    with Study(study_at(tmp_path, server.url)) as study:
        with pytest.raises((SpecError, RequestError), match="cannot trace"):
            trace(study, "v0.1.0", "p1")
        with pytest.raises(ModelError, match="is at an endpoint, so its weights are not here"):
            study.model_reference("v0.1.0")
    assert not server.asked


def test_no_key_is_stored(tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = "sk-very-secret-0123456789"
    monkeypatch.setenv("MINE", secret)
    monkeypatch.setenv(VARIABLE, '{"keys": {"127.0.0.1": "MINE"}}')
    with Study(study_at(tmp_path, server.url)) as study:
        run(study)
    assert server.keys == {f"Bearer {secret}"}
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if secret.encode() in path.read_bytes()]
