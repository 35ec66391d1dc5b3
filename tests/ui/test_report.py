"""The report: one file, offline, with the components of the page; model output cannot run."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.ui.browser import Watch, chromium, settled
from tests.ui.conftest import HOSTILE, serving
from tests.ui.whole import held

from ethogram.errors import SpecError
from ethogram.report import log
from ethogram.study import Study
from ethogram.ui import report
from ethogram.ui.report import write_report
from ethogram.ui.report_data import Source
from ethogram.ui.report_limits import Limits
from ethogram.ui.report_views import key_of

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page


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


def test_the_data_are_those_of_the_page_and_hostile_texts_stay_data(
    folder: Path, page: str
) -> None:
    data = held(folder / "report.html")
    assert list(data["comparisons"]) == ["v0.0.1", "v0.0.1 v0.1.0", "v0.1.0 v0.2.0"]
    metrics = [each["name"] for each in data["comparisons"]["v0.0.1 v0.1.0"]["metrics"]]
    pairs = [("v0.0.1", "v0.1.0"), ("v0.1.0", "v0.2.0")]
    assert list(data["answers"]) == [
        key_of("/api/compare/chart", versions=pair, metric=name)
        for pair in pairs
        for name in metrics
    ]
    assert all(name not in page for name in ("onerror=alert", "javascript:alert"))
    cells = data["cells"]["v0.1.0"]
    assert {cell["samples"][0]["output"]["text"] for cell in cells.values()} == set(HOSTILE)


@pytest.mark.usefixtures("page")
def test_the_report_opens_with_the_findings_of_the_log(folder: Path) -> None:
    with Study(folder) as study:
        written = log(study)
    findings = held(folder / "report.html")["findings"]
    assert findings["sentences"] == [str(each) for each in written.findings] != []
    assert [row["version"] for row in findings["rows"]] == ["v0.0.1", "v0.1.0", "v0.2.0"]
    assert not (folder / "PROGRESS.md").read_text(encoding="utf-8").count("report.html")


def test_a_study_too_large_is_cut_and_the_file_says_so(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Study(folder) as study:
        smallest = Limits(30, 1, every=False, charts=False)
        least = len(report.render_report(study, Source(study).data(smallest)).encode())
        tried = (Limits(), Limits(30), Limits(30, 2), smallest)
        monkeypatch.setattr(report, "TRIED", tried)
        monkeypatch.setattr(report, "MOST_BYTES", least)
        written = write_report(study, folder / "small.html")
    assert written.size == least
    said = written.left_out
    assert said.startswith("Left out to keep the file small")
    assert "1 prompts that changed most" in said
    assert said.endswith("the charts; the outputs of sweeps and trainings.")
    assert held(folder / "small.html")["left_out"] == said


def test_a_smaller_report_has_the_charts_of_main_metrics_and_the_choice(whole_folder: Path) -> None:
    with Study(whole_folder) as study:
        source = Source(study)
        every, main, none = (
            source.data(limits)["answers"]
            for limits in (Limits(), Limits(5, every=False), Limits(every=False, charts=False))
        )
    assert none.keys() < main.keys() < every.keys()
    assert not [key for key in none if "/heat" in key or "samples" in key or "curves" in key]
    settings = [key for key in main if "/sweeps/{number}/samples" in key]
    assert len(settings) == 1  # The second sweep was interrupted and chose nothing.
    [sample] = main[key_of("/api/trainings/{training}/samples", training=1, prompt="p1")]
    assert sample["step"] == 1000
    assert sample["output"]["text"] == HOSTILE[2][:5]
    texts = [one["output"]["text"] for row in main[settings[0]]["rows"] for one in row["outputs"]]
    assert max(map(len, texts)) == 5
    assert len(every[key_of("/api/sweeps/{number}", number=1)]["metrics"]) > 2
    assert len(main[key_of("/api/sweeps/{number}", number=1)]["metrics"]) == 2


@pytest.mark.long
def test_the_report_needs_no_extra(whole_folder: Path, tmp_path: Path) -> None:
    """In a process that finds neither the server's packages nor Altair, nor a model library."""
    code = """
import sys
for name in ("altair", "fastapi", "regex", "starlette", "torch", "transformers", "uvicorn"):
    sys.modules[name] = None
from ethogram.cli import main
main()
"""
    output = str(tmp_path / "report.html")
    command = [
        sys.executable,
        "-c",
        code,
        "report",
        "--json",
        "-C",
        str(whole_folder),
        "-o",
        output,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["left_out"] == ""
    assert "ethogramVega" in Path(found["path"]).read_text(encoding="utf-8")
    assert (
        key_of("/api/sweeps/{number}/race", number=1, metric="words")
        in held(tmp_path / "report.html")["answers"]
    )


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
        shown.get_by_role("combobox", name=re.compile("^Metric")).select_option("words")
        shown.locator(".chart svg [aria-label*='prompt: p5']").wait_for()
        assert "metric=words" in shown.url
        shown.keyboard.press("j")
        shown.keyboard.press("o")
        shown.get_by_role("dialog").wait_for()
        shown.goto(f"{address}#/compare/v0.1.0/v0.2.0?open=p3")
        shown.get_by_role("dialog").wait_for()
        assert shown.get_by_role("dialog").get_by_text("v0.2.0").count()
        assert watch.problems == []


#: Views with charts, and how many there are.
CHARTED = {
    "#/compare/v0.1.0/v0.2.0?mode=all&metric=words": 1,
    "#/sweep/1": 4,
    "#/sweep/1?x=decoding.temperature&metric=loop_rate&fx=tokens&fy=loop_rate&race=tokens": 4,
    "#/sweep/2": 4,
    "#/train/1": 3,
    "#/train/1/2?axis=log&mean=5&curves=seconds+loss": 2,
}


def drawn(page: Page, address: str, charts: int) -> list[str]:
    """The charts of a view as they are drawn."""
    page.goto(address)
    settled(page)
    if "compare" in address:
        page.get_by_text("Chart: each prompt").click()
    pictures = page.locator(".chart svg")
    pictures.nth(charts - 1).wait_for()
    page.wait_for_timeout(200)
    return [_compared(pictures.nth(at)) for at in range(pictures.count())]


def _compared(picture: Locator) -> str:
    """SVG without the address of its page, and without numbers counted through the whole page."""
    text = picture.evaluate("svg => svg.getAttribute('viewBox') + svg.innerHTML")
    return re.sub(r"(gradient|clip)_?\d+", r"\1", re.sub(r"url\([^)#]*#", "url(#", text))


@pytest.mark.browser
@pytest.mark.long
@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 360)])
def test_the_file_draws_what_the_page_draws_and_runs_nothing(
    whole_folder: Path, tmp_path: Path, scheme: str, width: int
) -> None:
    written = write_report(whole_folder, tmp_path / "report.html")
    assert written.size <= report.MOST_BYTES
    file = written.path.as_uri()
    with serving(whole_folder) as server, chromium() as browser:
        size = {"width": width, "height": 800}
        context = browser.new_context(offline=True, color_scheme=scheme, viewport=size)  # type: ignore[arg-type]
        served = browser.new_page(color_scheme=scheme, viewport=size)  # type: ignore[arg-type]
        shown, watches = context.new_page(), []
        for page, start in ((served, server.url), (shown, file)):
            watches.append(Watch(page, start))
            page.on("dialog", lambda dialog: dialog.dismiss())
        served.goto(server.address)
        served.locator("main h1").wait_for()
        for address, charts in CHARTED.items():
            pictures = drawn(shown, f"{file}{address}", charts)
            assert len(pictures) == charts, address
            assert pictures == drawn(served, f"{server.url}/{address}", charts), address
            assert shown.evaluate("document.documentElement.scrollWidth") <= width
        for address in ("#/sweep/1?open=v0.1.0%2B03", "#/train/1?step=0", "#/log/v0.2.0"):
            shown.goto(f"{file}{address}")
            shown.get_by_text(HOSTILE[0]).first.wait_for()
            assert shown.locator("main img, main script, [role=dialog] img").count() == 0
        buttons = "Promote|Start|Stop|Continue|Train|New sweep"
        for address in ("#/sweep", "#/sweep/1", "#/train", "#/train/1"):
            shown.goto(f"{file}{address}")
            settled(shown)
            assert shown.get_by_role("button", name=re.compile(f"^({buttons})")).count() == 0
        assert [watch.problems for watch in watches] == [[], []]
