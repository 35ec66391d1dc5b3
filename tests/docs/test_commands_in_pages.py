"""Every `ethogram …` line of the pages is a command that the command line takes."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from ethogram.cli import cli

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
#: In a console block, or indented as code.
LINE = re.compile(r"^(?:\$ |    )ethogram (.+)$", re.MULTILINE)
CUT = re.compile(r"\s[|>#;&].*| {2,}.*")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_parse(page: Path) -> None:
    for line in LINE.findall(page.read_text(encoding="utf-8")):
        if "[" in line or line.startswith("-") or line.endswith("\\"):  # Not a whole command.
            continue
        name, *arguments = shlex.split(CUT.sub("", line))
        assert name in cli.commands, line
        cli.commands[name].make_context(name, list(arguments))
