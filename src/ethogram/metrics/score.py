"""Score: a stream of outputs to a table of values and the clearest evidence. Knows only sums.

Keeps the summed parts of each metric and sample index and one output a metric, never all outputs;
only the corpus metrics grow, with the number of different n-grams.
"""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ethogram.errors import SpecError
from ethogram.metrics.base import CorpusMetric, Described, Gatherer, Metric, Output, Score, Span
from ethogram.metrics.parallel import measured
from ethogram.metrics.reading import read_outputs
from ethogram.metrics.registry import chosen_metrics

#: Two decimals suit percent, words and tokens; shares and ratios need one more to be told apart.
_THREE_DECIMALS = ("share", "ratio")
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
        value: mean over the sample indices, weighed by their outputs; NaN if none has a value.
        by_sample: sample index to value.
        applies_to: outputs that have a value.
        evidence: the clearest output; None where no score has evidence to show.
    """

    metric: Described
    value: float
    by_sample: dict[int, float]
    applies_to: int
    evidence: Evidence | None = None


@dataclass(frozen=True)
class ScoreTable:
    """The metrics of a set of outputs, a row each.

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
                    "value": _finite(row.value),
                    "shown": _number(row.value, row.metric.unit),
                    "unit": row.metric.unit,
                    "direction": row.metric.direction,
                    "applies_to": row.applies_to,
                    "evidence": row.evidence.to_json() if row.evidence else None,
                    "by_sample": {
                        str(index): _finite(value) for index, value in row.by_sample.items()
                    },
                }
                for row in self.rows
            },
        }

    def to_text(self, *, evidence: bool = False) -> str:
        """The table for a terminal; metrics that say nothing of these outputs stand below it.

        Args:
            evidence: add the clearest output of each metric that can show one.
        """
        heading, lines, silent = self._cells()
        columns = list(zip(heading, *lines, strict=True))
        widths = [max(len(cell) for cell in column) for column in columns]
        # Numbers stand to the right: all between the name and the last three columns, and the last.
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
            lines.append([*cells, row.metric.unit, better, str(row.applies_to)])
        return heading, lines, silent

    def _about(self) -> str:
        if len(self.samples) < 2:
            return f"{self.outputs} outputs."
        return (
            f"{self.outputs} outputs, {len(self.samples)} sample indices; "
            "value is the mean over the indices."
        )


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _number(value: float, unit: str) -> str:
    if math.isnan(value):
        return "–"
    return f"{value:.3f}" if unit in _THREE_DECIMALS else f"{value:.2f}"


def _excerpt(text: str) -> str:
    """One line of a stretch of text, cut in the middle where it is long."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    if len(line) <= EXCERPT_CHARACTERS:
        return repr(line)
    half = EXCERPT_CHARACTERS // 2
    return repr(f"{line[:half]} … {line[-half:]}")


class _Clearest:
    """Keeps, for each metric, the worst output that has evidence to show; one output each."""

    def __init__(self) -> None:
        self._found: dict[str, tuple[float, Evidence]] = {}

    def consider(self, metric: Metric, output: Output, score: Score) -> None:
        """Take the output if it shows the failure more clearly than those before."""
        if score.value is None or not score.spans:
            return
        badness = metric.badness(score.value)
        known = self._found.get(metric.name)
        if known is None or badness > known[0]:
            evidence = Evidence(
                output.prompt_id, output.sample_index, score.value, output.text, score.spans
            )
            self._found[metric.name] = (badness, evidence)

    def get(self, name: str) -> Evidence | None:
        """The clearest output under a metric."""
        return self._found[name][1] if name in self._found else None


class _Group:
    """The running sums of one sample index.

    Attributes:
        outputs: how many were added.
        applies_to: metric name to how many of them have a value.
    """

    def __init__(self, metrics: Sequence[Metric | CorpusMetric], clearest: _Clearest) -> None:
        self._metrics = [metric for metric in metrics if isinstance(metric, Metric)]
        self._clearest = clearest
        self.outputs = 0
        self._parts: dict[str, list[float]] = {}
        self.applies_to = dict.fromkeys((metric.name for metric in metrics), 0)
        self._gatherers: dict[str, Gatherer] = {
            metric.name: metric.gather() for metric in metrics if isinstance(metric, CorpusMetric)
        }

    def add(self, output: Output, scores: Sequence[Score]) -> None:
        """Take in one output and its scores, in the order of the metrics of single outputs."""
        self.outputs += 1
        for name, gatherer in self._gatherers.items():
            gatherer.add(output)
            self.applies_to[name] += 1
        for metric, score in zip(self._metrics, scores, strict=True):
            name = metric.name
            self._clearest.consider(metric, output, score)
            sums = self._parts.setdefault(name, [0.0] * len(score.parts))
            for position, part in enumerate(score.parts):
                sums[position] += part
            self.applies_to[name] += score.value is not None

    def value(self, metric: Metric | CorpusMetric) -> float:
        """A metric's value over the outputs so far."""
        if isinstance(metric, CorpusMetric):
            return self._gatherers[metric.name].value()
        return float(metric.aggregate(np.array(self._parts[metric.name])))


def score_outputs(
    outputs: Iterable[Output],
    metrics: Sequence[str] | None = None,
    *,
    human_text: str | Path | None = None,
    index: str | Path | None = None,
    processes: int | None = 1,
    on_progress: Callable[[int], None] | None = None,
) -> ScoreTable:
    """Score outputs made anywhere, in one pass.

    Args:
        outputs: for example `read_outputs("outputs.jsonl")`; any iterable, read once.
        metrics: names; default every metric and corpus metric but those of pitfalls, which
            `find_pitfalls` counts.
        human_text: file of human text that `human_…` metrics compare with; silent without.
        index: JSON file of known references, for `listed_references` and `fabricated_references`.
        processes: that measure; None for all cores where there are many outputs. The table is the
            same. Other processes import the script that started them, so it has to guard its work
            by `if __name__ == "__main__":`, which is why one is the default.
        on_progress: told how many outputs have been scored, after each.

    Raises:
        SpecError: a name is unknown, a file cannot be read, or there are no outputs.
    """
    choose = partial(chosen_metrics, tuple(metrics or ()), _path(human_text), _path(index))
    chosen = choose()
    groups: dict[int, _Group] = {}
    clearest = _Clearest()
    single = partial(_single_metrics, tuple(metrics or ()), _path(index))
    for number, (output, scores) in enumerate(measured(outputs, single, processes), start=1):
        if output.sample_index not in groups:
            groups[output.sample_index] = _Group(chosen, clearest)
        groups[output.sample_index].add(output, scores)
        if on_progress:
            on_progress(number)
    if not groups:
        raise SpecError("no outputs to score", mend="give at least one")
    ordered = {index: groups[index] for index in sorted(groups)}
    rows = [_row(metric, ordered, clearest.get(metric.name)) for metric in chosen]
    total = sum(group.outputs for group in ordered.values())
    return ScoreTable(total, list(ordered), rows)


def _path(file: str | Path | None) -> Path | None:
    return None if file is None else Path(file)


def _single_metrics(names: Sequence[str], index: Path | None) -> list[Metric]:
    """The metrics of single outputs alone, in whatever process."""
    return [metric for metric in chosen_metrics(names, None, index) if isinstance(metric, Metric)]


def score(
    file: str | Path,
    metrics: Sequence[str] | None = None,
    *,
    human_text: str | Path | None = None,
    index: str | Path | None = None,
    processes: int | None = 1,
    on_progress: Callable[[int], None] | None = None,
) -> ScoreTable:
    """Score the outputs in a `.jsonl` or `.jsonl.gz` file; fields as `read_outputs` says.

    The other arguments are those of `score_outputs`.

    Raises:
        SpecError: a file cannot be read, a line is broken, or a metric's name is unknown.
    """
    return score_outputs(
        read_outputs(file),
        metrics,
        human_text=human_text,
        index=index,
        processes=processes,
        on_progress=on_progress,
    )


def _row(
    metric: Metric | CorpusMetric, groups: dict[int, _Group], evidence: Evidence | None
) -> ScoreRow:
    """The row of one metric; a sample index without a value weighs nothing in the mean."""
    values = {index: group.value(metric) for index, group in groups.items()}
    usable = {index: value for index, value in values.items() if not math.isnan(value)}
    total = sum(groups[index].outputs for index in usable)
    weighed = sum(value * groups[index].outputs for index, value in usable.items())
    return ScoreRow(
        metric=metric,
        value=weighed / total if total else math.nan,
        by_sample=values,
        applies_to=sum(group.applies_to[metric.name] for group in groups.values()),
        evidence=evidence,
    )
