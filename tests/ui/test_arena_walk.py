"""The arena in Chromium: voted by keyboard alone, in two browsers at once, and past a kill."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.arena.studies import named, write_study
from tests.ui.browser import Watch, chromium, serious_findings
from tests.ui.conftest import HOSTILE, serving

from ethogram.store import StoredVote, Votes
from ethogram.study import Study

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.long]
NAMES = ("v1.0.0", "v1.1.0")
PLACE = f"#/arena?versions={NAMES[0]}+{NAMES[1]}"
PAIRS = 24


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_study(
        tmp_path / "study", {name: named(name[1:4]) for name in NAMES}, prompts=PAIRS
    )


def stored(folder: Path) -> list[StoredVote]:
    with Study(folder) as study:
        return Votes(study.store).all()


def open_arena(page: Page, address: str, voter: str) -> None:
    page.goto(address)
    page.get_by_role("link", name="Arena").press("Enter")
    page.evaluate(f"localStorage.setItem('ethogram.voter', '{voter}')")
    page.goto(f"{address.split('#')[0]}{PLACE}")
    page.reload()
    page.get_by_role("region", name="left").wait_for()


def voted(page: Page) -> int:
    found = re.search(r"(\d+) of \d+ pairs voted on", page.inner_text("main"))
    return int(found[1]) if found else -1


def press(page: Page, key: str, until: int) -> None:
    """A vote by a key; waits for the next pair."""
    page.keyboard.press(key)
    page.get_by_text(f"{until} of {PAIRS} pairs voted on").wait_for()


@pytest.mark.parametrize(("scheme", "width"), [("light", 1400), ("dark", 360)])
def test_votes_and_ratings_by_keyboard(folder: Path, scheme: Any, width: int) -> None:
    with serving(folder) as server, chromium() as browser:
        page = browser.new_page(color_scheme=scheme, viewport={"width": width, "height": 900})
        watch = Watch(page, server.url)
        open_arena(page, server.address, "ann")
        assert not any(name in page.inner_text(".sides") for name in NAMES)
        for number, key in enumerate(("ArrowLeft", "ArrowRight", "t", "b", "s"), start=1):
            press(page, key, number)
        press(page, "u", 4)
        press(page, "ArrowLeft", 5)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.get_by_role("button", name="Ratings").focus()
        page.keyboard.press("Enter")
        page.get_by_text("Not enough votes to rank").wait_for()
        page.get_by_role("button", name="Train on the votes").wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert watch.problems == []
        views = ("#/arena", PLACE, f"{PLACE}&mode=ratings")
        assert serious_findings(browser, server, views, scheme, width) == []
    choices = [vote.choice for vote in stored(folder)]
    assert choices == ["left", "right", "tie", "both_bad", "left"]


def test_two_browsers_at_once_lose_and_double_nothing(folder: Path) -> None:
    with serving(folder) as server, chromium() as browser:
        pages = []
        for voter in ("ann", "bob"):
            page = browser.new_context().new_page()
            open_arena(page, server.address, voter)
            pages.append(page)
        for number in range(1, PAIRS):  # Both vote before either has an answer.
            for page in pages:
                page.keyboard.press("ArrowLeft")
            for page in pages:
                page.get_by_text(f"{number} of {PAIRS} pairs voted on").wait_for()
        for page in pages:
            page.keyboard.press("ArrowRight")
            page.get_by_text("has voted on every pair").wait_for()
    votes = stored(folder)
    assert len(votes) == 2 * PAIRS
    assert len({(vote.pair.voter, vote.pair.first, vote.pair.second) for vote in votes}) == len(
        votes
    )


def test_two_windows_of_one_voter_double_nothing(folder: Path) -> None:
    with serving(folder) as server, chromium() as browser:
        context = browser.new_context()
        pages = [context.new_page(), context.new_page()]
        for page in pages:
            open_arena(page, server.address, "ann")
        for page in pages:  # The same pair is open in both.
            page.keyboard.press("ArrowLeft")
        pages[1].get_by_text("has a vote already").wait_for()
        pages[1].get_by_text(f"1 of {PAIRS} pairs voted on").wait_for()
    assert len(stored(folder)) == 1


def test_hostile_outputs_are_text(tmp_path: Path) -> None:
    texts = {
        name: lambda at, _, turn=turn: HOSTILE[(at + turn) % 6] for turn, name in enumerate(NAMES)
    }
    folder = write_study(tmp_path / "study", texts)
    with serving(folder) as server, chromium() as browser:
        page = browser.new_page()
        watch = Watch(page, server.url)
        open_arena(page, server.address, "ann")
        for number in range(1, 6):
            page.keyboard.press("t")
            page.get_by_text(f"{number} of 6 pairs voted on").wait_for()
        assert page.locator("main img, main script").count() == 0
        assert watch.problems == []


@contextmanager
def started(folder: Path, port: int) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """`ethogram ui` as a process of its own, and its address."""
    code = "import sys; from ethogram.cli import main; main()"
    arguments = ["ui", "-C", str(folder), "--port", str(port), "--no-browser"]
    said = folder.parent / f"said-{port}.txt"
    with said.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, "-c", code, *arguments], stdout=file, stderr=subprocess.STDOUT
        )
    try:
        while not (found := re.search(r"http://\S+", said.read_text())):
            assert process.poll() is None, said.read_text()
            time.sleep(0.1)
        yield process, found[0]
    finally:
        process.kill()
        process.wait()


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL")
def test_a_server_killed_between_votes_loses_and_doubles_none(folder: Path) -> None:
    with chromium() as browser:
        page = browser.new_page()
        with started(folder, 0) as (process, address):
            port = int(re.search(r":(\d+)/", address)[1])  # type: ignore[index]
            open_arena(page, address, "ann")
            for number in range(1, 6):
                press(page, "ArrowLeft", number)
            page.keyboard.press("ArrowRight")
            process.send_signal(signal.SIGKILL)  # Perhaps before the vote arrived, perhaps after.
            process.wait()
        with started(folder, port) as (_, address):
            page.goto(f"{address.split('#')[0]}")
            page.goto(address)
            page.reload()
            open_arena(page, address, "ann")
            page.get_by_text(f"6 of {PAIRS} pairs voted on").wait_for()
            for number in range(7, PAIRS):
                press(page, "ArrowLeft", number)
            page.keyboard.press("t")
            page.get_by_text("has voted on every pair").wait_for()
    votes = stored(folder)
    assert [vote.choice for vote in votes[5:6]] == ["right"]
    assert len({(vote.pair.first, vote.pair.second) for vote in votes}) == len(votes) == PAIRS
