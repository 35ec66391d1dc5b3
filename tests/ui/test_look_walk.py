"""A walk through the microscope and the playground in Chromium, by keyboard, narrow and wide."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.ui.browser import Watch, chromium, serious_findings, settled
from tests.ui.conftest import serving

from ethogram.store import Votes
from ethogram.study import Study, run, trace
from ethogram.study.branches import branches

pytestmark = [pytest.mark.browser, pytest.mark.long]
VIEWS = ("#/microscope", "#/microscope/v0.1.0/p1/0?step=3", "#/play?text=the+sea")


@pytest.mark.parametrize(("scheme", "width"), [("light", 1400), ("dark", 360)])
def test_branching_by_keyboard_and_generating_side_by_side(
    tiny_study: Path, scheme: str, width: int
) -> None:
    with Study(tiny_study) as study:
        trace(study, "v0.1.0", "p1")
    with serving(tiny_study) as server, chromium() as browser:
        page = browser.new_page(color_scheme=scheme, viewport={"width": width, "height": 900})  # type: ignore[arg-type]
        watch = Watch(page, server.url)
        page.goto(server.address)
        page.get_by_role("heading", name="Tiny").wait_for()
        page.goto(f"{server.url}/#/microscope/v0.1.0/p1/0?step=3")
        page.get_by_text("after top-p (final)").wait_for(timeout=60_000)
        page.get_by_role("listbox", name="Tokens of the output").focus()
        page.keyboard.press("ArrowRight")
        page.get_by_role("heading", name="Token 4:").wait_for()
        page.keyboard.press("c")
        page.wait_for_url(lambda url: "colour=rank" in url)
        page.keyboard.press("b")
        page.get_by_text("Back to the original").wait_for(timeout=60_000)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.keyboard.press("u")
        page.get_by_text("undone").wait_for()
        page.goto(f"{server.url}/#/play?text=the+sea")
        page.get_by_role("button", name="Generate").press("Enter")
        page.get_by_text("after 24 tokens").first.wait_for(timeout=60_000)
        page.get_by_role("button", name="Send to the arena").press("Enter")
        page.get_by_role("region", name="left").wait_for()
        page.keyboard.press("ArrowLeft")
        page.get_by_text("me has voted on every pair").wait_for()
        page.go_back()
        page.get_by_text("Settings").first.press("Enter")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert watch.problems == []
        assert serious_findings(browser, server, VIEWS, scheme, width) == []
    with Study(tiny_study) as study:
        assert [found.undone for found in branches(study, undone=True)] == [True]
        assert [vote.choice for vote in Votes(study.store).all()] == ["left"]


#: What each view says before anything was done there, and what to do first.
FIRST = {
    "#/microscope": "This output has no trace yet",
    "#/play": "Generate, and the output of v0.0.1 appears here.",
    "#/compare/v0.0.1/v0.1.0?text=zzz": "No prompt is left by these filters.",
    "#/sweep": "No sweep yet.",
    "#/arena": "Choose two or more.",
    "#/train": "A recipe is a YAML file",
    "#/runs": "Nothing has run since the page was started.",
}


def test_a_view_says_what_to_do_first_and_leads_to_the_next(tiny_study: Path) -> None:
    with Study(tiny_study) as study:
        run(study)
    with serving(tiny_study) as server, chromium() as browser:
        page = browser.new_page()
        watch = Watch(page, server.url)
        page.goto(server.address)
        for address, words in FIRST.items():
            page.goto(f"{server.url}/{address}")
            settled(page)
            page.get_by_text(words).first.wait_for()
        page.goto(f"{server.url}/#/compare/v0.0.1/v0.1.0?text=zzz")
        page.get_by_role("button", name="Show all prompts").press("Enter")
        page.get_by_role("row").nth(1).wait_for()
        # The palette opens a prompt over the versions that are compared.
        page.keyboard.press("Control+k")
        page.keyboard.type("p1")
        page.get_by_role("menuitem", name="p1").first.click()
        page.get_by_role("dialog").get_by_role("heading", name="v0.0.1").wait_for()
        assert "#/compare/v0.0.1/v0.1.0" in page.url
        page.get_by_role("link", name="Play with this prompt").press("Enter")
        page.get_by_role("region", name="Lane 2").wait_for()
        assert page.get_by_role("combobox", name="Prompt").input_value() == "p1"
        page.go_back()
        page.get_by_role("link", name="Tokens of v0.1.0, sample 0").press("Enter")
        page.get_by_role("button", name="Make its trace").press("Enter")
        page.get_by_role("listbox", name="Tokens of the output").wait_for(timeout=60_000)
        assert watch.problems == []
