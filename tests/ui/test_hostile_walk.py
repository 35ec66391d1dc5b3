"""Hostile texts in the microscope and the playground in Chromium: nothing runs, all is shown."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from sqlalchemy import text
from tests.conftest import byte_level_tokenizer
from tests.ui.browser import Watch, chromium
from tests.ui.conftest import HOSTILE, serving

from ethogram.study import Study, trace

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.long]
VERSION = "v2.0.0"
PROMPT = HOSTILE[0] + HOSTILE[2]
REPLY = "\n".join(HOSTILE[:3])
#: What the page shows in place of characters that hide, reorder or control.
CODES = ("U+202E", "U+200B", "U+001B", "U+0007", "U+0000")
#: How a lane says that it has its whole reply.
ENDED = re.compile(r"after \d+ tokens")
MOST = 1_000_000


@pytest.fixture
def hostile_study(tiny_study: Path) -> Path:
    """A version that the model answers with the tokens of hostile texts, to a hostile prompt."""
    ids = byte_level_tokenizer()(REPLY, add_special_tokens=False).input_ids
    version = {
        "title": HOSTILE[0],
        "parent": "v0.0.1",
        "suite": "suites/hostile.jsonl",
        "decoding": {"forced_tokens": ids, "max_new_tokens": len(ids)},
    }
    (tiny_study / f"versions/{VERSION}.yaml").write_text(json.dumps(version), encoding="utf-8")
    row = {"id": "hostile", "text": PROMPT}
    (tiny_study / "suites/hostile.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    return tiny_study


def opened(page: Page, url: str) -> Watch:
    """What goes wrong on a page from now on; a script that runs opens a dialog."""
    watch = Watch(page, url)
    page.on("dialog", lambda dialog: watch.problems.append("a script ran"))
    return watch


def assert_harmless(page: Page, watch: Watch) -> None:
    assert page.locator("main img, main script, a[href^='javascript']").count() == 0
    width = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert width[0] <= width[1]
    assert watch.problems == []


def assert_shown(words: str, codes: tuple[str, ...] = CODES) -> None:
    """The text is there whole: markup as text, hidden characters as codes and in no other form."""
    assert HOSTILE[0] in words
    for code in codes:
        assert code in words
        assert chr(int(code[2:], 16)) not in words


def test_the_microscope_shows_hostile_tokens_prompts_and_branches(hostile_study: Path) -> None:
    with Study(hostile_study) as study:
        made = trace(study, VERSION, "hostile").generation
    assert (made.text, made.prompt_text) == (REPLY, PROMPT)
    with serving(hostile_study) as server, chromium() as browser:
        page = browser.new_page()
        watch = opened(page, server.url)
        page.goto(server.address)
        page.get_by_role("heading", name="Tiny").wait_for()
        page.goto(f"{server.url}/#/microscope/{VERSION}/hostile/0?step=1")
        tokens = page.get_by_role("listbox", name="Tokens of the output")
        tokens.wait_for()
        assert_shown(tokens.inner_text().replace("·", "").replace("⏎\n", "\n"))
        assert_shown(page.locator("main p .text").first.inner_text(), CODES[2:])
        (hidden,) = tokens.get_by_text("U+202E").all()
        hidden.click()
        page.get_by_role("heading", name=re.compile(r"Token \d+: U\+202E")).wait_for()
        page.get_by_role("table").first.wait_for(timeout=60_000)
        page.keyboard.press("b")
        page.get_by_text("Back to the original").wait_for(timeout=60_000)
        page.get_by_role("listitem").filter(has_text=HOSTILE[0]).first.wait_for()
        assert_harmless(page, watch)


def test_play_shows_a_hostile_reply_as_it_streams_to_a_hostile_prompt(hostile_study: Path) -> None:
    lanes = quote(json.dumps([{"version": VERSION}, {"version": "v0.1.0"}]))
    with serving(hostile_study) as server, chromium() as browser:
        page = browser.new_page()
        watch = opened(page, server.url)
        page.goto(server.address)
        page.get_by_role("heading", name="Tiny").wait_for()
        for asked in (f"prompt=hostile&lanes={lanes}", f"text={quote(PROMPT)}&lanes={lanes}"):
            page.goto(f"{server.url}/#/play?{asked}")
            page.get_by_text(ENDED).first.wait_for(state="detached")  # Of the prompt before.
            page.get_by_role("button", name="Generate").press("Enter")
            lane = page.get_by_label("Lane 1")
            lane.get_by_text(ENDED).wait_for(timeout=60_000)
            assert_shown(lane.locator(".whole").inner_text())
            assert_harmless(page, watch)
        assert page.get_by_role("textbox", name="A text of my own").input_value() == PROMPT
        page.goto(f"{server.url}/#/runs")  # The title of the job has the prompt.
        page.get_by_text("<script>alert(1)</script>").first.wait_for()
        assert_harmless(page, watch)


@pytest.mark.slow
@pytest.mark.parametrize("character", ["a", "\u202e"])
def test_a_million_equal_characters_in_prompt_reply_and_stream(
    tiny_study: Path, monkeypatch: pytest.MonkeyPatch, character: str
) -> None:
    whole = character * MOST

    def streamed(*_: Any, on_text: Callable[[int, str], None], **__: Any) -> None:
        for _part in range(10):
            on_text(0, character * (MOST // 10))

    monkeypatch.setattr("ethogram.ui.views.play.play", streamed)
    with Study(tiny_study) as study:
        trace(study, "v0.1.0", "p1")
        with study.store.database.begin(writes=True) as connection:
            change = text("update generations set text = :text, prompt_text = :text")
            connection.execute(change, {"text": whole})
    with serving(tiny_study) as server, chromium() as browser:
        page = browser.new_page()
        page.set_default_timeout(60_000)
        watch = opened(page, server.url)
        page.goto(server.address)
        page.get_by_role("heading", name="Tiny").wait_for()
        page.goto(f"{server.url}/#/microscope/v0.1.0/p1/0?step=1")
        page.get_by_role("listbox", name="Tokens of the output").wait_for()
        page.get_by_text(f"… {MOST - 400} more").wait_for()
        assert_harmless(page, watch)
        page.goto(f"{server.url}/#/play?text=x")
        page.get_by_role("button", name="Generate").press("Enter")
        page.get_by_label("Lane 1").locator(".whole").wait_for()
        page.get_by_role("button", name="Stop").wait_for(state="detached")
        shown = page.get_by_label("Lane 1").locator(".whole").text_content()
        assert shown is not None
        assert len(shown.replace("U+202E", character).replace(" ", "")) == MOST
        assert_harmless(page, watch)
