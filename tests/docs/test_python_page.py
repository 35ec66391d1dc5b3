"""The code blocks of docs/python.md run, in their order; public names are those of the page."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import ethogram as eg

PAGE = Path(__file__).parents[2] / "docs" / "python.md"
BLOCK = re.compile(r"(<!-- not run: [^\n]*-->\n\n)?```python\n(.*?)```", re.DOTALL)
#: What a block that loads a model names.
LOADS = ("load(", "NamedModels()", "eg.generate(", "engine.generate(")


def blocks() -> list[str]:
    return [code for skipped, code in BLOCK.findall(PAGE.read_text()) if not skipped]


def run_blocks(codes: list[str], names: dict[str, Any]) -> None:
    for code in codes:
        exec(compile(code, str(PAGE), "exec"), names)


def loads(code: str) -> bool:
    return any(words in code for words in LOADS)


def test_the_blocks_without_a_model_run(tiny_study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny_study.rename(tiny_study.with_name("my-study"))
    monkeypatch.chdir(tiny_study.parent)
    codes = [code for code in blocks() if not loads(code)]
    assert len(codes) >= 4
    run_blocks(codes, {})


@pytest.mark.model
@pytest.mark.long
def test_the_blocks_with_a_model_run() -> None:
    codes = [code for code in blocks() if loads(code)]
    assert len(codes) >= 4
    run_blocks(codes, {"eg": eg})


def test_every_public_function_is_on_the_page() -> None:
    text = PAGE.read_text()
    results = {"__version__", "EthogramError"}
    missing = [name for name in eg.__all__ if name not in results and f"`{name}" not in text]
    assert missing == []
