"""Chromium for walks through the page: found on this machine, or the walks are skipped."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from ethogram.ui.server import UiServer

AXE = Path(__file__).parents[2] / "web/node_modules/axe-core/axe.min.js"
#: Beside the width of a test: axe looks at each view at this size once, in the wide test.
LARGE = {"width": 3840, "height": 2160}

#: A browser that reports nothing to its maker, and starts inside a container.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def find_chromium() -> str | None:
    """The path of a Chromium on this machine."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((path for name in names if (path := shutil.which(name))), None)


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless Chromium; skips the test where there is none."""
    api = pytest.importorskip("playwright.sync_api")
    path = find_chromium()
    if path is None:
        pytest.skip("no Chromium on this machine")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*FLAGS])
        yield browser
        browser.close()


class Watch:
    """What must not happen on a page: console errors, failed scripts, requests elsewhere."""

    def __init__(self, page: Page, url: str) -> None:
        self.problems: list[str] = []
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.problems.append(f"error: {error}"))
        page.on("request", lambda request: self._requested(request.url, url))

    def _said(self, message: object) -> None:
        if getattr(message, "type", "") in ("error", "warning"):
            self.problems.append(f"console: {getattr(message, 'text', '')}")

    def _requested(self, target: str, url: str) -> None:
        if not target.startswith((url, "data:")):
            self.problems.append(f"request to {target}")


def settled(page: Page) -> None:
    """Waits until nothing loads."""
    page.locator("main h1").wait_for()
    page.wait_for_timeout(300)
    page.get_by_text("Loading …").first.wait_for(state="detached")


def serious_findings(
    browser: Browser, server: UiServer, views: Sequence[str], scheme: Any, width: int
) -> list[str]:
    """Serious findings of axe, and views wider than the window; none where axe is not installed.

    A wide test looks at 3840 × 2160 too. In a context without the policy, which refuses axe's
    script.
    """
    if not AXE.is_file():
        return []
    own = {"width": width, "height": 800}
    context = browser.new_context(bypass_csp=True, color_scheme=scheme, viewport=own)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(server.address)
    found = []
    for address in views:
        page.goto(f"{server.url}/{address}")
        settled(page)
        page.evaluate(AXE.read_text(encoding="utf-8"))
        for size in (own, LARGE) if width > LARGE["width"] // 4 else (own,):
            page.set_viewport_size(size)  # type: ignore[arg-type]
            page.wait_for_timeout(100)  # Rows and charts are laid out for the new width.
            if page.evaluate("document.documentElement.scrollWidth") > size["width"]:
                found.append(f"{address}: wider than {size['width']}")
            result = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
            found += [
                f"{address} at {size['width']}: {each['id']}: {each['nodes'][0]['html'][:200]}"
                for each in result["violations"]
                if each["impact"] in ("serious", "critical")
            ]
        page.set_viewport_size(own)  # type: ignore[arg-type]
    context.close()
    return found
