"""Origins: bytes as their publishers serve them to the lines that replications read.

Each function is pure, and its result is checked against a pinned digest before anyone reads it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any


def as_published(data: bytes) -> bytes:
    """The file as it is."""
    return data


def released_outputs(data: bytes) -> bytes:
    """Outputs from a result file of Contrastive Search Is What You Need, a line each."""
    return _lines(
        _output(number, int(sample), row["prefix_text"], text)
        for number, row in enumerate(json.loads(data))
        for sample, text in row["generated_result"].items()
    )


def released_references(data: bytes) -> bytes:
    """The human continuations that the same file holds."""
    return _lines(
        _output(number, 0, row["prefix_text"], row["reference_text"])
        for number, row in enumerate(json.loads(data))
    )


def _output(number: int, sample: int, prompt: str, text: str) -> dict[str, Any]:
    name = f"webtext-{number:04d}"
    return {"prompt_id": name, "sample": sample, "prompt": prompt, "output": text}


def alpaca_eval_judgements(data: bytes) -> bytes:
    """Preferences and lengths from AlpacaEval's annotations; the outputs themselves are left."""
    return _lines(
        {
            "prompt": row["instruction"],
            "a": row["generator_1"],
            "b": row["generator_2"],
            "output_a_chars": len(row["output_1"]),
            "output_b_chars": len(row["output_2"]),
            "preference": row["preference"],
        }
        for row in json.loads(data)
    )


def ifeval_prompts(data: bytes) -> bytes:
    """IFEval's prompts, `key` renamed to `id`."""
    rows = (json.loads(line) for line in data.splitlines())
    return _lines({"id": row.pop("key"), **row} for row in rows)


def _lines(rows: Iterable[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
