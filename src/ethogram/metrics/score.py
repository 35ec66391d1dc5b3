"""Score: a stream of outputs to a table of values and the clearest evidence. Knows only sums.

Keeps the summed parts of each metric and sample index and one output a metric, never all outputs.
Two kinds of metric need more: corpus metrics grow with the number of different n-grams, and metrics
of all samples of a prompt keep the outputs to the end, as samples may come in any order.
"""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ethogram.errors import SpecError
from ethogram.metrics.base import (
    Additive,
    BatchMetric,
    CorpusMetric,
    Described,
    Gatherer,
    GroupMetric,
    Metric,
    Output,
    Score,
    Span,
)
from ethogram.metrics.models import Models, NamedModels
from ethogram.metrics.reading import read_outputs
from ethogram.metrics.registry import all_metrics, corpus_metrics, get_any

#: Two decimals suit percent, words and tokens; what lies between -1 and 1 needs one more.
_THREE_DECIMALS = ("share", "ratio", "cosine", "cosine distance", "cosine per 100 tokens")
#: Of the evidence, a terminal shows this many spans, each cut to this many characters.
SPANS_SHOWN = 4
EXCERPT_CHARACTERS = 100
#: Metrics that need a model take this many outputs at once.
BATCH = 256


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
            Of a metric of all samples of a prompt, the value over the prompts.
        by_sample: sample index to value; empty for a metric of all samples of a prompt.
        applies_to: outputs that have a value; prompts, for a metric of all their samples.
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

    def consider(self, metric: Additive, output: Output, score: Score) -> None:
        """Take the output if it shows the failure more clearly than those before."""
        if score.value is None or not score.spans:
            return
        badness = -score.value if metric.direction == "higher" else score.value
        known = self._found.get(metric.name)
        if known is None or badness > known[0]:
            evidence = Evidence(
                output.prompt_id, output.sample_index, score.value, output.text, score.spans
            )
            self._found[metric.name] = (badness, evidence)

    def get(self, name: str) -> Evidence | None:
        """The clearest output under a metric."""
        return self._found[name][1] if name in self._found else None


class _Sums:
    """The running sums of one sample index.

    Attributes:
        outputs: how many were added.
        applies_to: metric name to how many of them have a value.
    """

    def __init__(self, metrics: Sequence[Additive | CorpusMetric]) -> None:
        self.outputs = 0
        self._parts: dict[str, list[float]] = {}
        self.applies_to = dict.fromkeys((metric.name for metric in metrics), 0)
        self._gatherers: dict[str, Gatherer] = {
            metric.name: metric.gather() for metric in metrics if isinstance(metric, CorpusMetric)
        }

    def gather(self, metric: CorpusMetric, output: Output) -> None:
        """Take one output into a corpus metric."""
        self._gatherers[metric.name].add(output)
        self.applies_to[metric.name] += 1

    def add(self, metric: Additive, score: Score) -> None:
        """Take in one score."""
        sums = self._parts.setdefault(metric.name, [0.0] * len(score.parts))
        for position, part in enumerate(score.parts):
            sums[position] += part
        self.applies_to[metric.name] += score.value is not None

    def value(self, metric: Additive | CorpusMetric) -> float:
        """A metric's value over the outputs so far; NaN where it has seen none."""
        if isinstance(metric, CorpusMetric):
            return self._gatherers[metric.name].value()
        parts = self._parts.get(metric.name)
        return math.nan if parts is None else float(metric.aggregate(np.array(parts)))


class _Scorer:
    """Takes a stream of outputs through all metrics.

    Attributes:
        by_sample: sample index to its sums.
        over_prompts: sums of the metrics of all samples of a prompt.
        clearest: the evidence.
    """

    def __init__(self, metrics: Sequence[Additive | CorpusMetric], models: Models) -> None:
        self._metrics, self._models = metrics, models
        self._in_batches = [metric for metric in metrics if isinstance(metric, BatchMetric)]
        self._of_groups = [metric for metric in metrics if isinstance(metric, GroupMetric)]
        self._batch: list[Output] = []
        self._prompts: dict[str, list[Output]] = {}
        self.by_sample: dict[int, _Sums] = {}
        self.over_prompts = _Sums(self._of_groups)
        self.clearest = _Clearest()

    def add(self, output: Output) -> None:
        """Take in one output."""
        sums = self.by_sample.get(output.sample_index)
        if sums is None:
            sums = self.by_sample[output.sample_index] = _Sums(self._metrics)
        sums.outputs += 1
        for metric in self._metrics:
            if isinstance(metric, CorpusMetric):
                sums.gather(metric, output)
            elif isinstance(metric, Metric):
                self._count(metric, output, metric.measure(output))
        if self._in_batches:
            self._batch.append(output)
            if len(self._batch) >= BATCH:
                self._measure_batch()
        if self._of_groups:
            self._prompts.setdefault(output.prompt_id, []).append(output)

    def finish(self) -> None:
        """Measure what was waiting for more."""
        self._measure_batch()
        groups: list[list[Output]] = []
        for group in self._prompts.values():
            groups.append(group)
            if sum(map(len, groups)) >= BATCH:
                self._measure_groups(groups)
                groups = []
        self._measure_groups(groups)

    def _measure_batch(self) -> None:
        batch, self._batch = self._batch, []
        for metric in self._in_batches if batch else ():
            for output, score in zip(batch, metric.measure_batch(batch, self._models), strict=True):
                self._count(metric, output, score)

    def _measure_groups(self, groups: Sequence[Sequence[Output]]) -> None:
        self.over_prompts.outputs += len(groups)
        for metric in self._of_groups if groups else ():
            for score in metric.measure_groups(groups, self._models):
                self.over_prompts.add(metric, score)

    def _count(self, metric: Additive, output: Output, score: Score) -> None:
        self.clearest.consider(metric, output, score)
        self.by_sample[output.sample_index].add(metric, score)

    def row(self, metric: Additive | CorpusMetric) -> ScoreRow:
        """The row of one metric; a sample index without a value weighs nothing in the mean."""
        if isinstance(metric, GroupMetric):
            sums = self.over_prompts
            return ScoreRow(metric, sums.value(metric), {}, sums.applies_to[metric.name])
        by_sample = {index: self.by_sample[index] for index in sorted(self.by_sample)}
        values = {index: sums.value(metric) for index, sums in by_sample.items()}
        usable = {index: value for index, value in values.items() if not math.isnan(value)}
        total = sum(by_sample[index].outputs for index in usable)
        weighed = sum(value * by_sample[index].outputs for index, value in usable.items())
        return ScoreRow(
            metric=metric,
            value=weighed / total if total else math.nan,
            by_sample=values,
            applies_to=sum(sums.applies_to[metric.name] for sums in by_sample.values()),
            evidence=self.clearest.get(metric.name),
        )


def score_outputs(
    outputs: Iterable[Output],
    metrics: Sequence[str] | None = None,
    *,
    models: Models | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> ScoreTable:
    """Score outputs made anywhere, in one pass.

    Args:
        outputs: for example `read_outputs("outputs.jsonl")`; any iterable, read once.
        metrics: names; default every metric that needs neither a model nor several samples.
        models: those that model-based metrics read; default the built-in ones.
        on_progress: told how many outputs have been read, after each.

    Raises:
        SpecError: a name is unknown, or there are no outputs.
        ModelError: a metric needs a model that cannot be had.
    """
    chosen: list[Additive | CorpusMetric] = (
        [get_any(name) for name in dict.fromkeys(metrics)]
        if metrics
        else [*all_metrics(), *corpus_metrics()]
    )
    scorer, total = _Scorer(chosen, models or NamedModels()), 0
    for total, output in enumerate(outputs, start=1):
        scorer.add(output)
        if on_progress:
            on_progress(total)
    if not total:
        raise SpecError("no outputs to score", mend="give at least one")
    scorer.finish()
    rows = [scorer.row(metric) for metric in chosen]
    return ScoreTable(total, sorted(scorer.by_sample), rows)


def score(
    file: str | Path,
    metrics: Sequence[str] | None = None,
    *,
    models: Models | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> ScoreTable:
    """Score the outputs in a `.jsonl` or `.jsonl.gz` file; fields as `read_outputs` says.

    Args:
        file: of outputs.
        metrics: names; default every metric that needs neither a model nor several samples.
        models: those that model-based metrics read; default the built-in ones.
        on_progress: told how many outputs have been read, after each.

    Raises:
        SpecError: the file cannot be read, a line is broken, or a metric's name is unknown.
        ModelError: a metric needs a model that cannot be had.
    """
    return score_outputs(read_outputs(file), metrics, models=models, on_progress=on_progress)
