"""Rows as JSON lines. Knows rows only."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from ethogram.metrics import Output
from ethogram.spec.generation import Generation
from ethogram.spec.suite import SuitePrompt


def json_lines(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    """One line a row, characters as they are."""
    return (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def constraints_of(item: SuitePrompt | Output) -> list[dict[str, Any]]:
    """The constraints of a prompt as plain data."""
    return [constraint.model_dump() for constraint in item.constraints]


def output_columns(version: str, generation: Generation) -> dict[str, Any]:
    """The columns with which each row about an output begins."""
    return {
        "version": version,
        "identity": generation.identity,
        "prompt_id": generation.prompt_id,
        "sample": generation.sample_index,
        "prompt": generation.prompt_text,
        "output": generation.text,
        "finish_reason": generation.finish_reason,
        "token_ids": list(generation.token_ids),
    }
