"""Score: a stream of outputs to a table of values and the clearest evidence.

Keeps the summed parts of each metric and sample index and one output a metric, never all outputs.
Two kinds of metric need more: corpus metrics grow with the number of different n-grams, and metrics
of all samples of a prompt keep the outputs to the end, as samples may come in any order. Beside
them, metrics that read a model wait for the end too, so that each text goes through it once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from ethogram.cluster import Placement, connected
from ethogram.errors import SpecError
from ethogram.metrics.base import Gatherer, Metric, Output, Score
from ethogram.metrics.models import Models, NamedModels
from ethogram.metrics.parallel import measured
from ethogram.metrics.reading import read_outputs
from ethogram.metrics.registry import DEFAULT_METRICS, chosen_metrics, refuse_silent
from ethogram.metrics.table import Evidence, ScoreRow, ScoreTable

#: Metrics that need a model take this many outputs at once: few enough that an encoder still
#: remembers their texts when the next metric asks.
BATCH = 256


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


class _Sums:
    """The running sums of one sample index.

    Attributes:
        outputs: how many were added.
        applies_to: metric name to how many of them have a value.
    """

    def __init__(self, metrics: Sequence[Metric]) -> None:
        self.outputs = 0
        self._parts: dict[str, list[float]] = {}
        self.applies_to = dict.fromkeys((metric.name for metric in metrics), 0)
        self._gatherers: dict[str, Gatherer] = {
            metric.name: metric.gather() for metric in metrics if metric.scope == "corpus"
        }

    def gather(self, metric: Metric, output: Output) -> None:
        """Take one output into a corpus metric."""
        self._gatherers[metric.name].add(output)
        self.applies_to[metric.name] += 1

    def add(self, metric: Metric, score: Score) -> None:
        """Take in one score."""
        sums = self._parts.setdefault(metric.name, [0.0] * len(score.parts))
        for position, part in enumerate(score.parts):
            sums[position] += part
        self.applies_to[metric.name] += score.value is not None

    def value(self, metric: Metric) -> float:
        """A metric's value over the outputs so far; NaN where it has seen none."""
        if metric.scope == "corpus":
            return self._gatherers[metric.name].value()
        return _value(metric, [self.parts(metric)])

    def parts(self, metric: Metric) -> Sequence[float]:
        """The summed parts of a metric; empty where it has seen no output."""
        return self._parts.get(metric.name, ())


class _Scorer:
    """Takes a stream of outputs and their scores through all metrics.

    Metrics of single outputs come with their scores, as other processes may have measured them;
    those that read a model are measured here, many outputs at once.

    Attributes:
        by_sample: sample index to its sums.
        over_prompts: sums of the metrics of all samples of a prompt.
        clearest: the evidence.
    """

    def __init__(
        self,
        metrics: Sequence[Metric],
        models: Models,
        on_progress: Callable[[int], None] | None = None,
    ) -> None:
        self._metrics, self._models = metrics, models
        self._on_progress, self._done = on_progress, 0
        self._single = [metric for metric in metrics if metric.reads_one_output]
        self._corpus = [metric for metric in metrics if metric.scope == "corpus"]
        self._in_batches = [m for m in metrics if m.scope == "output" and m.needs]
        self._of_groups = [metric for metric in metrics if metric.scope == "prompt"]
        self._batch: list[Output] = []
        self._prompts: dict[str, list[Output]] = {}
        self.by_sample: dict[int, _Sums] = {}
        self.over_prompts = _Sums(self._of_groups)
        self.clearest = _Clearest()

    def add(self, output: Output, scores: Sequence[Score]) -> None:
        """Take in one output and its scores, in the order of the metrics of single outputs."""
        sums = self.by_sample.get(output.sample_index)
        if sums is None:
            sums = self.by_sample[output.sample_index] = _Sums(self._metrics)
        sums.outputs += 1
        for corpus_metric in self._corpus:
            sums.gather(corpus_metric, output)
        for metric, score in zip(self._single, scores, strict=True):
            self._count(metric, output, score)
        if self._of_groups:
            self._prompts.setdefault(output.prompt_id, []).append(output)
            return
        if self._in_batches:
            self._batch.append(output)
            if len(self._batch) >= BATCH:
                self._measure_batch()
        self._advance(1)

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
        """Whole prompts, also by the metrics of single outputs that read a model."""
        if not groups:
            return
        self._batch = [output for group in groups for output in group]
        measured = len(self._batch)
        self._measure_batch()
        self.over_prompts.outputs += len(groups)
        for metric in self._of_groups:
            for score in metric.measure_groups(groups, self._models):
                self.over_prompts.add(metric, score)
        self._advance(measured)

    def _advance(self, outputs: int) -> None:
        self._done += outputs
        if self._on_progress:
            self._on_progress(self._done)

    def _count(self, metric: Metric, output: Output, score: Score) -> None:
        self.clearest.consider(metric, output, score)
        self.by_sample[output.sample_index].add(metric, score)

    def row(self, metric: Metric) -> ScoreRow:
        """The row of one metric."""
        if metric.scope == "prompt":
            sums = self.over_prompts
            return ScoreRow(metric, sums.value(metric), {}, sums.applies_to[metric.name])
        by_sample = {index: self.by_sample[index] for index in sorted(self.by_sample)}
        values = {index: sums.value(metric) for index, sums in by_sample.items()}
        if metric.scope == "corpus":
            value = self._mean(values)
        else:
            value = _value(metric, [sums.parts(metric) for sums in by_sample.values()])
        return ScoreRow(
            metric=metric,
            value=value,
            by_sample=values,
            applies_to=sum(sums.applies_to[metric.name] for sums in by_sample.values()),
            evidence=self.clearest.get(metric.name),
        )

    def _mean(self, values: Mapping[int, float]) -> float:
        """The mean over sample indices, weighed by their outputs, of those that have a value."""
        usable = {index: value for index, value in values.items() if not math.isnan(value)}
        if not usable:
            return math.nan
        total = sum(self.by_sample[index].outputs for index in usable)
        # The weights are divided first: of one sample index the mean is its value, to the bit.
        return sum(
            value * (self.by_sample[index].outputs / total) for index, value in usable.items()
        )


def _value(metric: Metric, parts: Sequence[Sequence[float]]) -> float:
    """The value of summed parts, all of which are empty where nothing was measured."""
    known = [each for each in parts if each]
    return float(metric.aggregate(np.sum(known, axis=0))) if known else math.nan


def score_outputs(
    outputs: Iterable[Output],
    metrics: Sequence[str] | Literal["all"] | None = None,
    *,
    human_text: str | Path | None = None,
    index: str | Path | None = None,
    models: Models | None = None,
    processes: int | None = 1,
    on_progress: Callable[[int], None] | None = None,
) -> ScoreTable:
    """Score outputs from any source in one pass.

    Args:
        outputs: for example `read_outputs("outputs.jsonl")`; any iterable, read once.
        metrics: names; default `DEFAULT_METRICS`. `"all"` for every metric that needs neither a
            model nor several samples, the default ones first. Pitfalls are not included;
            `find_pitfalls` counts them.
        human_text: file of human text that `human_…` metrics compare with; without it they do not
            apply.
        index: JSON file of known references, for `listed_references` and `fabricated_references`.
        models: for the metrics that need a model. Default: the built-in ones.
        processes: number of processes for metrics that need no model; None uses all cores if there
            are many outputs. The table is the same. Worker processes import the script that started
            them, so the script needs `if __name__ == "__main__":`; the default is therefore one.
        on_progress: called with how many outputs have been measured, after each; at the end of
            reading where a metric is of all samples of a prompt.

    Raises:
        SpecError: a name is unknown, a file cannot be read, a metric was named without the file
            that it needs, or there are no outputs.
        ModelError: a metric needs a model that cannot be had.
    """
    chosen, single = _chosen(metrics, _path(human_text), _path(index))
    if not single.names:
        processes = 1  # Nothing to share out.
    scorer = _Scorer(chosen, models or NamedModels(), on_progress)
    return _table(scorer, chosen, measured(outputs, single, processes))


def _chosen(
    metrics: Sequence[str] | Literal["all"] | None, human_text: Path | None, index: Path | None
) -> tuple[list[Metric], _SingleMetrics]:
    """The metrics, and what makes those of single outputs in another process."""
    wanted = metrics if metrics == "all" else tuple(metrics or DEFAULT_METRICS)
    if wanted != "all":
        refuse_silent(wanted, human_text, index)
    chosen = list(chosen_metrics(wanted, human_text, index))
    names = tuple(metric.name for metric in chosen if metric.reads_one_output)
    return chosen, _SingleMetrics(names, index)


def _score_on(
    placement: Placement,
    file: Path,
    metrics: Sequence[str] | Literal["all"] | None,
    human_text: str | Path | None,
    index: str | Path | None,
    models: Models | None,
    on_progress: Callable[[int], None] | None,
) -> ScoreTable:
    """Score a file, or the files of a folder, by the machines of a cluster."""
    from ethogram.metrics.pieces import files_of, measured_on

    files_of(file)  # Says what is missing before Ray is started.
    path = _path(index)
    chosen, single = _chosen(metrics, _path(human_text), path.resolve() if path else None)
    scorer = _Scorer(chosen, models or NamedModels(), on_progress)
    whole = len(single.names) < len(chosen)
    with connected(placement) as cluster:
        return _table(scorer, chosen, measured_on(cluster, file.resolve(), single, whole=whole))


def _table(
    scorer: _Scorer, chosen: Sequence[Metric], outputs: Iterable[tuple[Output, Sequence[Score]]]
) -> ScoreTable:
    for output, scores in outputs:
        scorer.add(output, scores)
    if not scorer.by_sample:
        raise SpecError("no outputs to score", hint="give at least one")
    scorer.finish()
    rows = [scorer.row(metric) for metric in chosen]
    total = sum(sums.outputs for sums in scorer.by_sample.values())
    return ScoreTable(total, sorted(scorer.by_sample), rows)


def _path(file: str | Path | None) -> Path | None:
    return None if file is None else Path(file)


@dataclass(frozen=True)
class _SingleMetrics:
    """Makes the metrics of single outputs that have these names, in whatever process."""

    names: tuple[str, ...]
    index: Path | None

    def __call__(self) -> list[Metric]:
        found = chosen_metrics(self.names, None, self.index) if self.names else []
        return [metric for metric in found if metric.reads_one_output]


def score(
    file: str | Path,
    metrics: Sequence[str] | Literal["all"] | None = None,
    *,
    select: str | None = None,
    human_text: str | Path | None = None,
    index: str | Path | None = None,
    models: Models | None = None,
    processes: int | None = 1,
    on_progress: Callable[[int], None] | None = None,
    on: str | Placement | None = None,
) -> ScoreTable:
    """Score the outputs in a file; shapes, fields and `select` as `read_outputs` says.

    The other arguments are those of `score_outputs`.

    `on` is `ray`, or the address of a Ray cluster whose machines reach the file, which may also be
    a folder of JSON lines and Parquet files: they read and measure pieces of it, and metrics that
    read a model are measured here.

    Raises:
        SpecError: a file cannot be read, a line is broken, or a metric's name is unknown.
        ModelError: a metric needs a model that cannot be had.
    """
    placement = Placement.of(on)
    if placement is not None:
        if select is not None:
            raise SpecError("--select cannot be combined with --on", where=str(file))
        given = (metrics, human_text, index, models, on_progress)
        return _score_on(placement, Path(file), *given)
    return score_outputs(
        read_outputs(file, select),
        metrics,
        human_text=human_text,
        index=index,
        models=models,
        processes=processes,
        on_progress=on_progress,
    )
