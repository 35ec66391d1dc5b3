"""The routes of sweeps: list, one sweep, charts, outputs, start, stop, promote."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.ui.conftest import HOST, HOSTILE, TOKEN
from tests.ui.swept import AXES, BASE, copied

from ethogram.store import Sweeps
from ethogram.study import Study
from ethogram.study.sweeping.stored import read_sweep
from ethogram.ui.app import make_app
from ethogram.ui.context import Context

pytestmark = pytest.mark.long


@pytest.fixture
def swept(swept_folder: Path, tmp_path: Path) -> Path:
    return copied(swept_folder, tmp_path / "swept")


@pytest.fixture
def page(swept: Path) -> Iterator[TestClient]:
    context = Context(swept)
    app = make_app(context, token=TOKEN, hosts=[HOST])
    client = TestClient(app, base_url=f"http://{HOST}", raise_server_exceptions=False)
    assert client.post("/api/session", json={"token": TOKEN}).status_code == 204
    yield client
    context.close()


def ask(page: TestClient, path: str, **query: Any) -> Any:
    answer = page.get(f"/api/sweeps{path}", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def refused(answer: Any) -> str:
    assert answer.status_code == 400, answer.text
    words: str = answer.json()["error"]
    assert "\n" not in words
    return words


def ended(page: TestClient, job: str) -> Any:
    until = time.monotonic() + 120
    while time.monotonic() < until:
        detail = page.get(f"/api/jobs/{job}").json()
        if detail["job"]["state"] != "running":
            return detail
        time.sleep(0.05)
    raise AssertionError("the job did not end")


def test_the_list_has_the_newest_first_and_says_how_each_ended(page: TestClient) -> None:
    view = ask(page, "")
    assert [(each["id"], each["state"]) for each in view["sweeps"]] == [(2, "stopped"), (1, "done")]
    assert "Ended early: interrupted. 3 settings, 1 round" in view["sweeps"][0]["sentence"]
    (version,) = view["versions"]
    assert version["goals"] == ["rep_4", "prompt_similarity"]
    assert "decoding.temperature" in view["fields"]


def test_the_palette_finds_sweeps_by_what_varies(page: TestClient) -> None:
    hits = page.get("/api/search", params={"q": " of v0.1.0"}).json()
    lines = {str(each["id"]): each["title"] for each in ask(page, "")["sweeps"]}
    assert {hit["id"]: hit["name"] for hit in hits if hit["kind"] == "sweep"} == lines


def test_a_sweep_has_the_numbers_of_the_stored_one(page: TestClient, swept: Path) -> None:
    found = ask(page, "/1")
    with Study(swept) as study:
        stored = read_sweep(study, 1)
    assert stored.result is not None
    assert found["chosen"] == stored.result.chosen == found["trials"][0]["name"]
    assert found["trials"][0]["fate"] == "chosen"
    fates = {each["name"]: each["fate"] for each in found["trials"]}
    assert {name for name, fate in fates.items() if fate in ("chosen", "front")} == {
        trial.name for trial in stored.result.front
    }
    lost = {trial.name for trial in stored.result.eliminated}
    assert lost == {name for name, fate in fates.items() if fate == "eliminated"}
    assert lost == {each["name"] for round_ in found["rounds"] for each in round_["eliminated"]}
    assert lost
    assert [each["metric"] for each in found["holdout"]] == ["words", "tokens"]
    for each, item in zip(found["holdout"], stored.result.holdout.differences, strict=True):  # type: ignore[union-attr]
        assert each["estimate"] == pytest.approx(item.estimate)
        assert each["verdict"] == item.verdict
    assert [axis["labels"] for axis in found["axes"]] == [["2", "4", "20"], ["0.5", "1.5"]]
    assert found["again"]["goals"] == ["words:higher", "tokens:higher"]
    assert "[" in found["trials"][0]["against"]["words"]


def test_the_heat_map_shows_the_stored_values_as_chart_and_as_table(
    page: TestClient, swept: Path
) -> None:
    x, y = (axis.partition("=")[0] for axis in AXES)
    heat = ask(page, "/1/heat", x=x, y=y, metric="words")
    assert heat["columns"] == ["2", "4", "20"]
    assert [row[0] for row in heat["rows"]] == ["0.5", "1.5"]
    with Study(swept) as study:
        stored = read_sweep(study, 1)
    values = {each.name: each.values["words"] for each in stored.trials}
    drawn = heat["spec"]["data"]["values"] if "data" in heat["spec"] else _data(heat["spec"])
    assert {each["setting"]: each["value"] for each in drawn} == pytest.approx(values)
    assert {cell["setting"] for _, cells in heat["rows"] for cell in cells} == set(values)
    folded = ask(page, "/1/heat", x=x, metric="words")
    (row,) = folded["rows"]
    assert [cell["settings"] for cell in row[1]] == [2, 2, 2]
    for cell, tokens in zip(row[1], (2, 4, 20), strict=True):
        rivals = [t for t in stored.trials if dict(t.setting.values)[x] == tokens]
        assert values[cell["setting"]] == max(values[each.name] for each in rivals)
    one = ask(page, "/1/heat", x=x, metric="words", fixed=[f"{y}=1.5"])
    assert [cell["settings"] for cell in one["rows"][0][1]] == [1, 1, 1]


def _data(spec: Any) -> Any:
    return spec["layer"][0]["data"]["values"]


def test_other_metrics_than_objectives_can_be_shown(page: TestClient) -> None:
    found = ask(page, "/1")
    other = next(each["name"] for each in found["metrics"] if not each["objective"])
    heat = ask(page, "/1/heat", x="decoding.max_new_tokens", metric=other)
    assert all(cell["value"] for cell in heat["rows"][0][1])
    for kind, query in (
        ("front", {"x": "words", "y": other}),
        ("parallel", {"metrics": ["words", other]}),
        ("race", {"metric": "words"}),
    ):
        chart = ask(page, f"/1/{kind}", **query)
        text = json.dumps({key: one for key, one in chart["spec"].items() if key != "$schema"})
        assert "http" not in text
        assert chart["words"]


@pytest.mark.parametrize(
    ("path", "query", "words"),
    [
        ("/9", {}, "no sweep 9"),
        ("/1/heat", {"x": "decoding.top_p", "metric": "words"}, "does not vary"),
        ("/1/heat", {"x": "decoding.temperature", "metric": "wrods"}, "not a metric"),
        ("/1/race", {"metric": "rep_4"}, "only objectives"),
        ("/1/parallel", {"metrics": []}, "metrics"),
        ("/1/samples", {"setting": "v9"}, "no setting"),
        ("/1/samples", {"setting": f"{BASE}+01", "limit": 1000}, "limit"),
    ],
)
def test_wrong_addresses_are_refused_in_one_line(
    page: TestClient, path: str, query: dict[str, Any], words: str
) -> None:
    assert words in refused(page.get(f"/api/sweeps{path}", params=query))


def test_outputs_of_a_setting_come_in_pages_beside_the_parents(page: TestClient) -> None:
    chosen = ask(page, "/1")["chosen"]
    whole = ask(page, "/1/samples", setting=chosen, limit=50)
    pages = [
        row
        for offset in range(0, whole["total"], 3)
        for row in ask(page, "/1/samples", setting=chosen, offset=offset, limit=3)["rows"]
    ]
    assert pages == whole["rows"]
    assert whole["missing"] == ""
    assert all(row["parent"] for row in whole["rows"])
    for row in whole["rows"]:
        assert sorted(at for each in row["outputs"] for at in each["indices"]) == [0, 1]
    texts = {each["output"]["text"] for row in whole["rows"] for each in row["outputs"]}
    assert texts <= set(HOSTILE)
    assert HOSTILE[0] in {
        each["output"]["text"]
        for row in whole["rows"]
        for each in (*row["outputs"], *row["parent"])
    }


def test_after_an_edit_of_the_parent_its_outputs_are_left_out(
    page: TestClient, swept: Path
) -> None:
    path = swept / f"versions/{BASE}.yaml"
    path.write_text(path.read_text().replace("temperature: 1.1", "temperature: 1.2"))
    chosen = ask(page, "/1")["chosen"]
    found = ask(page, "/1/samples", setting=chosen)
    assert "was edited since" in found["missing"]
    assert found["rows"][0]["outputs"]
    body = {"setting": chosen, "name": "v9.0.0", "force": True}
    assert "was edited since" in refused(page.post("/api/sweeps/1/promote", json=body))


def test_pruned_outputs_are_said_to_be_missing_and_the_rest_stays(
    page: TestClient, swept: Path
) -> None:
    from ethogram.study.store_care import check_store, prune_store

    before = ask(page, "/1")
    with Study(swept) as study:
        assert prune_store(study, delete=True).generations > 0
        assert check_store(study).holds
    assert ask(page, "/1") == before
    answer = page.get("/api/sweeps/1/samples", params={"setting": before["chosen"]})
    assert "do the sweep again" in refused(answer)


def test_a_setting_becomes_a_version_and_a_doubt_has_to_be_set_aside(
    page: TestClient, swept: Path
) -> None:
    found = ask(page, "/1")
    last = found["trials"][-1]
    assert "eliminated" in last["doubt"]
    body = {"setting": last["name"], "name": found["next_version"]}
    assert "eliminated" in refused(page.post("/api/sweeps/1/promote", json=body))
    answer = page.post("/api/sweeps/1/promote", json={**body, "force": True})
    assert answer.json() == {"file": f"versions/{found['next_version']}.yaml"}
    with Study(swept) as study:
        child = study.versions[found["next_version"]]
        assert child.parent == BASE
        stored = read_sweep(study, 1)
        assert child.identity == stored.trial(last["name"]).version.identity
    text = " ".join((swept / answer.json()["file"]).read_text().split())
    assert "Picked by hand" in text
    assert "Not tested on held-out prompts" in text
    again = ask(page, "/1")["trials"][-1]
    assert again["promoted"] == [found["next_version"]]
    taken = page.post("/api/sweeps/1/promote", json={**body, "force": True})
    assert "already exists" in refused(taken)
    assert "not a version name" in refused(
        page.post("/api/sweeps/1/promote", json={**body, "name": "../../etc", "force": True})
    )
    assert "not finished" in refused(page.post("/api/sweeps/2/promote", json=body))


def test_a_sweep_runs_as_a_job_and_its_first_row_names_it(page: TestClient) -> None:
    body = ask(page, "/2")["again"]
    job = page.post("/api/sweeps", json=body).json()
    assert job["title"] == f"Sweep max_new_tokens of {BASE}"
    detail = ended(page, job["id"])
    assert (detail["job"]["state"], detail["job"]["result"]) == ("done", {"sweep": 2})
    assert detail["rows"] == [{"sweep": 2}]
    found = ask(page, "/2")
    assert found["state"] == "done"
    assert found["job"] is None
    assert [each["id"] for each in ask(page, "")["sweeps"]] == [2, 1]


def test_a_stopped_job_leaves_a_sweep_that_says_so(page: TestClient, swept: Path) -> None:
    axes = [f"decoding.top_k={','.join(map(str, range(1, 41)))}"]
    body = {"base": BASE, "axes": axes, "goals": ["words:higher"], "samples": 64}
    job = page.post("/api/sweeps", json=body).json()
    until = time.monotonic() + 60
    while not page.get(f"/api/jobs/{job['id']}").json()["rows"] and time.monotonic() < until:
        time.sleep(0.01)
    assert page.post(f"/api/jobs/{job['id']}/stop", json={}).status_code < 300
    assert ended(page, job["id"])["job"]["state"] == "stopped"
    with Study(swept) as study:
        record = Sweeps(study.store).all()[-1]
    assert record.finished_at is None
    assert record.ended == "interrupted"
    assert ask(page, f"/{record.id}")["state"] == "stopped"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"axes": []}, "no field to vary"),
        ({"axes": ["decoding.temprature=1,2"]}, "temperature"),
        ({"axes": ["decoding.temperature=0.1:2"]}, "a grid needs values"),
        ({"goals": ["words"]}, "no better direction"),
        ({"base": "v7.7.7"}, "v7.7.7"),
        ({"search": "luck"}, "search"),
        ({"samples": 0}, "samples"),
    ],
)
def test_a_mistake_is_refused_before_a_job_starts(
    page: TestClient, change: dict[str, Any], words: str
) -> None:
    body = {"base": BASE, "axes": list(AXES), **change}
    assert words in refused(page.post("/api/sweeps", json=body))
    assert page.get("/api/jobs").json() == []
