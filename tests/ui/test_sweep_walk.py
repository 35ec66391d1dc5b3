"""A walk through sweeps in Chromium: keyboard alone, hostile texts, both themes, checked by axe."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.ui.browser import Watch, chromium, serious_findings, settled
from tests.ui.conftest import serving
from tests.ui.swept import copied

from ethogram.study import Study

pytestmark = [pytest.mark.browser, pytest.mark.long]
VIEWS = (
    "#/sweep",
    "#/sweep/1",
    "#/sweep/2",
    "#/sweep/1?open=v0.1.0%2B03",
    "#/sweep/1?promote=v0.1.0%2B01",
)


@pytest.fixture
def swept(swept_folder: Path, tmp_path: Path) -> Path:
    return copied(swept_folder, tmp_path / "swept")


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 360)])
def test_every_part_shows_hostile_texts_and_has_no_serious_finding_of_axe(
    swept: Path, scheme: str, width: int
) -> None:
    with serving(swept) as server, chromium() as browser:
        page = browser.new_page(color_scheme=scheme, viewport={"width": width, "height": 800})  # type: ignore[arg-type]
        watch = Watch(page, server.url)
        page.on("dialog", lambda dialog: watch.problems.append("a script ran"))
        page.goto(server.address)
        page.locator("main h1").wait_for()
        for address in VIEWS:
            page.goto(f"{server.url}/{address}")
            settled(page)
            if address == "#/sweep/1":
                page.locator("figure.chart svg").nth(3).wait_for()
            assert page.evaluate("document.documentElement.scrollWidth") <= width, address
            assert page.locator("main img, main script, [role=dialog] img").count() == 0
        page.goto(f"{server.url}/{VIEWS[3]}")
        page.get_by_text("<script>alert(1)</script>").first.wait_for()
        page.get_by_text("U+202E").first.wait_for()
        assert watch.problems == []
        assert serious_findings(browser, server, VIEWS, scheme, width) == []


def test_a_setting_is_looked_at_and_promoted_by_keyboard_alone(swept: Path) -> None:
    with serving(swept) as server, chromium() as browser:
        page = browser.new_page()
        watch = Watch(page, server.url)
        page.goto(server.address)
        page.locator("main h1").wait_for()
        page.goto(f"{server.url}/#/sweep")
        page.get_by_role("heading", name="Sweeps").wait_for()
        page.goto(f"{server.url}/#/sweep/1")
        page.get_by_role("heading", name="Settings by rank").wait_for()
        page.keyboard.press("j")
        page.keyboard.press("j")
        page.locator("tr[aria-current=true]").wait_for()
        assert "setting=v0.1.0" in page.url
        page.keyboard.press("o")
        page.get_by_role("dialog").get_by_text("prompts 1 to").wait_for()
        assert "open=v0.1.0" in page.url
        page.reload()  # Its address shows the same.
        page.get_by_role("dialog").get_by_text("prompts 1 to").wait_for()
        page.keyboard.press("Escape")
        page.get_by_role("dialog").wait_for(state="detached")
        cell = page.locator("table.heat button").first
        cell.focus()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowDown")
        focused = page.evaluate("document.activeElement.dataset.at")
        assert focused == "1 1"
        page.keyboard.press("Enter")
        page.get_by_role("dialog").get_by_text("prompts 1 to").wait_for()
        page.keyboard.press("Escape")
        page.get_by_role("dialog").wait_for(state="detached")
        page.keyboard.press("p")
        page.get_by_role("dialog").wait_for()
        force = page.get_by_label("Write it anyway")
        if force.count():
            force.press("Space")
        page.get_by_label("Name of the version").press("Control+a")
        page.keyboard.type("v3.0.0")
        page.keyboard.press("Enter")
        page.get_by_text("a child of v0.1.0").wait_for()
        page.keyboard.press("Escape")
        page.get_by_role("dialog").wait_for(state="detached")
        page.locator(".trials").get_by_role("link", name="v3.0.0").wait_for()
        assert watch.problems == []
    with Study(swept) as study:
        assert study.versions["v3.0.0"].parent == "v0.1.0"


def test_a_sweep_is_started_followed_and_shown(swept: Path) -> None:
    with serving(swept) as server, chromium() as browser:
        page = browser.new_page()
        watch = Watch(page, server.url)
        page.goto(server.address)
        page.locator("main h1").wait_for()
        page.goto(f"{server.url}/#/sweep")
        page.get_by_label("Fields that vary").fill("decoding.max_new_tokens=3,6")
        page.get_by_label("Metrics to improve").fill("words")
        page.get_by_text("2 settings").wait_for()
        page.get_by_role("button", name="Start the sweep").click()
        page.get_by_text("it has no better direction").wait_for()
        watch.problems.clear()  # The refusal is in the console too.
        page.get_by_label("Metrics to improve").fill("words:higher")
        page.get_by_role("button", name="Start the sweep").click()
        page.wait_for_url("**/#/sweep/3*")
        page.get_by_role("heading", name="held-out prompts").wait_for(timeout=120_000)
        page.get_by_text("max_new_tokens 6").first.wait_for()
        assert watch.problems == []
