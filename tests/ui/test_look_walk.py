"""A walk through the microscope and the playground in Chromium, by keyboard, narrow and wide."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.ui.browser import Watch, chromium, serious_findings
from tests.ui.conftest import serving

from ethogram.store import Votes
from ethogram.study import Study, trace
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
        assert "colour=rank" in page.url
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
