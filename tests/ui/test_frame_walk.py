"""A walk through the frame in Chromium: entering, views, palette, keys, live changes."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.ui.browser import Watch, chromium
from tests.ui.conftest import serving

pytestmark = [pytest.mark.browser, pytest.mark.long]


@pytest.mark.parametrize(("scheme", "width"), [("light", 1400), ("dark", 360)])
def test_the_frame_works_by_keyboard_and_says_nothing_in_the_console(
    folder: Path, scheme: str, width: int
) -> None:
    with serving(folder) as server, chromium() as browser:
        page = browser.new_page(color_scheme=scheme, viewport={"width": width, "height": 800})  # type: ignore[arg-type]
        watch = Watch(page, server.url)
        page.goto(server.address)
        page.get_by_role("heading", name="What is shown").wait_for()
        assert server.token not in page.url
        page.keyboard.press("2")
        page.get_by_role("heading", name="Runs").wait_for()
        page.get_by_role("button", name="Generate what is missing").press("Enter")
        page.get_by_text("done", exact=True).wait_for()
        page.reload()
        page.get_by_text("Run all versions").wait_for()
        page.keyboard.press("Control+k")
        page.keyboard.type("v0.1")
        page.get_by_role("menuitem", name="v0.1.0").wait_for()
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="What is shown").wait_for()
        page.keyboard.press("?")
        page.get_by_text("show these keys").wait_for()
        page.keyboard.press("Escape")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        (folder / "study.yaml").write_text("name: shown\ntitle: Renamed\n", encoding="utf-8")
        page.reload()
        page.get_by_role("heading", name="Renamed").wait_for()
        assert watch.problems == []


def test_without_a_token_the_page_says_how_to_open_it(folder: Path) -> None:
    with serving(folder) as server, chromium() as browser:
        page = browser.new_page()
        page.goto(server.url)
        page.get_by_role("alert").wait_for()
        assert "ethogram ui" in page.inner_text("body")
