"""Walks through trainings in Chromium: hostile samples, live curves, keys, checked by axe."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.ui.browser import Watch, chromium, serious_findings, settled
from tests.ui.conftest import HOSTILE, serving
from tests.ui.test_train_view import KEY, begin, measured, shown_folder

from ethogram.store import Trainings
from ethogram.study import Study
from ethogram.train.sitting import sitting

__all__ = ["shown_folder"]  # The fixture: a recipe, and a training that was killed.
pytestmark = [pytest.mark.browser, pytest.mark.long]
VIEWS = ("#/train", "#/train/1", "#/train/1/2?axis=log")


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 360)])
def test_samples_are_text_charts_are_drawn_and_axe_finds_nothing_serious(
    folder: Path, scheme: Any, width: int
) -> None:
    with Study(folder) as study:
        Trainings(study.store).add_points(begin(study, "other", "o" * 64, 2), measured(1, 60))
    with serving(folder) as server, chromium() as browser:
        size: Any = {"width": width, "height": 900}
        page = browser.new_page(color_scheme=scheme, viewport=size)
        watch = Watch(page, server.url)
        page.on("dialog", lambda dialog: watch.problems.append("a script ran"))
        page.goto(server.address)
        for address in VIEWS:
            page.goto(f"{server.url}/{address}")
            settled(page)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, address
        page.goto(f"{server.url}/#/train/1?step=0")
        page.get_by_text(HOSTILE[0]).first.wait_for()
        assert page.locator("main img, main script").count() == 0
        page.locator("figure.chart svg").first.wait_for()
        page.keyboard.press("ArrowRight")
        page.get_by_text("U+202E").first.wait_for()
        assert "step=500" in page.url
        assert watch.problems == []
        assert serious_findings(browser, server, VIEWS, scheme, width) == []


def test_a_training_started_elsewhere_appears_and_goes_on_without_a_reload(folder: Path) -> None:
    with serving(folder) as server, chromium() as browser:
        page = browser.new_page()
        watch = Watch(page, server.url)
        page.goto(server.address)
        page.goto(f"{server.url}/#/train")
        page.get_by_text("Nothing is training now.").wait_for()
        page.evaluate("window.same = true")
        with Study(folder) as study, sitting(folder / f".ethogram/training/base-{KEY[:12]}"):
            page.get_by_text("step 2,000 of 3,000").first.wait_for()
            page.get_by_role("region", name="running now").get_by_role("link", name="base").click()
            page.locator("figure.chart svg").first.wait_for()
            Trainings(study.store).add_points(1, measured(2001, 2100))
            page.get_by_text("step 2,100 of 3,000").first.wait_for()
            page.get_by_text("training 5 → 2.2").first.wait_for()
        page.get_by_text("stopped at step").or_(page.get_by_text("killed at step")).first.wait_for()
        assert page.evaluate("window.same")
        assert watch.problems == []
