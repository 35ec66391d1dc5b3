"""The committed page is what web/ builds, and needs nothing that is not in the package."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from ethogram.ui import STATIC

WEB = Path(__file__).parents[2] / "web"


@pytest.mark.long
def test_committed_files_are_what_the_sources_build() -> None:
    node = shutil.which("node")
    if node is None or not (WEB / "node_modules").is_dir():
        pytest.skip("Node or web/node_modules is missing: `make web-check` compares the page")
    done = subprocess.run([node, "build.mjs", "--check"], cwd=WEB, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.long
def test_the_types_of_the_page_are_those_of_the_api() -> None:
    node = shutil.which("node")
    if node is None or not (WEB / "tools/openapi/node_modules").is_dir():
        pytest.skip("Node or web/tools/openapi/node_modules is missing: see `make web-check`")
    from scripts.api_types import document

    command = [node, "types.mjs", "--check"]
    done = subprocess.run(command, cwd=WEB, input=document(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_page_names_only_files_that_are_there_and_no_other_host() -> None:
    page = (STATIC / "index.html").read_text(encoding="utf-8")
    files = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert "static/app.js" in files
    for name in files:
        assert name.startswith("data:") or (STATIC.parent / name).is_file(), name
    for path in (STATIC / "app.js", STATIC / "app.css"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"https?://|url\((?!data:)", text), path.name
        assert "dangerouslySetInnerHTML" not in text
        assert "eval(" not in text


def test_the_lock_files_name_no_registry() -> None:
    for path in (WEB / "package-lock.json", WEB / "tools/openapi/package-lock.json"):
        assert '"resolved"' not in path.read_text(encoding="utf-8")
