"""The routes of the log: the tree, what came of a version, its notes."""

from __future__ import annotations

import gc
import re
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from ethogram.errors import SpecError
from ethogram.report.claims import entries
from ethogram.report.findings import find
from ethogram.stats import paired
from ethogram.study import Difference, Study
from ethogram.study.wording import change_words
from ethogram.ui import findings_kept
from ethogram.ui.context import Context


def test_the_tree_has_every_version_with_its_depth(client: TestClient) -> None:
    tree = client.get("/api/log").json()
    assert tree["title"] == "What is shown"
    found = [(each["name"], each["parent"], each["depth"]) for each in tree["versions"]]
    assert found == [("v0.0.1", None, 0), ("v0.1.0", "v0.0.1", 1), ("v0.2.0", "v0.1.0", 2)]


def test_an_entry_says_what_the_log_says(client: TestClient, folder: Path) -> None:
    with Study(folder) as study:
        wanted = {entry.version: entry for entry in entries(study)}
    assert len(wanted) == 3
    for name, entry in wanted.items():
        shown = client.get(f"/api/log/{name}").json()
        found = {each["metric"]: each for each in shown["differences"]}
        assert found.keys() == entry.differences.keys()
        for metric, item in entry.differences.items():
            words = found[metric]["words"]
            assert words["interval"] in change_words(item) or words["interval"] == "–"
            assert found[metric]["verdict"] == item.verdict
        assert [each["found"] for each in shown["pitfalls"]] == [
            each.found for each in entry.pitfalls
        ]
        assert shown["notes"]["notes"]["learned"] == ["It says things."]


def findings(client: TestClient) -> Any:
    """The findings, once they are made."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        found = client.get("/api/findings").json()
        if found["ready"]:
            return found
    raise AssertionError("no findings")


def test_the_page_opens_with_the_findings_of_the_log(client: TestClient, folder: Path) -> None:
    with Study(folder) as study:
        wanted = find(study)
    found = findings(client)
    assert found["sentences"] == [str(each) for each in wanted.sentences] != []
    assert [column["title"] for column in found["columns"]] == [
        metric.title for metric in wanted.columns
    ]
    assert [row["version"] for row in found["rows"]] == ["v0.0.1", "v0.1.0", "v0.2.0"]
    assert all(len(row["values"]) == len(found["columns"]) for row in found["rows"])
    assert [each["version"] for each in found["thread"]["outputs"]] == list(wanted.values)


def test_findings_are_made_beside_other_answers(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slow test of a pair holds up neither the answer about findings nor another view."""
    testing, go_on = threading.Event(), threading.Event()
    difference = sys.modules[Difference.__module__]
    compute = paired

    def slow(*args: Any, **options: Any) -> Any:
        testing.set()
        assert go_on.wait(60)
        return compute(*args, **options)

    monkeypatch.setattr(difference, "paired", slow)
    first = client.get("/api/findings").json()
    assert testing.wait(60)
    assert not first["ready"]
    assert first["sentences"] == []
    assert first["total"] == 3
    assert client.get("/api/log/v0.0.1").json()["version"] == "v0.0.1"
    go_on.set()
    found = findings(client)
    assert found["sentences"]
    assert findings(client) == found


def test_findings_are_made_again_when_the_study_changes(client: TestClient, folder: Path) -> None:
    assert [row["title"] for row in findings(client)["rows"]][1] == "Version 1"
    file = folder / "versions/v0.1.0.yaml"
    file.write_text(file.read_text().replace("Version 1", "Another"), encoding="utf-8")
    assert [row["title"] for row in findings(client)["rows"]][1] == "Another"


def test_what_was_read_is_exempt_from_collection_until_the_study_changes(
    client: TestClient, context: Context, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    monkeypatch.setattr(gc, "freeze", lambda: done.append("freeze"))
    monkeypatch.setattr(gc, "unfreeze", lambda: done.append("unfreeze"))
    findings(client)
    assert done == []  # A process that does other things too.
    context.owns_process = True
    for title in ("One", "Two"):
        file = folder / "versions/v0.1.0.yaml"
        file.write_text(re.sub("title: .*", f"title: {title}", file.read_text()), encoding="utf-8")
        assert findings(client)["rows"][1]["title"] == title
    assert done == ["unfreeze", "freeze"] * 2


def test_an_error_while_findings_are_made_is_every_answer(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise SpecError("no such outputs", hint="make them")

    monkeypatch.setattr(findings_kept, "find", fail)
    until = time.monotonic() + 60
    while (told := client.get("/api/findings")).status_code == 200 and time.monotonic() < until:
        assert not told.json()["ready"]
    for _ in range(2):
        told = client.get("/api/findings")
        assert told.status_code == 400
        assert "no such outputs" in told.json()["error"]


def test_a_version_without_outputs_says_how_to_make_them(client: TestClient, folder: Path) -> None:
    (folder / "versions/v1.0.0.yaml").write_text("title: New\n", encoding="utf-8")
    assert client.get("/api/log").json()["versions"][-1]["name"] == "v1.0.0"
    shown = client.get("/api/log/v1.0.0").json()
    assert "ethogram run v1.0.0" in shown["missing"]
    assert shown["sentence"] == "Not run yet."


def test_notes_are_written_into_the_file_and_a_changed_file_is_not(
    client: TestClient, folder: Path
) -> None:
    path = folder / "versions/v0.1.0.yaml"
    notes = client.get("/api/log/v0.1.0/notes").json()
    body = {"field": "learned", "sentences": ["It says more."], "digest": notes["digest"]}
    answer = client.post("/api/log/v0.1.0/notes", json=body)
    assert answer.status_code == 200, answer.text
    text = path.read_text(encoding="utf-8")
    assert "- It says more.  # Really.\n" in text
    assert text.startswith("# A comment that stays.\n")
    again = client.post("/api/log/v0.1.0/notes", json={**body, "sentences": ["Lost?"]})
    assert again.status_code == 409
    assert "changed on disk" in again.json()["error"]
    assert path.read_text(encoding="utf-8") == text
    assert client.get("/api/log/v0.1.0").json()["notes"]["notes"]["learned"] == ["It says more."]


@pytest.mark.parametrize(
    ("path", "status"),
    [("/api/log/v9.9.9", 400), ("/api/log/v9.9.9/notes", 400), ("/api/log/%2e%2e%2fstudy", 404)],
)
def test_unknown_versions_are_refused_in_one_line(
    client: TestClient, path: str, status: int
) -> None:
    answer = client.get(path)
    assert answer.status_code == status
    assert "\n" not in answer.json()["error"]


def test_a_mistake_in_a_file_is_shown_with_its_line_and_goes_when_it_is_fixed(
    client: TestClient, folder: Path
) -> None:
    path = folder / "versions/v0.1.0.yaml"
    right = path.read_text(encoding="utf-8")
    path.write_text(right + "decodin: 1\n", encoding="utf-8")
    answer = client.get("/api/log")
    assert answer.status_code == 400
    assert "v0.1.0.yaml:8: decodin: unknown field" in answer.json()["error"]
    path.write_text(right, encoding="utf-8")
    assert client.get("/api/log").status_code == 200


def test_the_palette_finds_versions_and_prompts_names_first(client: TestClient) -> None:
    hits = client.get("/api/search", params={"q": "1"}).json()
    assert [(hit["kind"], hit["name"]) for hit in hits][:3] == [
        ("version", "v0.0.1"),
        ("version", "v0.1.0"),
        ("prompt", "p1"),
    ]
    assert client.get("/api/search", params={"q": "\ud800".encode("utf-16-le", "surrogatepass")})
