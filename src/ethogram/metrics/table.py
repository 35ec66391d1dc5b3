"""Table: the metrics of a set of outputs in rows, for a notebook or a program."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ethogram.metrics.base import Metric, Span
from ethogram.metrics.units import Unit


@dataclass(frozen=True)
class Evidence:
    """The output that shows a metric's failure most clearly, and where in it.

    Attributes:
        prompt_id: of the output.
        sample_index: of the output.
        value: its own score.
        text: the output.
        spans: what the score rests on.
    """

    prompt_id: str
    sample_index: int
    value: float
    text: str
    spans: Sequence[Span]

    def to_json(self) -> dict[str, Any]:
        """Plain data; each span with the characters that it covers."""
        return {
            "prompt_id": self.prompt_id,
            "sample_index": self.sample_index,
            "value": self.value,
            "spans": [
                {
                    "start": span.start,
                    "end": span.end,
                    "label": span.label,
                    "text": self.text[span.start : span.end],
                }
                for span in self.spans
            ],
        }


@dataclass(frozen=True)
class ScoreRow:
    """One metric over a set of outputs.

    Attributes:
        metric: what it says of itself.
        value: over the outputs of all sample indices at once; NaN if the metric applies to none.
            Of a corpus metric, whose value grows or falls with the number of outputs, the mean over
            the sample indices, weighed by their outputs. Of a metric of all samples of a prompt,
            the value over the prompts.
        by_sample: sample index to value; empty for a metric of all samples of a prompt.
        applies_to: outputs that have a value; prompts, for a metric of all their samples.
        evidence: the clearest output; None where no score has evidence to show.
    """

    metric: Metric
    value: float
    by_sample: dict[int, float]
    applies_to: int
    evidence: Evidence | None = None


@dataclass(frozen=True)
class ScoreTable:
    """The metrics of a set of outputs, one row per metric.

    Attributes:
        outputs: how many there were.
        samples: the sample indices met, in order.
        rows: one per metric, in the order asked for.
    """

    outputs: int
    samples: Sequence[int]
    rows: Sequence[ScoreRow]

    def __getitem__(self, name: str) -> ScoreRow:
        for row in self.rows:
            if row.metric.name == name:
                return row
        raise KeyError(name)

    def to_json(self) -> dict[str, Any]:
        """Plain data; NaN and infinity become null."""
        return {
            "outputs": self.outputs,
            "samples": list(self.samples),
            "metrics": {
                row.metric.name: {
                    "title": row.metric.title,
                    "value": finite_or_none(row.value),
                    "shown": _number(row.value, row.metric.unit),
                    "unit": row.metric.unit.name,
                    "direction": row.metric.direction,
                    "applies_to": row.applies_to,
                    "evidence": row.evidence.to_json() if row.evidence else None,
                    "by_sample": {
                        str(index): finite_or_none(value) for index, value in row.by_sample.items()
                    },
                }
                for row in self.rows
            },
        }

    def _repr_html_(self) -> str:
        many = self.samples if len(self.samples) > 1 else ()
        lines = [["metric", "value", *(f"sample {index}" for index in many)]]
        lines[0] += ["unit", "better", "outputs"]
        for row in self.rows:
            if not math.isnan(row.value):
                values = [row.value, *(row.by_sample.get(index, math.nan) for index in many)]
                better = "" if row.metric.direction == "none" else row.metric.direction
                unit = row.metric.unit
                cells = [row.metric.name, *(_number(value, unit) for value in values)]
                lines.append([*cells, unit.name, better, str(row.applies_to)])
        silent = ", ".join(row.metric.name for row in self.rows if math.isnan(row.value))
        below = f"{self.outputs} outputs. Not applicable: {silent or 'none'}."
        return f"{html_table(lines)}<p>{html.escape(below)}</p>"


def html_table(lines: Sequence[Sequence[str]]) -> str:
    """Lines of cells as an HTML table, every cell escaped; the first line is the heading."""
    rows = (
        "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in line)
        for tag, line in zip(["th", *["td"] * (len(lines) - 1)], lines, strict=True)
    )
    return f"<table>{''.join(f'<tr>{row}</tr>' for row in rows)}</table>"


def finite_or_none(value: float) -> float | None:
    """The value, or what JSON has in place of NaN and infinity."""
    return value if math.isfinite(value) else None


def _number(value: float, unit: Unit) -> str:
    return "–" if math.isnan(value) else f"{value:.{unit.decimals}f}"
