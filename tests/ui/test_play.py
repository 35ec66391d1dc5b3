"""The playground: lanes are what `run` would make, every setting can be saved, nothing is lost."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.ui.browser import Watch, chromium
from tests.ui.conftest import serving
from tests.ui.test_jobs import ended

from ethogram.arena import rank
from ethogram.spec import Decoding
from ethogram.spec.setting import leaves, value_of
from ethogram.store import Votes
from ethogram.study import Study, run
from ethogram.ui.app import make_api
from ethogram.ui.context import Context

#: A value of each setting of the decoding that is not its default, and what must go with it.
FIELDS: dict[str, tuple[Any, dict[str, Any]]] = {
    "strategy": ("greedy", {}),
    "order": ("vllm", {}),
    "temperature": (0.55, {}),
    "top_k": (17, {}),
    "top_p": (0.35, {}),
    "min_p": (0.15, {}),
    "typical_p": (0.85, {}),
    "epsilon_cutoff": (0.002, {}),
    "eta_cutoff": (0.003, {}),
    "top_n_sigma": (1.5, {}),
    "top_h": (0.4, {}),
    "xtc.probability": (0.5, {}),
    "xtc.threshold": (0.2, {}),
    "mirostat.tau": (3.5, {}),
    "mirostat.eta": (0.2, {}),
    "repetition_penalty": (1.15, {}),
    "frequency_penalty": (0.25, {}),
    "presence_penalty": (-0.5, {}),
    "dry.multiplier": (0.8, {}),
    "dry.base": (1.5, {}),
    "dry.allowed_length": (3, {}),
    "dry.penalty_last_n": (-1, {}),
    "dry.sequence_breakers": (["\n", "."], {}),
    "no_repeat_ngram_size": (4, {}),
    "logit_bias": ({"5": -3.5}, {}),
    "bad_words": (["sea"], {}),
    "min_new_tokens": (2, {}),
    "guidance_scale": (1.5, {}),
    "negative_prompt": ("a letter", {"guidance_scale": 1.5}),
    "contrastive.amateur": ("smollm2-135m-instruct", {}),
    "contrastive.alpha": (0.2, {"contrastive.amateur": "smollm2-135m-instruct"}),
    "contrastive.beta": (0.5, {"contrastive.amateur": "smollm2-135m-instruct"}),
    "contrastive.amateur_temperature": (
        0.5,
        {"contrastive.amateur": "smollm2-135m-instruct"},
    ),
    "dola_layers": ("low", {}),
    "max_new_tokens": (9, {}),
    "stop": (["\n"], {}),
    "stop_token_ids": ([7], {}),
    "forced_tokens": ([9], {}),
    "num_beams": (3, {"strategy": "beam"}),
    "length_penalty": (0.6, {"strategy": "beam", "num_beams": 3}),
    "early_stopping": (True, {"strategy": "beam", "num_beams": 3}),
    "penalty_alpha": (0.6, {"strategy": "contrastive", "top_k": 4}),
    "best_of": (2, {}),
    "best_of_by": ("total", {"best_of": 2}),
    "self_consistency": (3, {}),
    "answer": ("text", {"self_consistency": 3}),
    "answer_pattern": ("is (.*)", {"self_consistency": 3, "answer": "pattern"}),
    "prompt_lookup_num_tokens": (5, {}),
    "max_matching_ngram_size": (3, {}),
    "response_format": ({"type": "json_object"}, {}),
}
NAMES = [name for name, _ in leaves(Decoding)]


@pytest.fixture
def context(tiny_study: Path) -> Iterator[Context]:
    made = Context(tiny_study)
    yield made
    made.close()


@pytest.fixture
def client(context: Context) -> TestClient:
    return TestClient(make_api(context), raise_server_exceptions=False)


def played(client: TestClient, context: Context, **body: Any) -> Any:
    made = client.post("/api/play", json=body)
    assert made.status_code == 200, made.text
    return ended(context.jobs, made.json()["id"])


def test_a_setting_without_effect_is_refused_before_it_is_saved(
    client: TestClient, context: Context, tiny_study: Path
) -> None:
    lane = {"version": "v0.0.1", "settings": {"decoding.temperature": 0.7}}
    greedy = {**lane, "lines": "decoding.strategy=greedy"}
    saved = client.post("/api/play/version", json={**greedy, "name": "v0.0.2"})
    assert saved.status_code == 200, saved.text
    child = {"version": "v0.0.2", "settings": {"decoding.temperature": 0.9}}
    refused = client.post("/api/play/version", json={**child, "name": "v0.0.3"})
    assert "has no effect under the inherited strategy greedy" in refused.json()["error"]
    assert not (tiny_study / "versions/v0.0.3.yaml").exists()
    job = played(client, context, lanes=[child], text="the sea").job
    assert "has no effect" in job.words
    assert client.get("/api/log").status_code == 200


def test_the_page_knows_prompts_and_what_sampling_needs(client: TestClient) -> None:
    asked = {"version": "v0.1.0", "prompt": "p1"}
    with_text = client.get("/api/play/prompt", params=asked).json()["text"]
    assert with_text
    refused = client.get("/api/play/prompt", params={**asked, "prompt": "p99"})
    assert "no prompt 'p99'" in refused.json()["error"]
    settings = client.get("/api/play").json()["settings"]
    needs = {one["name"] for one in settings if one["needs_sampling"]}
    assert {"temperature", "top_p", "xtc.threshold"} <= needs
    assert not {"repetition_penalty", "max_new_tokens", "strategy"} & needs


def test_lanes_are_what_a_run_makes(client: TestClient, context: Context, tiny_study: Path) -> None:
    lanes: list[dict[str, Any]] = [
        {"version": "v0.0.1"},
        {"version": "v0.1.0"},
        {"version": "v1.0.0"},
        {
            "version": "v0.0.1",
            "settings": {"decoding.num_beams": 2},
            "lines": "decoding.strategy=beam",
        },
    ]
    detail = played(client, context, lanes=lanes, prompt="p2")
    assert detail.job.state == "done", detail.job.words
    by_lane = {row["lane"]: row for row in detail.rows}
    assert sorted(by_lane) == [0, 1, 2, 3]
    with Study(tiny_study) as study:
        run(study)
        for number, version in enumerate(("v0.0.1", "v0.1.0", "v1.0.0")):
            made = next(
                one
                for one in study.generations(version)
                if (one.prompt_id, one.sample_index) == ("p2", 0)
            )
            assert by_lane[number]["text"] == made.text == detail.lanes[str(number)]
            assert by_lane[number]["tokens"] == len(made.token_ids)


def test_the_same_randomness_and_another(client: TestClient, context: Context) -> None:
    lanes = [{"version": "v0.1.0"}, {"version": "v0.1.0", "settings": {}}]
    texts = [
        played(client, context, lanes=lanes, text="the sea", draw=draw).lanes for draw in (0, 1, 0)
    ]
    assert texts[0] == texts[2]
    assert texts[0]["0"] == texts[0]["1"]
    assert texts[1]["0"] == texts[1]["1"] != texts[0]["0"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"lanes": []}, "0 lanes"),
        ({"lanes": [{"version": "v0.1.0"}] * 5}, "5 lanes"),
        ({"lanes": [{"version": "v9.9.9"}]}, "v9.9.9"),
        ({"lanes": [{"version": "v0.1.0"}], "text": " "}, "prompt is empty"),
        ({"lanes": [{"version": "v0.1.0"}], "prompt": "p99"}, "no prompt 'p99'"),
        (
            {"lanes": [{"version": "v0.1.0", "settings": {"decoding.temperature": -1}}]},
            "temperature",
        ),
    ],
)
def test_mistakes_are_one_line(
    client: TestClient, context: Context, body: dict[str, Any], words: str
) -> None:
    detail = played(
        client, context, **{"text": "the sea", **body} if "prompt" not in body else body
    )
    assert detail.job.state == "failed"
    assert words in detail.job.words


def test_every_setting_is_shown_with_what_it_does(client: TestClient) -> None:
    view = client.get("/api/play").json()
    assert [one["name"] for one in view["settings"]] == NAMES
    assert all(one["about"] for one in view["settings"])
    values = view["versions"][1]["values"]
    assert values["decoding.temperature"] == 1.1
    assert values["decoding.top_p"] == 0.9


def test_the_table_of_fields_is_whole() -> None:
    assert sorted(FIELDS) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_field_is_saved_in_the_child_version(
    client: TestClient, tiny_study: Path, name: str
) -> None:
    value, others = FIELDS[name]
    settings = {f"decoding.{field}": one for field, one in {**others, name: value}.items()}
    body = {"version": "v0.1.0", "settings": settings, "name": "v0.2.0", "title": "Mine"}
    made = client.post("/api/play/version", json=body)
    assert made.status_code == 200, made.text
    with Study(tiny_study) as study:
        child, parent = study.versions["v0.2.0"], study.versions["v0.1.0"]
        assert (child.title, child.parent) == ("Mine", "v0.1.0")
        saved = json.loads(json.dumps(value_of(child.decoding, name)))
        assert saved == value
        assert saved != json.loads(json.dumps(value_of(parent.decoding, name)))


def test_fields_beside_the_decoding_are_saved_too(client: TestClient, tiny_study: Path) -> None:
    lines = "prompt.system=Be brief.\nwrapper.whole_sentences=true\n"
    body = {"version": "v1.0.0", "lines": lines, "name": "v1.1.0"}
    assert client.post("/api/play/version", json=body).status_code == 200
    with Study(tiny_study) as study:
        child = study.versions["v1.1.0"]
        assert child.prompt.system == "Be brief."
        assert child.wrapper.whole_sentences


def test_a_text_is_added_to_the_suite_once(client: TestClient, tiny_study: Path) -> None:
    body = {"version": "v0.1.0", "id": "new", "text": "line one\nline two"}
    assert client.post("/api/play/prompt", json=body).json() == {"file": "prompts.jsonl"}
    with Study(tiny_study) as study:
        assert study.suite("v0.1.0").prompts[-1].as_text() == "line one\nline two"
    assert "already has a prompt" in client.post("/api/play/prompt", json=body).json()["error"]
    empty = {**body, "id": "other", "text": ""}
    assert client.post("/api/play/prompt", json=empty).status_code == 400


def test_a_stopped_job_keeps_its_text(
    client: TestClient, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = threading.Event()

    def endless(*_: Any, on_text: Callable[[int, str], None], **__: Any) -> None:
        while True:
            on_text(0, "word ")
            begun.set()
            time.sleep(0.001)

    monkeypatch.setattr("ethogram.ui.views.play.play", endless)
    made = client.post("/api/play", json={"lanes": [{"version": "v0.1.0"}], "text": "x"}).json()
    assert begun.wait(20)
    client.post(f"/api/jobs/{made['id']}/stop", json={})
    detail = ended(context.jobs, made["id"])
    assert detail.job.state == "stopped"
    assert detail.lanes["0"].startswith("word word")


def sent(client: TestClient, context: Context, **body: Any) -> Any:
    """The answer to sending the outputs of lanes to the arena."""
    detail = played(client, context, **body)
    assert detail.job.state == "done", detail.job.words
    return detail, client.post("/api/play/arena", json={"job": detail.job.id})


TWO_LANES = [
    {"version": "v0.0.1"},
    {"version": "v0.1.0", "settings": {"decoding.temperature": 1.9}},
]


@pytest.mark.parametrize("asked", [{"text": "the <b>sea</b>"}, {"prompt": "p2", "draw": 1}])
def test_outputs_sent_to_the_arena_are_voted_on_blind_and_once(
    client: TestClient, context: Context, tiny_study: Path, asked: dict[str, Any]
) -> None:
    detail, answer = sent(client, context, lanes=TWO_LANES, **asked)
    names = answer.json()["names"]
    assert [name.rsplit(":", 2)[1:] for name in names] == [["1", "v0.0.1"], ["2", "v0.1.0"]]
    body = {"versions": names, "voter": "ann"}
    again = Context(tiny_study)  # A server that was started after.
    try:
        turn = TestClient(make_api(again)).post("/api/arena/next", json=body).json()
    finally:
        again.close()
    pair = client.post("/api/arena/next", json=body).json()["pair"]
    assert pair == turn["pair"]
    with Study(tiny_study) as study:
        texts = {item.id: item.as_text() for item in study.suite("v0.0.1").prompts}
    assert pair["prompt"] == asked.get("text", texts.get(asked.get("prompt", "")))
    assert {pair["left"], pair["right"]} == set(detail.lanes.values())
    assert not any(name in json.dumps(turn) for name in ("v0.0.1", "v0.1.0", *names))
    vote = {**body, "ticket": pair["ticket"], "choice": "left"}
    assert client.post("/api/arena/vote", json=vote).json() == {
        "pair": None,
        "refused": "",
        "standing": None,
    }
    refused = client.post("/api/arena/vote", json={**vote, "choice": "right"}).json()
    assert "has a vote already" in refused["refused"]
    found = client.get("/api/arena/ranking", params={"versions": names}).json()
    assert sorted((each["wins"], each["losses"]) for each in found["ratings"]) == [(0, 1), (1, 0)]
    with Study(tiny_study) as study:  # In no version's rating, and no output of a version.
        assert [each.choice for each in Votes(study.store).all()] == ["left"]
        run(study)
        assert rank(study, ["v0.0.1", "v0.1.0"]).votes == 0


def test_what_cannot_be_voted_on_is_refused_in_one_line(
    client: TestClient, context: Context
) -> None:
    _, one = sent(client, context, lanes=TWO_LANES[:1], text="the sea")
    _, equal = sent(client, context, lanes=TWO_LANES[:1] * 2, text="the sea")
    gone = client.post("/api/play/arena", json={"job": "none"})
    stored_no_more = client.post(
        "/api/arena/next", json={"versions": ["played:1:1:v", "played:2:2:v"], "voter": "ann"}
    )
    words = ("two lanes", "same texts", "generate them again", "not stored any more")
    for answer, said in zip((one, equal, gone, stored_no_more), words, strict=True):
        assert answer.status_code == 400
        assert said in answer.json()["error"]


@pytest.mark.browser
@pytest.mark.long
def test_reload_and_lost_connection_lose_nothing_of_a_long_stream(
    tiny_study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """10 000 tokens on two lanes; meanwhile the page is reloaded, left, and cut off."""
    wanted = "".join(f"{number} " for number in range(10_000))

    def long(*_: Any, on_text: Callable[[int, str], None], **__: Any) -> None:
        for number in range(10_000):
            for lane in (0, 1):
                on_text(lane, f"{number} ")
            time.sleep(0.0008)

    monkeypatch.setattr("ethogram.ui.views.play.play", long)
    with serving(tiny_study) as server, chromium() as browser:
        page = browser.new_page()
        watch = Watch(page, server.url)
        page.goto(server.address)
        page.get_by_role("heading").first.wait_for()
        page.goto(f"{server.url}/#/play?text=count")
        page.get_by_role("button", name="Generate").press("Enter")
        first = page.get_by_label("Lane 1").locator(".whole")
        first.get_by_text("400 ").wait_for()
        page.reload()
        first.get_by_text("1200 ").wait_for()
        page.keyboard.press("1")
        page.get_by_role("heading", name="Tiny").wait_for()
        page.go_back()
        first.get_by_text("2000 ").wait_for()
        page.context.set_offline(True)
        time.sleep(0.6)
        page.context.set_offline(False)
        page.get_by_role("button", name="Stop").wait_for(state="detached", timeout=60_000)
        for lane in ("Lane 1", "Lane 2"):
            assert page.get_by_label(lane).locator(".whole").text_content() == wanted
        assert [one for one in watch.problems if "INTERNET_DISCONNECTED" not in one] == []
