"""Promote, vote and branch in one sitting in Chromium, by keyboard and without a pointer."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.ui.browser import Watch, chromium
from tests.ui.conftest import serving
from tests.ui.swept import BASE, copied

from ethogram.store import Votes
from ethogram.study import Study
from ethogram.study.branches import branches

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = [pytest.mark.browser, pytest.mark.long]
CHILD = "v3.0.0"
#: Presses of Tab after which an element counts as out of reach: no view has so many stops.
MOST_TABS = 150
COUNT_POINTERS = """
window.pointers = 0;
for (const kind of ["pointerdown", "mousedown", "touchstart"])
  window.addEventListener(kind, () => { window.pointers += 1; }, true);
"""


def tab_to(page: Page, target: Locator) -> None:
    """Press Tab until an element has the focus, as somebody without a pointer does."""
    target.wait_for(state="attached")
    for _ in range(MOST_TABS):
        if target.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{target} is not reached by Tab")


def press(page: Page, target: Locator, key: str = "Enter") -> None:
    tab_to(page, target)
    page.keyboard.press(key)


def promote(page: Page) -> None:
    """The second setting of the first sweep becomes a version, whose outputs are generated."""
    page.keyboard.press("5")
    page.get_by_role("heading", name="Sweeps").wait_for()
    press(page, page.locator("a[href='#/sweep/1']"))
    page.get_by_role("heading", name="Settings by rank").wait_for()
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.locator("tr[aria-current=true]").wait_for()
    page.keyboard.press("p")
    page.get_by_role("dialog").wait_for()
    page.keyboard.press("Control+a")  # The field of the name has the focus.
    page.keyboard.type(CHILD)
    doubt = page.get_by_label("Write it anyway")
    if doubt.count():
        press(page, doubt, "Space")
    press(page, page.get_by_role("button", name="Write the version"))
    page.get_by_text(f"a child of {BASE}").wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="detached")
    page.keyboard.press("8")
    press(page, page.get_by_role("button", name="Generate what is missing"))
    page.locator("li.job span", has_text=re.compile("^done$")).wait_for(timeout=60_000)


def vote(page: Page) -> None:
    """One vote between the version and its parent."""
    page.keyboard.press("6")
    for name in (BASE, CHILD):
        version = page.get_by_role("checkbox", name=re.compile(rf"^\s*{re.escape(name)}\b"))
        press(page, version, "Space")
    page.get_by_role("region", name="left").wait_for()
    page.keyboard.press("ArrowLeft")
    page.get_by_text(re.compile(r"^1 of \d+ pairs voted on")).wait_for()


def branch(page: Page) -> None:
    """A branch from the second token of an output of the version."""
    page.keyboard.press("3")
    tab_to(page, page.get_by_role("combobox", name="Version"))
    page.keyboard.type(CHILD)
    page.wait_for_url(f"**/#/microscope/{CHILD}/**")
    press(page, page.get_by_role("button", name="Make its trace"))
    tokens = page.get_by_role("listbox", name="Tokens of the output")
    tokens.wait_for(timeout=60_000)
    press(page, tokens, "ArrowRight")
    page.get_by_role("heading", name="Token 2:").wait_for()
    page.keyboard.press("b")
    page.get_by_text("Back to the original").wait_for(timeout=60_000)


def test_promote_vote_and_branch_with_no_pointer(swept_folder: Path, tmp_path: Path) -> None:
    folder = copied(swept_folder, tmp_path / "swept")
    with serving(folder) as server, chromium() as browser:
        page = browser.new_page()
        page.add_init_script(COUNT_POINTERS)
        watch = Watch(page, server.url)
        page.goto(server.address)
        page.locator("main h1").wait_for()
        promote(page)
        vote(page)
        branch(page)
        assert page.evaluate("window.pointers") == 0
        assert watch.problems == []
    with Study(folder) as study:
        assert study.versions[CHILD].parent == BASE
        assert [each.choice for each in Votes(study.store).all()] == ["left"]
        assert [(each.version, each.at) for each in branches(study)] == [(CHILD, 1)]
