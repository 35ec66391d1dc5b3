"""Examples in the documentation: Python finds what it imports, YAML and JSON parse.

The blocks of docs/python.md run in test_python_page.py.
"""

from __future__ import annotations

import ast
import importlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from ruamel.yaml import YAML

from ethogram.cli import cli

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(
    r"^```(?P<language>\w+)[^\n]*\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


class Block(NamedTuple):
    """A fenced block: where it is, its language and its text."""

    page: str
    line: int
    language: str
    text: str

    @property
    def where(self) -> str:
        return f"{self.page}:{self.line}"


def blocks(*languages: str) -> Iterator[Block]:
    for path in PAGES:
        text = path.read_text(encoding="utf-8")
        for match in FENCE.finditer(text):
            if match["language"] in languages:
                line = text.count("\n", 0, match.start("text")) + 1
                page = str(path.relative_to(ROOT))
                yield Block(page, line, match["language"], match["text"])


PYTHON = list(blocks("python"))


def test_there_are_blocks() -> None:
    assert len(PYTHON) >= 8


@pytest.mark.parametrize("block", PYTHON, ids=lambda block: block.where)
def test_python_compiles_and_what_it_imports_is_there(block: Block) -> None:
    for node in ast.walk(ast.parse(block.text, block.where)):
        names = [alias.name for alias in getattr(node, "names", ()) if isinstance(alias, ast.alias)]
        if isinstance(node, ast.Import):
            for name in names:
                importlib.import_module(name)
        elif isinstance(node, ast.ImportFrom) and node.module and not _is_vllm(node.module):
            module = importlib.import_module(node.module)
            assert [name for name in names if not hasattr(module, name)] == [], block.where


def _is_vllm(module: str) -> bool:
    return module.endswith("vllm")  # An environment of its own.


@pytest.mark.parametrize("block", list(blocks("yaml")), ids=lambda block: block.where)
def test_yaml_parses(block: Block) -> None:
    assert YAML(typ="safe").load(block.text) is not None


@pytest.mark.parametrize("block", list(blocks("json")), ids=lambda block: block.where)
def test_json_parses_whole_or_line_by_line(block: Block) -> None:
    try:
        json.loads(block.text)
    except json.JSONDecodeError:
        for line in block.text.splitlines():
            json.loads(line)


def test_each_command_has_a_section() -> None:
    page = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
    headings = re.findall(r"^#+ `?(?:ethogram )?([\w-]+)`?$", page, re.MULTILINE)
    assert set(cli.commands) <= set(headings)
