"""The microscope's routes: stored outputs without a model, steps, branches and their uses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.ui.test_jobs import ended

from ethogram.study import Study, trace
from ethogram.ui.app import make_api
from ethogram.ui.context import Context

PLACE: dict[str, Any] = {"version": "v0.1.0", "prompt": "p1", "sample": 0}


@pytest.fixture
def context(tiny_study: Path) -> Iterator[Context]:
    with Study(tiny_study) as study:
        trace(study, "v0.1.0", "p1")
    made = Context(tiny_study)
    yield made
    made.close()


@pytest.fixture
def client(context: Context) -> TestClient:
    return TestClient(make_api(context), raise_server_exceptions=False)


def branched(client: TestClient, context: Context, **body: Any) -> int:
    made = client.post("/api/microscope/branch", json=body).json()
    detail = ended(context.jobs, made["id"])
    assert detail.job.state == "done", detail.job.words
    return int(detail.job.result["branch"])


def test_a_stored_output_is_opened_without_its_model(
    client: TestClient, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    def loaded(*_: Any, **__: Any) -> None:
        raise AssertionError("the model was loaded")

    monkeypatch.setattr("ethogram.models.load", loaded)
    versions = client.get("/api/microscope").json()
    assert [one["name"] for one in versions] == ["v0.0.1", "v0.1.0", "v1.0.0"]
    assert [one["samples"] for one in versions] == [1, 2, 2]
    found = client.get("/api/microscope/output", params=PLACE).json()
    assert len(found["tokens"]) == 24
    with context.study() as study:
        (stored,) = study.store.get([trace(study, "v0.1.0", "p1").generation.identity]).values()
    assert [token["id"] for token in found["tokens"]] == list(stored.token_ids)
    for token in found["tokens"]:
        assert token["probability"] == pytest.approx(
            next(
                (one["probability"] for one in token["alternatives"] if one["id"] == token["id"]),
                token["probability"],
            ),
            rel=1e-4,
        )
    assert found["branches"] == []
    untraced = client.get("/api/microscope/output", params={**PLACE, "prompt": "p2"})
    assert (untraced.status_code, untraced.json()) == (200, None)
    assert (
        client.get("/api/microscope/output", params={**PLACE, "prompt": "p99"}).status_code == 400
    )


def test_a_missing_trace_is_made_by_a_job(client: TestClient, context: Context) -> None:
    place: dict[str, Any] = {"version": "v0.0.1", "prompt": "p3", "sample": 0}
    made = client.post("/api/microscope/trace", json=place).json()
    assert ended(context.jobs, made["id"]).job.state == "done"
    assert client.get("/api/microscope/output", params=place).status_code == 200


def test_a_step_has_distributions_that_sum_to_one(client: TestClient) -> None:
    found = client.get("/api/microscope/step", params={**PLACE, "step": 4}).json()
    assert [one["label"] for one in found["stages"]] == [
        "model",
        "after temperature",
        "after top-p",
    ]
    for place, stage in enumerate(found["stages"]):
        listed = sum(token["probabilities"][place] for token in found["tokens"])
        assert listed + stage["rest"] == pytest.approx(1)
    assert client.get("/api/microscope/step", params={**PLACE, "step": 99}).status_code == 400


def test_branches_are_made_undone_and_used(
    client: TestClient, context: Context, tiny_study: Path
) -> None:
    same = branched(client, context, **PLACE, at=3)
    first = branched(client, context, **PLACE, at=3, settings={"decoding.temperature": 0.2})
    second = branched(client, context, branch=first, at=6, token=40)
    original = client.get("/api/microscope/output", params=PLACE).json()
    shown = client.get("/api/microscope/output", params={"branch": second}).json()
    assert [one["id"] for one in original["branches"]] == [same, first, second]
    assert shown["branches"] == original["branches"]
    assert shown["tokens"][6]["id"] == 40
    put = shown["tokens"][6]["text"]
    assert shown["words"] == f"from token 7: {put!r}, temperature 0.2"
    assert original["branches"][2]["words"] == shown["words"]
    unchanged = client.get("/api/microscope/output", params={"branch": same}).json()
    assert unchanged["tokens"] == original["tokens"]
    step = client.get("/api/microscope/step", params={"branch": second, "step": 6}).json()
    assert step["notes"] == ["this token was put here by hand"]
    undone = client.post(f"/api/microscope/branches/{second}/undo", json={}).json()
    assert undone["undone"]
    assert not client.post(f"/api/microscope/branches/{second}/restore", json={}).json()["undone"]
    pair = client.post(f"/api/microscope/branches/{first}/pair", json={"prefer": "original"})
    assert pair.json() == {"file": "pairs/branches.jsonl", "rows": 1, "version": None}
    row = json.loads((tiny_study / "pairs/branches.jsonl").read_text())
    assert row["chosen"] == original["text"]
    body = {"name": "v0.2.0"}
    made = client.post(f"/api/microscope/branches/{first}/version", json=body)
    assert made.json()["version"] == "v0.2.0"
    with Study(tiny_study) as study:
        assert study.versions["v0.2.0"].decoding.temperature == 0.2
    again = client.post(f"/api/microscope/branches/{first}/version", json=body)
    assert again.status_code == 400


def test_a_branch_that_is_refused_is_a_failed_job(client: TestClient, context: Context) -> None:
    body = {**PLACE, "at": 3, "settings": {"model": "other"}}
    made = client.post("/api/microscope/branch", json=body).json()
    job = ended(context.jobs, made["id"]).job
    assert job.state == "failed"
    assert "only settings of the decoding can change" in job.words
