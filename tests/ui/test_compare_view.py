"""The routes of a comparison: rows, cells, filters, stars."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.ui.conftest import HOSTILE

from ethogram.metrics import Span
from ethogram.study import Study
from ethogram.study.compare import compare
from ethogram.ui.texts import marked_text

ALL = ["v0.0.1", "v0.1.0", "v0.2.0"]


def ask(client: TestClient, path: str = "/api/compare", **query: Any) -> Any:
    answer = client.get(path, params={"versions": ALL, **query})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_columns_have_the_paired_differences_of_compare(client: TestClient, folder: Path) -> None:
    shown = ask(client, "/api/compare/verdicts")
    assert shown[0] == {"sentence": "", "differences": []}
    with Study(folder) as study:
        wanted = compare(study, "v0.0.1", "v0.2.0")
    found = {each["metric"]: each for each in shown[2]["differences"]}
    for item in wanted.differences:
        assert found[item.metric.name]["verdict"] == item.verdict
        if found[item.metric.name]["estimate"] is not None:
            assert found[item.metric.name]["estimate"] == pytest.approx(item.estimate)


def test_rows_do_not_wait_for_tests(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a test was computed")

    with monkeypatch.context() as patched:
        # The package exports a function of the module's name.
        patched.setattr(sys.modules["ethogram.study.difference"], "paired", refuse)
        first = ask(client)
    assert [column["version"] for column in first["columns"]] == ALL
    assert [column["verdict"] is None for column in first["columns"]] == [False, True, True]
    verdicts = ask(client, "/api/compare/verdicts")
    again = ask(client)
    assert [column["verdict"] for column in again["columns"]] == verdicts
    assert (again["metric"], again["rows"]) == (first["metric"], first["rows"])


def test_rows_come_in_pages_that_fit_together(client: TestClient) -> None:
    whole = ask(client, sort="suite")["rows"]
    pages = [
        row
        for offset in range(0, 6, 2)
        for row in ask(client, "/api/compare/rows", sort="suite", offset=offset, limit=2)["rows"]
    ]
    assert [row["prompt_id"] for row in pages] == [f"p{i}" for i in range(6)]
    assert pages == whole


def test_equal_samples_are_folded_and_texts_are_sent_as_they_are(client: TestClient) -> None:
    rows = ask(client, sort="suite")["rows"]
    cell = rows[0]["cells"][1]
    assert (cell["outputs"], cell["distinct"], cell["times"]) == (2, 1, 2)
    assert cell["output"]["text"] == HOSTILE[1]
    texts = {cell["output"]["text"] for row in rows for cell in row["cells"][1:]}
    assert texts == set(HOSTILE)


def test_filters_of_the_address_choose_rows(client: TestClient) -> None:
    assert ask(client, tags="odd")["total"] == 3
    assert ask(client, mode="failures", pitfall="loop")["total"] >= 5
    assert ask(client, text="right to left")["total"] == 3
    assert ask(client, text="^plain$", pattern=True)["total"] == 2
    assert ask(client, mode="different")["total"] == 6
    assert ask(client, prompts="p3")["rows"][0]["prompt_id"] == "p3"


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"versions": []}, "versions"),
        ({"versions": ["v9.9.9"]}, "no version"),
        ({"versions": ALL * 3}, "versions"),
        ({"mode": "odd"}, "mode"),
        ({"limit": 100_000}, "limit"),
        ({"text": "(", "pattern": True}, "regular expression"),
        ({"metric": "unknown"}, "no metric"),
        ({"unknown": 1}, "unknown"),
    ],
)
def test_wrong_addresses_are_refused_in_one_line(
    client: TestClient, query: dict[str, Any], words: str
) -> None:
    answer = client.get("/api/compare", params={"versions": ALL, **query})
    assert answer.status_code == 400
    assert words in answer.json()["error"]
    assert "\n" not in answer.json()["error"]


def test_a_cell_has_every_output_in_full(client: TestClient) -> None:
    cell = client.get("/api/compare/cell", params={"version": "v0.0.1", "prompt": "p4"}).json()
    (sample,) = cell["samples"]
    assert sample["indices"] == [0, 1]
    assert sample["output"]["text"] == HOSTILE[4] + " again and" * 12
    assert any("Loop" in words for words in sample["evidence"])
    missing = client.get("/api/compare/cell", params={"version": "v0.0.1", "prompt": "p9"})
    assert missing.status_code == 400
    assert "no output for prompt 'p9'" in missing.json()["error"]


def test_a_star_and_a_comment_stay_with_the_study(client: TestClient, folder: Path) -> None:
    body = {"version": "v0.1.0", "prompt_id": "p2", "star": True, "comment": " Look <b>. "}
    assert client.post("/api/remarks", json=body).json() == {"star": True, "comment": "Look <b>."}
    row = ask(client, prompts="p2")["rows"][0]
    assert [cell["remark"] for cell in row["cells"]] == [
        None,
        {"star": True, "comment": "Look <b>."},
        None,
    ]
    assert (folder / "remarks.jsonl").is_file()
    client.post("/api/remarks", json={"version": "v0.1.0", "prompt_id": "p2"})
    assert ask(client, prompts="p2")["rows"][0]["cells"][1]["remark"] is None


@pytest.mark.parametrize(
    ("text", "spans", "marks"),
    [
        ("0123456789", [("a", [(2, 4)])], [(2, 4, "a")]),
        ("0123456789", [("a", [(0, 10)])], []),
        ("0123456789", [("loop", [(0, 10)])], [(0, 10, "loop")]),
        ("0123456789", [("a", [(2, 6)]), ("b", [(4, 8)])], [(2, 6, "a"), (6, 8, "b")]),
        ("0123456789", [("a", [(4, 5)]), ("b", [(2, 8)])], [(4, 5, "a"), (2, 4, "b"), (5, 8, "b")]),
        ("🙂🙂abcdefgh", [("a", [(2, 4)])], [(4, 6, "a")]),
        ("\ud800bcdefghij", [("a", [(1, 3)])], [(1, 3, "a")]),
        ("abcdefghij" * 100, [("a", [(500, 600)])], []),
        ("abcdefghij" * 100, [("a", [(390, 600)])], [(390, 400, "a")]),
    ],
)
def test_marks_count_as_javascript_does_and_never_overlap(
    text: str, spans: list[Any], marks: list[Any]
) -> None:
    given = [(kind, [Span(start, end, "") for start, end in found]) for kind, found in spans]
    found = marked_text(text, given)
    assert [(mark.start, mark.end, mark.kind) for mark in found.marks] == marks
    assert found.model_dump_json()
