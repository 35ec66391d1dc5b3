"""docs/faults.md has a row for each fault of the tests, and a test for each row."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs/faults.md"
FEWEST = 40


def marked() -> Iterator[str]:
    """The name in each `@pytest.mark.fault("…")` above a test."""
    for file in sorted(TESTS.rglob("test_*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.FunctionDef):
                continue
            for mark in node.decorator_list:
                if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.fault":
                    assert node.name.startswith("test_"), node.name
                    yield ast.literal_eval(mark.args[0])


def rows() -> list[list[str]]:
    """The cells of the page's tables, without their heads."""
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line[:1] == "|"]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in cells if row[0] != "fault" and set(row[0]) != {"-"}]


def test_page_and_tests_name_the_same_faults() -> None:
    assert [row[0] for row in rows()] == list(dict.fromkeys(row[0] for row in rows()))
    assert {row[0] for row in rows()} == set(marked())


def test_each_fault_has_one_test() -> None:
    names = list(marked())
    assert sorted(set(names)) == sorted(names)
    assert len(names) >= FEWEST


def test_each_row_says_what_is_seen_and_what_remains() -> None:
    for row in rows():
        assert len(row) == 3, row
        assert all(row), row
