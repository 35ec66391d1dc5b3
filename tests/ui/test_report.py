"""The report: one file, offline, with the components of the page; model output cannot run."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.ui.browser import Watch, chromium
from tests.ui.conftest import HOSTILE

from ethogram.errors import SpecError
from ethogram.report import log
from ethogram.study import Study
from ethogram.ui import report
from ethogram.ui.report import Limits, Source, write_report


@pytest.fixture
def page(folder: Path) -> str:
    with Study(folder) as study:
        written = write_report(study)
    assert written.path == folder / "report.html"
    assert written.left_out == ""
    assert written.size == written.path.stat().st_size <= report.MOST_BYTES
    return (folder / "report.html").read_text(encoding="utf-8")


def test_the_policy_allows_the_scripts_of_the_file_and_no_other(page: str) -> None:
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    assert policy
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    assert len(scripts) == 4  # Data, charts, libraries, the page.
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
    assert list(data["charts"]) == ["v0.0.1 v0.1.0", "v0.1.0 v0.2.0"]
    cells = data["cells"]["v0.1.0"]
    assert {cell["samples"][0]["output"]["text"] for cell in cells.values()} == set(HOSTILE)


def test_the_report_opens_with_the_findings_of_the_log(folder: Path, page: str) -> None:
    with Study(folder) as study:
        written = log(study)
    packed = re.search(r"globalThis\.ethogramReport = (.*);</script>", page)
    assert packed
    findings = json.loads(packed[1])["findings"]
    assert findings["sentences"] == [str(each) for each in written.findings] != []
    assert [row["version"] for row in findings["rows"]] == ["v0.0.1", "v0.1.0", "v0.2.0"]
    assert not (folder / "PROGRESS.md").read_text(encoding="utf-8").count("report.html")


def test_a_study_too_large_is_cut_and_the_file_says_so(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Study(folder) as study:
        source = Source(study)
        uncharted = source.data(Limits(charts=False))
        least = len(report.render_report(study, uncharted)) - 1000
        tried = (Limits(), Limits(30), Limits(30, 2), Limits(30, 1, charts=False))
        monkeypatch.setattr(report, "_TRIED", tried)
        monkeypatch.setattr(report, "MOST_BYTES", least)
        written = write_report(study, folder / "small.html")
    text = (folder / "small.html").read_text(encoding="utf-8")
    assert written.size < least
    said = written.left_out
    assert said.startswith("Left out to keep the file small")
    assert "1 prompts that changed most" in said
    assert said.endswith("the charts.")
    assert said in text


def test_the_report_needs_no_extra(folder: Path) -> None:
    """In a process that finds neither the server's packages nor Altair, nor a model library."""
    code = """
import sys
for name in ("altair", "fastapi", "regex", "starlette", "torch", "transformers", "uvicorn"):
    sys.modules[name] = None
from ethogram.cli import main
main()
"""
    command = [sys.executable, "-c", code, "report", "--json", "-C", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["left_out"] == ""
    assert "ethogramVega" in Path(found["path"]).read_text(encoding="utf-8")


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
        shown.get_by_role("heading", name="What was found").wait_for()
        shown.goto(f"{address}#/compare/v0.0.1/v0.1.0?mode=all&text=right")
        shown.get_by_text("2 of 6 prompts").wait_for()
        shown.get_by_text("U+202E").first.wait_for()
        shown.get_by_label("Text", exact=True).fill("")
        shown.get_by_label("Show").select_option("all")
        shown.get_by_text("6 of 6 prompts").wait_for()
        shown.get_by_label("Tag").select_option("odd")
        shown.get_by_text("3 of 6 prompts").wait_for()
        assert "tag=odd" in shown.url
        shown.get_by_text("Chart: each prompt").click()
        points = shown.locator(".chart svg .mark-symbol path")
        points.first.wait_for()
        assert points.count() >= 6
        shown.keyboard.press("j")
        shown.keyboard.press("o")
        shown.get_by_role("dialog").wait_for()
        shown.goto(f"{address}#/compare/v0.1.0/v0.2.0?open=p3")
        shown.get_by_role("dialog").wait_for()
        assert shown.get_by_role("dialog").get_by_text("v0.2.0").count()
        assert watch.problems == []
