"""Every link between pages leads to a file and, where it names one, to a heading of it."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [*sorted((ROOT / "docs").glob("*.md")), *sorted(ROOT.glob("*.md"))]
PAGES += [ROOT / "benchmarks" / "README.md"]


@cache
def headings(page: Path) -> frozenset[str]:
    """The anchors of a page, as Python-Markdown makes them of its headings."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.M | re.DOTALL)
    plain = (
        re.sub(r"[^\w\s-]", "", title).strip().lower()
        for title in re.findall(r"^#+ (.*)$", text, flags=re.M)
    )
    return frozenset(re.sub(r"[\s-]+", "-", title) for title in plain)


def broken(text: str, page: Path) -> list[str]:
    """The links of a page's text that lead nowhere."""
    found = []
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if link.startswith(("http:", "https:", "mailto:")):
            continue
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        if not target.exists() or (anchor and anchor not in headings(target)):
            found.append(link)
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    assert broken(page.read_text(encoding="utf-8"), page) == []


def test_a_broken_link_is_found() -> None:
    page = ROOT / "docs" / "index.md"
    text = "[a](versions.md#suites) [b](versions.md#nowhere) [c](nothing.md) [d](https://e.org/f)"
    assert broken(text, page) == ["versions.md#nowhere", "nothing.md"]
