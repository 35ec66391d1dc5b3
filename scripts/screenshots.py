"""Screenshots of each view of the page: `python -m scripts.screenshots STUDY --output FOLDER`.

The study must have been run. Each address is opened light and dark, wide and narrow; Play generates
and the microscope makes a missing trace, as a user would. Needs Debian's Chromium or Chrome, and
playwright, of the group `test`. Prints what the console said, and exits
with 1 if it said anything or a view is wider than its window.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from ethogram.ui.server import UiServer

FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking")
SHAPES = {"wide": (1400, 900), "narrow": (360, 780)}
SCHEMES = ("light", "dark")


def addresses(folder: Path, prompt: str | None, traced: str | None) -> dict[str, str]:
    """The address of each view, for the versions of this study.

    Args:
        folder: the study.
        prompt: id of the one that Play and the microscope show; else the first one.
        traced: the version in the microscope; else the one that others are compared with.
    """
    from ethogram.store import Sweeps
    from ethogram.study import Study

    with Study(folder) as study:
        name = next(each for each in study.versions if study.versions[each].parent)
        parent = study.versions[name].parent
        traced = traced or parent or name
        prompt = prompt or next(iter(study.suite(traced).prompts)).id
        sweeps = Sweeps(study.store).all()
        # Sliders of a version that samples are not grey.
        sampled = [one for one, v in study.versions.items() if v.decoding.is_stochastic]
    lanes = json.dumps([{"version": each} for each in (parent, (sampled or [name])[0])])
    return {
        "log": f"#/log/{name}",
        "compare": f"#/compare/{parent}/{name}",
        "microscope": f"#/microscope/{traced}/{prompt}/0?step=6",
        "play": f"#/play?prompt={prompt}&lanes={quote(lanes)}",
        "sweep": f"#/sweep/{sweeps[-1].id}" if sweeps else "#/sweep",
        "arena": f"#/arena?versions={parent}+{name}",
        "train": "#/train",
        "runs": "#/runs",
    }


@contextmanager
def serving(folder: Path) -> Iterator[UiServer]:
    """The page of a study, on a port of its own."""
    from ethogram.ui.context import Context
    from ethogram.ui.server import UiServer

    server = UiServer(Context(folder))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([server.socket])))
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield server
    finally:
        server.end()
        thread.join(20)


def prepare(page: Page, name: str) -> None:
    """Do what a view shows nothing without."""
    if name == "play":
        page.get_by_role("button", name="Generate").click()
        for lane in ("Lane 1", "Lane 2"):
            page.get_by_label(lane).get_by_text("tokens a second").wait_for(timeout=120_000)
        page.get_by_text("Settings", exact=True).last.click()
        page.evaluate("scrollTo(0, 0)")
    if name == "microscope":
        make = page.get_by_role("button", name="Make its trace")
        if make.count():
            make.click()
        page.get_by_text("all others").wait_for(timeout=120_000)


def take(
    browser: Browser, server: UiServer, views: dict[str, str], scheme: str, shape: str, out: Path
) -> list[str]:
    """Take the pictures of one colour scheme and one size; returns what is wrong."""
    width, height = SHAPES[shape]
    page: Page = browser.new_page(
        color_scheme="dark" if scheme == "dark" else "light",
        viewport={"width": width, "height": height},
    )
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on(
        "console",
        lambda said: problems.append(said.text) if said.type in ("error", "warning") else None,
    )
    page.goto(server.address)
    page.wait_for_selector("main")
    for name, address in views.items():
        page.goto(f"{server.url}/{address}")
        page.wait_for_timeout(1000)  # Its event stream stays open, so the network is never idle.
        page.get_by_text("Loading …").first.wait_for(state="hidden", timeout=60_000)
        prepare(page, name)
        page.wait_for_timeout(1500)
        page.screenshot(path=out / f"{name}-{shape}-{scheme}.png")
        across = page.evaluate("document.documentElement.scrollWidth")
        if across > width:
            problems.append(f"{name} is {across} pixels wide in a window of {width}")
    page.close()
    return problems


def main() -> int:
    """Take them all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study", type=Path)
    parser.add_argument("--output", type=Path, default=Path("docs/images/ui"))
    parser.add_argument("--views", nargs="*", help="only these")
    parser.add_argument("--prompt", help="id of the prompt in Play and the microscope")
    parser.add_argument("--traced", help="version in the microscope")
    wanted = parser.parse_args()
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        sys.exit("screenshots: no Chromium; on Debian: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    wanted.output.mkdir(parents=True, exist_ok=True)
    views = addresses(wanted.study, wanted.prompt, wanted.traced)
    views = {name: views[name] for name in wanted.views or views}
    problems: list[str] = []
    with serving(wanted.study) as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*FLAGS])
        for scheme in SCHEMES:
            for shape in SHAPES:
                problems += take(browser, server, views, scheme, shape, wanted.output)
        browser.close()
    print("\n".join(problems) or "nothing wrong")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
