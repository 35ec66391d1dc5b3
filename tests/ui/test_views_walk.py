"""Walks through log and compare in Chromium: by keyboard, with hostile texts, checked by axe."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.arena.studies import write_study
from tests.ui.browser import Watch, chromium, serious_findings, settled
from tests.ui.conftest import serving

from ethogram.study import Study
from ethogram.ui.report import write_report

pytestmark = [pytest.mark.browser, pytest.mark.long]
VIEWS = (
    "#/log",
    "#/log/v0.1.0",
    "#/compare/v0.0.1/v0.1.0/v0.2.0?mode=all",
    "#/compare/v0.0.1/v0.1.0?mode=all&diff=1",
    "#/compare/v0.0.1/v0.1.0?open=p1",
    "#/runs",
)


@pytest.mark.parametrize(("scheme", "width"), [("light", 1400), ("dark", 360)])
def test_every_view_shows_hostile_texts_and_has_no_serious_finding_of_axe(
    folder: Path, scheme: str, width: int
) -> None:
    with serving(folder) as server, chromium() as browser:
        page = browser.new_page(color_scheme=scheme, viewport={"width": width, "height": 800})  # type: ignore[arg-type]
        watch = Watch(page, server.url)
        page.on("dialog", lambda dialog: watch.problems.append("a script ran"))
        page.goto(server.address)
        for address in VIEWS:
            page.goto(f"{server.url}/{address}")
            settled(page)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, address
            assert page.locator("main img, main script").count() == 0
        page.goto(f"{server.url}/{VIEWS[2]}&text=right")
        page.get_by_text("U+202E").first.wait_for()
        assert watch.problems == []
        assert serious_findings(browser, server, VIEWS, scheme, width) == []


@pytest.mark.slow
@pytest.mark.parametrize("character", ["a", "\u202e"])
def test_a_million_equal_characters_are_shown_in_every_view_and_in_the_report(
    tmp_path: Path, character: str
) -> None:
    most = 1_000_000
    names = ("v1.0.0", "v1.1.0")
    whole: dict[str, Callable[[int, int], str]] = {
        names[0]: lambda at, _: character * most if at == 0 else "short",
        names[1]: lambda at, _: character * (most - 1) if at == 0 else "other",
    }
    folder = write_study(tmp_path / "study", whole, prompts=2)
    child = folder / f"versions/{names[1]}.yaml"
    stated = json.loads(child.read_text(encoding="utf-8"))
    child.write_text(json.dumps({**stated, "parent": names[0]}), encoding="utf-8")
    (folder / "study.yaml").write_text(
        "name: long\nsuite: suites/s.jsonl\nmetrics: [words]\n", encoding="utf-8"
    )
    compared = f"#/compare/{'/'.join(names)}?mode=all"
    clipped = re.compile(r"… \d{4,} more")
    with Study(folder) as study:
        for name in names:
            study.generations(name)
        report = write_report(study, tmp_path / "report.html")
    assert report.path.stat().st_size <= 5e6
    with serving(folder) as server, chromium() as browser:
        page = browser.new_page()
        watch = Watch(page, server.url)
        page.set_default_timeout(60_000)
        page.goto(server.address)
        page.get_by_role("heading", name="long").first.wait_for()
        page.goto(f"{server.url}/{compared}")
        page.get_by_text(clipped).first.wait_for()
        page.goto(f"{server.url}/{compared}&diff=1")
        page.locator(".cell-text").first.wait_for()
        page.goto(f"{server.url}/{compared}&open=p0")
        blocks = page.get_by_role("dialog").locator(".whole .block")
        blocks.nth(150).wait_for(state="attached")
        page.goto(f"{server.url}/#/arena?versions={'+'.join(names)}")
        page.get_by_role("region", name="left").wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]  # type: ignore[index]
        assert watch.problems == []
        shown = browser.new_page()
        watch = Watch(shown, report.path.as_uri())
        shown.goto(f"{report.path.as_uri()}{compared}")
        shown.get_by_text(clipped).first.wait_for()
        assert watch.problems == []


def test_notes_stars_and_outputs_by_keyboard_alone(folder: Path) -> None:
    with serving(folder) as server, chromium() as browser:
        page = browser.new_page()
        watch = Watch(page, server.url)
        page.goto(server.address)
        page.get_by_role("heading", name="What is shown").wait_for()
        page.keyboard.press("j")
        page.wait_for_url("**/#/log/v0.0.1")
        page.keyboard.press("j")
        page.wait_for_url("**/#/log/v0.1.0")
        edit = page.get_by_role("button", name="Edit: Learned of v0.1.0")
        edit.press("Enter")
        page.keyboard.press("Control+a")
        page.keyboard.type("It says <b>other</b> things.")
        page.keyboard.press("Control+Enter")
        page.get_by_role("textbox").wait_for(state="detached")
        page.get_by_text("It says <b>other</b> things.").wait_for()
        text = (folder / "versions/v0.1.0.yaml").read_text(encoding="utf-8")
        assert "- It says <b>other</b> things.  # Really." in text
        page.keyboard.press("c")
        page.get_by_role("heading", name="Compare").wait_for()
        page.get_by_role("row").nth(1).wait_for()
        page.keyboard.press("j")
        page.keyboard.press("s")
        page.get_by_role("button", name="Star v0.1.0 on", pressed=True).wait_for()
        page.keyboard.press("d")
        page.locator("ins, del").first.wait_for()
        assert "diff=1" in page.url
        page.keyboard.press("o")
        page.get_by_role("dialog").wait_for()
        assert "open=p" in page.url
        page.keyboard.press("Escape")
        page.get_by_role("dialog").wait_for(state="detached")
        page.reload()
        page.get_by_role("button", name="Star v0.1.0 on", pressed=True).wait_for()
        assert (folder / "remarks.jsonl").is_file()
        assert watch.problems == []


def test_a_file_edited_elsewhere_meanwhile_is_shown_beside_the_own_text(folder: Path) -> None:
    path = folder / "versions/v0.1.0.yaml"
    with serving(folder) as server, chromium() as browser:
        page = browser.new_page()
        page.goto(f"{server.address}")
        page.goto(f"{server.url}/#/log/v0.1.0")
        page.get_by_role("button", name="Edit: Learned of v0.1.0").click()
        page.get_by_role("textbox").fill("Mine.")
        theirs = path.read_text(encoding="utf-8").replace("It says things.", "Theirs.")
        path.write_text(theirs, encoding="utf-8")
        page.get_by_role("button", name="Save").click()
        page.get_by_text("The file now says").wait_for()
        page.get_by_text("Theirs.").wait_for()
        assert path.read_text(encoding="utf-8") == theirs
        assert page.get_by_role("textbox").input_value() == "Mine."
        page.get_by_role("button", name="Save").click()
        page.get_by_text("The file now says").wait_for(state="detached")
        assert "- Mine.  # Really." in path.read_text(encoding="utf-8")


def test_a_chart_is_drawn_under_the_policy_and_its_points_open_prompts(folder: Path) -> None:
    with serving(folder) as server, chromium() as browser:
        page = browser.new_page()
        watch = Watch(page, server.url)
        page.goto(server.address)
        page.goto(f"{server.url}/#/compare/v0.0.1/v0.1.0?mode=all&metric=words")
        page.get_by_text("Chart: each prompt").click()
        points = page.locator("figure.chart path[aria-roledescription=circle]")
        points.first.wait_for()
        points.first.click(force=True)
        page.get_by_role("dialog").wait_for()
        assert "open=p" in page.url
        assert watch.problems == []


def test_a_version_in_the_address_is_in_view_when_all_has_loaded(folder: Path) -> None:
    with serving(folder) as server, chromium() as browser:
        page = browser.new_page(viewport={"width": 1200, "height": 500})
        page.goto(server.address)
        page.locator("main h1").wait_for()
        page.goto(f"{server.url}/#/log/v0.1.0")
        page.reload()
        page.get_by_role("heading", name="What was found").wait_for()
        settled(page)
        box = page.locator("article[aria-label='v0.1.0']").bounding_box()
        assert box is not None
        assert 0 <= box["y"] < 100
