"""The report: one file, offline, with the components of the page; model output cannot run."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path

import pytest
from tests.ui.browser import Watch, chromium
from tests.ui.conftest import HOSTILE

from ethogram.errors import SpecError
from ethogram.study import Study
from ethogram.ui import report
from ethogram.ui.report import report_data, write_report


@pytest.fixture
def page(folder: Path) -> str:
    with Study(folder) as study:
        assert write_report(study, folder / "report.html") == ""
    return (folder / "report.html").read_text(encoding="utf-8")


def test_the_policy_allows_the_scripts_of_the_file_and_no_other(page: str) -> None:
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    assert policy
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    assert len(scripts) == 3
    for script in scripts:
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"sha256-{digest}" in policy[1]
    assert "default-src &#x27;none&#x27;" in policy[1]
    assert "unsafe" not in policy[1]
    assert not re.search(r"(src|href)=[\"']?(https?:)?//", page.partition("<script>")[0])


def test_the_data_are_those_of_the_page_and_hostile_texts_stay_data(page: str) -> None:
    packed = re.search(r"globalThis\.ethogramReport = (.*);</script>", page)
    assert packed
    assert "<" not in packed[1]
    data = json.loads(packed[1])
    assert list(data["comparisons"]) == ["v0.0.1", "v0.0.1 v0.1.0", "v0.1.0 v0.2.0"]
    cells = data["cells"]["v0.1.0"]
    assert {cell["samples"][0]["output"]["text"] for cell in cells.values()} == set(HOSTILE)


def test_a_study_too_large_is_cut_and_the_file_says_so(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Study(folder) as study:
        whole = len(report.render_report(study, report_data(study)))
        monkeypatch.setattr(report, "_TRIED", ((None, None), (30, None), (30, 2), (30, 1)))
        monkeypatch.setattr(report, "MOST_BYTES", whole - 1000)
        said = write_report(study, folder / "small.html")
    text = (folder / "small.html").read_text(encoding="utf-8")
    assert len(text) < whole - 1000
    assert said.startswith("Left out to keep the file small")
    assert said in text


def test_a_study_without_outputs_has_no_report(tmp_path: Path) -> None:
    (tmp_path / "versions").mkdir()
    (tmp_path / "study.yaml").write_text("name: s\n", encoding="utf-8")
    (tmp_path / "versions/v0.1.0.yaml").write_text("title: t\n", encoding="utf-8")
    (tmp_path / "suites").mkdir()
    (tmp_path / "suites/prompts.jsonl").write_text('{"id": "a", "text": "b"}\n', encoding="utf-8")
    with Study(tmp_path) as study, pytest.raises(SpecError, match="nothing to report"):
        write_report(study, tmp_path / "report.html")
    assert not (tmp_path / "report.html").exists()


@pytest.mark.browser
@pytest.mark.long
def test_the_file_opens_offline_with_its_filters_and_addresses(folder: Path, page: str) -> None:
    address = (folder / "report.html").as_uri()
    with chromium() as browser:
        context = browser.new_context(offline=True)
        shown = context.new_page()
        watch = Watch(shown, address)
        shown.goto(address)
        shown.get_by_role("heading", name="What is shown").wait_for()
        shown.goto(f"{address}#/compare/v0.0.1/v0.1.0?mode=all&text=right")
        shown.get_by_text("2 of 6 prompts").wait_for()
        shown.get_by_text("U+202E").first.wait_for()
        shown.keyboard.press("j")
        shown.keyboard.press("o")
        shown.get_by_role("dialog").wait_for()
        assert watch.problems == []
