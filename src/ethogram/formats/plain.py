"""Plain rows: a prompt and an output, under the names that most files use.

So are AlpacaEval's `model_outputs.json`, IFEval's responses, and what `ethogram export` writes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from ethogram.formats.base import Fields, Row, Shape, Value, stateless
from ethogram.formats.content import TEXTS, well_formed

#: Columns of a CSV table that hold JSON lists and whole numbers.
_LISTS = ("token_ids", "logprobs", "tags", "constraints", "messages", "reference")
_WHOLE = ("sample", "sample_index")


def _is_export(data: Fields) -> bool:
    return {"version", "identity", "prompt_id", "output"} <= data.keys()


def _export(value: Value) -> Iterator[Row]:
    yield value.row(value.data, group=str(value.data["version"]))


def _is_alpaca(data: Fields) -> bool:
    return {"instruction", "output"} <= data.keys()


def _alpaca(value: Value) -> Iterator[Row]:
    """An instruction with its output; an `input` belongs to the prompt."""
    data = value.data
    instruction, context = data["instruction"], data.get("input")
    if isinstance(instruction, str) and isinstance(context, str) and context:
        data = {**data, "instruction": f"{instruction}\n\n{context}"}
    generator = data.get("generator")
    yield value.row(data, group=generator if isinstance(generator, str) else None)


def _plain(value: Value) -> Iterator[Row]:
    yield value.row(value.data)


def from_cells(cells: dict[str, str | None]) -> Fields:
    """A row of a CSV table: empty cells are unknown, lists and whole numbers are read as such."""
    row: Fields = {}
    for name, cell in cells.items():
        if cell is None or (cell == "" and name not in TEXTS):
            continue
        row[name] = cell
        is_list = name in _LISTS and cell.startswith("[") and cell.endswith("]")
        if is_list or (name in _WHOLE and cell.isdigit()):
            try:
                row[name] = well_formed(json.loads(cell), cell, name)
            except (ValueError, RecursionError):
                row[name] = cell  # Its reader names the field and the line.
            texts = row[name] if isinstance(row[name], list) else []
            if name == "reference" and not (texts and all(isinstance(t, str) for t in texts)):
                row[name] = cell  # A right answer such as `[1, 2]`.
    return row


EXPORT = Shape("export", "what `ethogram export` writes", _is_export, stateless(_export))
ALPACA = Shape(
    "alpaca", "AlpacaEval's `model_outputs.json`, instruction rows", _is_alpaca, stateless(_alpaca)
)
PLAIN = Shape(
    "rows", "rows with `prompt` and `output` (or `response`, …)", lambda _: True, stateless(_plain)
)
