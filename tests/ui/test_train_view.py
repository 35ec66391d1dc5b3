"""The routes of trainings: recipes, curves, samples, events of new points, start and stop."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.train.studies import BASE, write_study
from tests.ui.conftest import HOSTILE

from ethogram.errors import SpecError
from ethogram.report.curves import quantity_of, training_curves
from ethogram.store import Point, TrainingOutput, Trainings
from ethogram.study import Study
from ethogram.train.sitting import last_sitting, refuse_running, sitting
from ethogram.ui.context import Context
from ethogram.ui.training_follow import Follower

KEY = "k" * 64
STEPS = 3000


def begin(study: Study, name: str = "base", key: str = KEY, seed: int = 1) -> int:
    """A training of the recipe base.yaml as it is recorded when it begins."""
    from ethogram.spec.recipes import load_recipe

    recipe = load_recipe(study.folder / "base.yaml").model_copy(update={"name": name, "seed": seed})
    plan = {"steps": STEPS, "seconds": 60.0, "memory_bytes": 2**30, "precision": "bfloat16"}
    return (
        Trainings(study.store)
        .begin(
            key=key,
            name=name,
            kind="pretrain",
            seed=seed,
            recipe=recipe.model_dump_json(),
            plan=json.dumps(plan),
        )
        .id
    )


def measured(first: int, last: int) -> Iterator[Point]:
    """Points of steps: a falling loss with one spike, and behaviour at some steps."""
    for step in range(first, last + 1):
        yield Point(step, "train/loss", 50.0 if step == 777 else 5 - 4 * step / STEPS)
        yield Point(step, "train/tokens_per_second", 5200.0)
        yield Point(step, "train/seconds", step / 10)
        if step % 500 == 0:
            yield Point(step, "greedy/loop_rate", 0.45 - 0.1 * step / STEPS)
            yield Point(step, "greedy/ends_by_itself", None)


@pytest.fixture(scope="session")
def shown_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """In place of the study of the other tests: a recipe, and a training that was killed."""
    folder = tmp_path_factory.mktemp("trainings")
    write_study(folder)
    (folder / "recipes").mkdir()
    (folder / "recipes/wrong.yaml").write_text("kind: sfx\n")
    work = folder / f".ethogram/training/base-{KEY[:12]}"
    with Study(folder) as study:
        number, stored = begin(study), Trainings(study.store)
        stored.add_points(number, measured(1, 2000))
        stored.add_outputs(
            number,
            [
                TrainingOutput(step, "greedy", "a", 0, HOSTILE[step // 500 % 6], "length")
                for step in range(0, 2001, 500)
            ],
        )
    work.mkdir(parents=True)
    (work / "checkpoint-1900").mkdir()
    fields = {"state": "running", "pid": 1, "host": "elsewhere", "started_at": "2026-01-01"}
    (work / "sitting.json").write_text(json.dumps(fields))
    return folder


def read(client: TestClient, route: str, **query: Any) -> Any:
    answer = client.get(f"/api/trainings{route}", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_recipes_and_trainings_in_words(client: TestClient) -> None:
    view = read(client, "")
    recipes = {each["path"]: each for each in view["recipes"]}
    assert recipes["base.yaml"]["action"] == "Continue"
    assert recipes["base.yaml"]["version"] == "v1.0.0"
    assert "unknown kind 'sfx'; did you mean 'sft'?" in recipes["recipes/wrong.yaml"]["problem"]
    (training,) = view["trainings"]
    assert training["state"] == "killed"
    assert training["words"].startswith("killed at step 2,000 of 3,000; goes on from step 1,900; ")
    assert "loop rate (greedy) 43 % → 38 %" in training["words"]
    assert training["changed"] == ""


def test_the_palette_finds_trainings(client: TestClient) -> None:
    (known,) = read(client, "")["trainings"]
    hits = client.get("/api/search", params={"q": known["name"]}).json()
    found = [hit for hit in hits if hit["kind"] == "training"]
    assert [(hit["id"], hit["name"]) for hit in found] == [(str(known["id"]), known["name"])]


def test_an_edited_recipe_is_another_training(client: TestClient, folder: Path) -> None:
    (folder / "base.yaml").write_text(BASE.replace("steps: 12", "steps: 13"))
    view = read(client, "")
    assert "base.yaml has changed since" in view["trainings"][0]["changed"]
    assert view["recipes"][0]["action"] == "Train"
    refused = client.post("/api/trainings/continue", json={"id": 1})
    assert refused.status_code == 400
    assert "another training" in refused.json()["error"]


def test_curves_are_thinned_and_lose_no_spike(client: TestClient) -> None:
    found = read(client, "/curves", id=[1])
    panels = {each["name"]: each for each in found["panels"]}
    assert list(panels) == ["loss", "loop_rate", "tokens_per_second"]
    assert found["further"] == {"seconds": "Seconds"}
    values = panels["loss"]["spec"]["data"]["values"]
    assert len(values) <= 1000
    assert max(values, key=lambda row: row["value"]) == {
        "run": "base",
        "series": "training",
        "step": 777,
        "value": 50.0,
    }
    assert (values[0]["step"], values[-1]["step"]) == (1, 2000)
    left_out = "of 2,000 points, the lowest and highest of each 4 steps"
    assert panels["loss"]["left_out"] == left_out
    assert panels["loop_rate"]["words"] == "greedy 43 % → 38 %"
    assert panels["loop_rate"]["left_out"] == ""


def test_trainings_over_each_other_have_names_that_tell_them_apart(
    client: TestClient, folder: Path
) -> None:
    with Study(folder) as study:
        other = begin(study, key="o" * 64, seed=2)
        Trainings(study.store).add_points(other, measured(1, 50))
        panels = training_curves(study, [1, other], ["loss"])
    assert [each.run for each in panels[0].curves] == ["base, seed 1", "base, seed 2"]
    found = read(client, "/curves", id=[1, other], quantity=["loss"], log=True, window=5)
    spec = found["panels"][0]["spec"]
    colour = spec["layer"][0]["encoding"]["color"]
    assert colour["scale"]["domain"] == ["base, seed 1", "base, seed 2"]
    assert spec["layer"][0]["encoding"]["x"]["scale"]["type"] == "log"
    assert "base, seed 2, training 5 → 4.93" in found["panels"][0]["words"]


def test_one_training_has_behaviour_and_hostile_samples_as_they_are(client: TestClient) -> None:
    detail = read(client, "/1")
    assert detail["looks"] == [500, 1000, 1500, 2000]
    assert detail["behaviour"][0]["values"] == ["43 %", "42 %", "40 %", "38 %"]
    assert detail["prompts"] == {"a": "The keeper"}
    samples = read(client, "/1/samples", prompt="a")
    assert [each["step"] for each in samples] == [0, 500, 1000, 1500, 2000]
    assert [each["output"]["text"] for each in samples] == list(HOSTILE[:5])


@pytest.mark.parametrize(
    ("route", "body", "words"),
    [
        ("start", {"recipe": "../x.yaml"}, "there is no recipe"),
        ("plan", {"recipe": "recipes/wrong.yaml"}, "unknown kind"),
        ("continue", {"id": 99}, "there is no training 99; recorded: 1"),
        ("1/stop", {}, "no process trains this now"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(
    client: TestClient, route: str, body: dict[str, Any], words: str
) -> None:
    answer = client.post(f"/api/trainings/{route}", json=body)
    assert answer.status_code == 400
    assert words in answer.json()["error"]


def published(context: Context, kind: str) -> list[dict[str, Any]]:
    events = [json.loads(data) for _, data in context.events._events]
    return [each for each in events if each["type"] == kind]


def test_what_a_training_stores_comes_as_events_each_once(context: Context, folder: Path) -> None:
    follower = Follower(context)
    follower.look()
    with Study(folder) as study:
        stored = Trainings(study.store)
        stored.add_points(1, measured(2001, 2003))
        follower.look()
        follower.look()
        stored.add_points(1, [Point(2003, "train/grad_norm", 0.5)])  # Of the step sent already.
        stored.add_outputs(1, [TrainingOutput(2003, "greedy", "a", 0, "so", "stop")])
        follower.look()
    sent = [
        (point["step"], point["name"])
        for event in published(context, "training_points")
        for point in event["points"]
    ]
    assert sorted(sent) == sorted(
        [(point.step, point.name) for point in measured(2001, 2003)] + [(2003, "train/grad_norm")]
    )
    (samples,) = published(context, "training_samples")
    assert [each["step"] for each in samples["samples"]] == [2003]
    assert published(context, "training")[-1]["training"]["step"] == 2003


def test_a_training_that_goes_on_is_loaded_again(context: Context, folder: Path) -> None:
    follower = Follower(context)
    follower.look()
    with Study(folder) as study, sitting(folder / f".ethogram/training/base-{KEY[:12]}"):
        Trainings(study.store).drop_after(1, 1900)
        follower.look()
        state = published(context, "training")[-1]["training"]
        assert state["state"] == "running"
        assert state["words"].startswith("step 1,900 of 3,000, 5.2 k tokens/s, about 1 min 50 s ")
    assert [each["id"] for each in published(context, "training_repeated")] == [1]


def test_a_training_that_runs_is_not_started_again(tmp_path: Path) -> None:
    with sitting(tmp_path):
        with pytest.raises(SpecError, match="running now by process"):
            refuse_running(tmp_path)
        with pytest.raises(SpecError, match="running now by process"), sitting(tmp_path):
            pass
    last = last_sitting(tmp_path)  # Its folder is gone where it ended in order.
    assert last is not None
    assert last.state == "killed"
    refuse_running(tmp_path)


@pytest.mark.parametrize(
    ("error", "state"), [(KeyboardInterrupt(), "stopped"), (SpecError("no"), "failed")]
)
def test_how_a_sitting_ended_is_known(tmp_path: Path, error: BaseException, state: str) -> None:
    with pytest.raises(type(error)), sitting(tmp_path):
        raise error
    last = last_sitting(tmp_path)
    assert last is not None
    assert (last.state, last.words) == (state, "no" if state == "failed" else "")


def test_quantities_of_stored_names() -> None:
    assert quantity_of("train/loss").series == "training"
    assert quantity_of("held_out/wiki/bits_per_byte").series == "wiki"
    assert quantity_of("held_out/rewards/accuracies").percent
    assert quantity_of("sampled/loop_rate").behaviour


def ended(client: TestClient, job: dict[str, Any], seconds: float = 300) -> dict[str, Any]:
    """A job at its end."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = client.get(f"/api/jobs/{job['id']}").json()["job"]
        if found["state"] != "running":
            return dict(found)
        time.sleep(0.1)
    raise AssertionError(found)


@pytest.mark.long
@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_planned_started_stopped_and_continued_by_the_routes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ethogram.ui.app import make_app

    monkeypatch.setenv("ETHOGRAM_THREADS", "1")
    recipe = BASE.replace("steps: 12", "steps: 150").replace("every: 4", "every: 15")
    folder = write_study(tmp_path / "study", recipe).parent
    context = Context(folder)
    client = TestClient(make_app(context, token="t", hosts=["h:1"]), base_url="http://h:1")
    assert client.post("/api/session", json={"token": "t"}).status_code == 204
    try:
        body = {"recipe": "base.yaml"}
        planned = ended(client, client.post("/api/trainings/plan", json=body).json())
        (plan,) = planned["result"]["plans"]
        assert plan["name"] == "base"
        assert dict(plan["lines"])["steps"].startswith("150; ")
        assert read(client, "")["trainings"] == []
        job = client.post("/api/trainings/start", json=body).json()
        while not (found := read(client, "")["trainings"]) or found[0]["step"] < 3:
            assert client.get(f"/api/jobs/{job['id']}").json()["job"]["state"] == "running"
            time.sleep(0.1)
        assert found[0]["state"] == "running"
        assert client.post("/api/trainings/1/stop", json={}).status_code == 200
        assert ended(client, job)["state"] == "stopped"
        stopped = read(client, "")["trainings"][0]
        assert stopped["state"] == "stopped"
        done = ended(client, client.post("/api/trainings/continue", json={"id": 1}).json())
        assert done["result"] == {"versions": ["v1.0.0"]}
        view = read(client, "")
        assert view["trainings"][0]["state"] == "finished"
        assert view["trainings"][0]["exists"]
        assert view["recipes"][0]["action"] == ""
    finally:
        context.close()
