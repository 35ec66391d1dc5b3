"""Rows as JSON lines. Knows rows only."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from ethogram.metrics import Output
from ethogram.spec.suite import SuitePrompt


def json_lines(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    """One line a row, characters as they are."""
    return (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def constraints_of(item: SuitePrompt | Output) -> list[dict[str, Any]]:
    """The constraints of a prompt as plain data."""
    return [constraint.model_dump() for constraint in item.constraints]
