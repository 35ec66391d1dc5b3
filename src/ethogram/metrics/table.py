"""Table: the metrics of a set of outputs in rows, for a terminal, a notebook or a program."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ethogram.metrics.base import Metric, Span
from ethogram.metrics.units import Unit

#: Of the evidence, a terminal shows this many spans, each cut to this many characters.
SPANS_SHOWN = 4
EXCERPT_CHARACTERS = 100


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

    def lines(self) -> list[str]:
        """The first few spans for a terminal, a line each, without control characters."""
        shown = [
            f"    at {span.start}: {span.label}: {_excerpt(self.text[span.start : span.end])}"
            for span in self.spans[:SPANS_SHOWN]
        ]
        more = len(self.spans) - SPANS_SHOWN
        return [*shown, f"    and {more} more"] if more > 0 else shown


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

    def to_text(self, *, evidence: bool = False, width: int | None = None) -> str:
        """The table for a terminal; metrics that do not apply to these outputs are listed below.

        Args:
            evidence: add the clearest output of each metric that can show one.
            width: columns of the terminal; where the values of single sample indices do not fit
                in, they are left out.
        """
        heading, lines, silent = self._cells()
        if width and len(self.samples) > 1 and _width_of([heading, *lines]) > width:
            heading, *lines = (
                [*line[:2], *line[2 + len(self.samples) :]] for line in [heading, *lines]
            )
        columns = list(zip(heading, *lines, strict=True))
        widths = [max(len(cell) for cell in column) for column in columns]
        # Numbers are right-aligned: all between the name and the last three columns, and the last.
        right = {*range(1, len(heading) - 3), len(heading) - 1}
        printed = [
            "  ".join(
                cell.rjust(width) if column in right else cell.ljust(width)
                for column, (cell, width) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
            for line in [heading, *lines]
        ]
        printed.append(f"\n{self._about()}")
        if silent:
            printed.append(f"Not applicable to these outputs: {', '.join(silent)}")
        for row in self.rows if evidence else ():
            if row.evidence:
                found = row.evidence
                value = _number(found.value, row.metric.unit)
                head = (
                    f"\n{row.metric.name} {value}: {found.prompt_id}, sample {found.sample_index}"
                )
                printed += [head, *found.lines()]
        return "\n".join(printed)

    def _repr_html_(self) -> str:
        heading, lines, silent = self._cells()
        head = "".join(f"<th>{html.escape(cell)}</th>" for cell in heading)
        body = "".join(
            "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in line) + "</tr>"
            for line in lines
        )
        below = f"{self._about()} Not applicable: {', '.join(silent) or 'none'}."
        return f"<table><tr>{head}</tr>{body}</table><p>{html.escape(below)}</p>"

    def _cells(self) -> tuple[list[str], list[list[str]], list[str]]:
        """Heading, lines, and the names of metrics without a value."""
        many = len(self.samples) > 1
        heading = ["metric", "value"]
        heading += [f"sample {index}" for index in self.samples] if many else []
        heading += ["unit", "better", "outputs"]
        lines, silent = [], []
        for row in self.rows:
            if math.isnan(row.value):
                silent.append(row.metric.name)
                continue
            cells = [row.metric.name, _number(row.value, row.metric.unit)]
            if many:
                cells += [
                    _number(row.by_sample.get(index, math.nan), row.metric.unit)
                    for index in self.samples
                ]
            better = "" if row.metric.direction == "none" else row.metric.direction
            lines.append([*cells, row.metric.unit.name, better, str(row.applies_to)])
        return heading, lines, silent

    def _about(self) -> str:
        if len(self.samples) < 2:
            return f"{self.outputs} outputs."
        about = (
            f"{self.outputs} outputs, {len(self.samples)} sample indices; value is over all outputs"
        )
        if any(row.metric.scope == "corpus" for row in self.rows):
            about += ", of corpus metrics the mean over the indices"
        return f"{about}."


def _width_of(lines: list[list[str]]) -> int:
    """Columns of a table with two spaces between its columns."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return sum(widths) + 2 * (len(widths) - 1)


def finite_or_none(value: float) -> float | None:
    """The value, or what JSON has in place of NaN and infinity."""
    return value if math.isfinite(value) else None


def _number(value: float, unit: Unit) -> str:
    return "–" if math.isnan(value) else f"{value:.{unit.decimals}f}"


def _excerpt(text: str) -> str:
    """One line of a stretch of text, cut in the middle where it is long."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    if len(line) <= EXCERPT_CHARACTERS:
        return repr(line)
    half = EXCERPT_CHARACTERS // 2
    return repr(f"{line[:half]} … {line[-half:]}")
