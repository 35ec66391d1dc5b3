"""The routes of the arena: blind, refused once, several voters, ratings, a recipe."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.arena.studies import named, write_study

from ethogram.store import Votes
from ethogram.study import Study

NAMES = ["v1.0.0", "v1.1.0"]
ANN = {"versions": NAMES, "voter": "ann"}


@pytest.fixture
def shown_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """In place of the hostile texts of the other tests."""
    folder = tmp_path_factory.mktemp("arena")
    return write_study(folder, {"v1.0.0": named("A"), "v1.1.0": named("B")}, prompts=12)


def post(client: TestClient, route: str, **body: Any) -> Any:
    answer = client.post(f"/api/arena/{route}", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def vote_all(client: TestClient, voter: str) -> int:
    """Prefers A."""
    votes, turn = 0, post(client, "next", versions=NAMES, voter=voter)
    while (pair := turn["pair"]) is not None:
        choice = "left" if pair["left"].startswith("A") else "right"
        turn = post(
            client, "vote", versions=NAMES, voter=voter, ticket=pair["ticket"], choice=choice
        )
        votes += 1
    return votes


def test_a_pair_tells_nothing_and_a_vote_counts_once(client: TestClient, folder: Path) -> None:
    turn = post(client, "next", **ANN)
    pair = turn["pair"]
    assert set(pair) == {"ticket", "prompt", "left", "right", "voted", "pairs"}
    assert not any(name in json.dumps(turn) for name in NAMES)
    assert post(client, "next", **ANN)["pair"] == pair
    vote = {**ANN, "ticket": pair["ticket"], "choice": "left"}
    after = post(client, "vote", **vote)
    assert after["refused"] == ""
    assert after["pair"]["ticket"] != pair["ticket"]
    again = post(client, "vote", **{**vote, "choice": "right"})
    assert "has a vote already" in again["refused"]
    assert again["standing"] == "left"
    with Study(folder) as study:
        assert [each.choice for each in Votes(study.store).all()] == ["left"]


def test_undo_shows_the_pair_again(client: TestClient) -> None:
    assert "no vote to undo" in post(client, "undo", **ANN)["refused"]
    pair = post(client, "next", **ANN)["pair"]
    post(client, "vote", **ANN, ticket=pair["ticket"], choice="tie")
    back = post(client, "undo", **ANN)["pair"]
    assert (back["left"], back["right"]) == (pair["left"], pair["right"])
    assert back["ticket"] != pair["ticket"]


def test_ratings_of_all_and_of_one_voter(client: TestClient) -> None:
    assert vote_all(client, "ann") == 12
    assert vote_all(client, "bob") == 12
    found = client.get("/api/arena/ranking", params={"versions": NAMES}).json()
    assert found["verdict"].startswith("v1.0.0 is preferred to v1.1.0: wins ")
    assert (found["votes"], found["voters"]) == (24, ["ann", "bob"])
    assert found["ratings"][0]["estimate"] > 1000 > found["ratings"][1]["estimate"]
    assert any("Krippendorff's alpha" in words for words in found["facts"])
    one = client.get("/api/arena/ranking", params={"versions": NAMES, "voter": "ann"}).json()
    assert (one["votes"], one["voters"]) == (12, ["ann", "bob"])
    rows = client.get("/api/arena/pairs.jsonl", params={"versions": NAMES}).text.splitlines()
    assert len(rows) == 12
    assert json.loads(rows[0])["chosen"].startswith("A")


@pytest.mark.parametrize(
    ("route", "body", "words"),
    [
        ("next", {**ANN, "versions": ["v1.0.0"]}, "two different versions"),
        ("next", {**ANN, "versions": ["v1.0.0", "v9.0.0"]}, "v9.0.0"),
        ("next", {**ANN, "voter": "\x1b[31m"}, "printable"),
        ("vote", {**ANN, "ticket": "x", "choice": "withdrawn"}, "choice"),
        ("train", {"versions": NAMES, "name": "../votes.yaml"}, "name"),
        ("train", {"versions": NAMES, "name": "votes.yaml"}, "vote first"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(
    client: TestClient, route: str, body: dict[str, Any], words: str
) -> None:
    answer = client.post(f"/api/arena/{route}", json=body)
    assert answer.status_code == 400
    assert words in answer.json()["error"]


def test_other_tabs_hear_of_a_vote(client: TestClient, context: Any) -> None:
    before = int(context.events.position.split("-")[1])
    pair = post(client, "next", **ANN)["pair"]
    post(client, "vote", **ANN, ticket=pair["ticket"], choice="tie")
    assert int(context.events.position.split("-")[1]) == before + 1
