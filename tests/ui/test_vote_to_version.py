"""Vote, train with DPO, compare the child version: one sitting, by the page's routes alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.ui.test_train_view import ended

from ethogram.arena import write_recipe
from ethogram.study import Study
from ethogram.ui.app import make_app
from ethogram.ui.context import Context

THINGS = ("sea", "moon", "river", "town", "lamp", "storm")
VERSIONS = ("v0.1.0", "v0.2.0")
FILES = {
    "study.yaml": "name: votes\nseed: 1\nsuite: suites/s.jsonl\nsamples: 1\n",
    "suites/s.jsonl": "".join(
        json.dumps({"id": f"p{at}", "text": f"Tell me of the {thing}."}) + "\n"
        for at, thing in enumerate(THINGS)
    ),
    "versions/v0.1.0.yaml": (
        "title: Chat\nmodel: smollm2-135m-instruct\nprompt: {chat: true}\n"
        "decoding: {temperature: 0.7, top_p: 0.9, max_new_tokens: 16}\n"
    ),
    "versions/v0.2.0.yaml": "title: Hotter\nparent: v0.1.0\ndecoding: {temperature: 1.2}\n",
}


@pytest.mark.long
@pytest.mark.model
@pytest.mark.filterwarnings("default")
def test_on_the_built_in_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ETHOGRAM_THREADS", "1")
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    context = Context(tmp_path)
    client = TestClient(make_app(context, token="t", hosts=["h:1"]), base_url="http://h:1")
    assert client.post("/api/session", json={"token": "t"}).status_code == 204

    def post(route: str, **body: Any) -> Any:
        answer = client.post(f"/api/{route}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    try:
        assert ended(client, post("runs"))["state"] == "done"
        turn, votes = post("arena/next", versions=VERSIONS, voter="ann"), 0
        while (pair := turn["pair"]) is not None:
            choice = "left" if len(pair["left"]) < len(pair["right"]) else "right"
            vote = {"versions": VERSIONS, "voter": "ann", "ticket": pair["ticket"]}
            turn = post("arena/vote", **vote, choice=choice)
            votes += 1
        assert votes == len(THINGS)
        _small(tmp_path)
        job = ended(client, post("arena/train", versions=VERSIONS, name="votes.yaml"))
        assert (job["state"], job["result"]) == ("done", {"versions": ["v0.3.0"]}), job["words"]
        assert ended(client, post("runs", versions=["v0.3.0"]))["state"] == "done"
        (training,) = client.get("/api/trainings").json()["trainings"]
        assert (training["kind"], training["state"]) == ("dpo", "finished")
        assert training["exists"]
        curves = client.get("/api/trainings/curves", params={"id": [1], "quantity": ["loss"]})
        assert curves.json()["panels"][0]["spec"]["data"]["values"]
        parent = training["parent"]
        found = client.get("/api/compare", params={"versions": [parent, "v0.3.0"]}).json()
        assert [each["version"] for each in found["columns"]] == [parent, "v0.3.0"]
        assert found["prompts"] == len(THINGS)
        verdicts = client.get("/api/compare/verdicts", params={"versions": [parent, "v0.3.0"]})
        assert verdicts.json()[1]["sentence"]
    finally:
        context.close()


def _small(folder: Path) -> None:
    """The recipe of the arena with the fewest steps that show that all of it works."""
    from ruamel.yaml import YAML

    with Study(folder) as study:
        path = write_recipe(study, VERSIONS, "votes.yaml")
    recipe = YAML(typ="safe").load(path)
    recipe["training"] = {"epochs": None, "steps": 2, "batch_size": 2}
    recipe["lora"] = {"rank": 4}
    recipe["evaluate"] = {"prompts": 1, "max_new_tokens": 8, "every": 2}
    path.write_text(json.dumps(recipe))
