"""Measure: stored generations to numbers, per prompt and per version. Knows no files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ethogram.metrics import Metric, Output, Score, get
from ethogram.study.workspace import WHOLE, Part, Study

#: The columns of a run's table when study.yaml names none.
DEFAULT_METRICS = (
    "loop_rate",
    "rep_4",
    "diversity",
    "distinct_2",
    "words",
    "stop_rate",
    "answer_first",
    "self_perplexity",
)


@dataclass(frozen=True)
class Measured:
    """The scores of one version under one metric.

    Attributes:
        metric: what was measured.
        outputs: the outputs, in suite order.
        scores: one score per output.
    """

    metric: Metric
    outputs: Sequence[Output]
    scores: Sequence[Score]

    @property
    def value(self) -> float:
        """The version's value; NaN where the metric applies to no output."""
        return float(self.metric.aggregate(self.parts_by_prompt()[1].sum(axis=0)))

    def parts_by_prompt(self) -> tuple[list[str], np.ndarray[Any, np.dtype[np.float64]]]:
        """Prompt ids and the parts of each, averaged over its samples: [prompts, parts].

        The mean, not the sum, so that a greedy version with one sample and a sampled version with
        four weigh each prompt alike.
        """
        ids: dict[str, list[tuple[float, ...]]] = {}
        for output, score in zip(self.outputs, self.scores, strict=True):
            ids.setdefault(output.prompt_id, []).append(score.parts)
        parts = np.array([np.mean(np.array(rows), axis=0) for rows in ids.values()], dtype=float)
        return list(ids), parts

    def parts_by_sample(self) -> tuple[list[str], np.ndarray[Any, np.dtype[np.float64]]]:
        """Prompt ids and the parts of each output: [prompts, sample indices, parts].

        Rows of NaN stand where a prompt has no sample of that index.
        """
        rows = {
            prompt: row
            for row, prompt in enumerate(dict.fromkeys(each.prompt_id for each in self.outputs))
        }
        indices = 1 + max((output.sample_index for output in self.outputs), default=0)
        width = len(self.scores[0].parts) if self.scores else 0
        parts = np.full((len(rows), indices, width), np.nan)
        for output, score in zip(self.outputs, self.scores, strict=True):
            parts[rows[output.prompt_id], output.sample_index] = score.parts
        return list(rows), parts


def metric_names(study: Study) -> tuple[str, ...]:
    """The metrics of the study's table."""
    return study.spec.settings.metrics or DEFAULT_METRICS


def measure(
    study: Study, version: str, names: Sequence[str], part: Part = WHOLE
) -> dict[str, Measured]:
    """Score the stored generations of a version, or a part of them.

    Args:
        study: the opened study.
        version: its name.
        names: of the metrics.
        part: which of its generations.

    Raises:
        SpecError: a generation is missing, or a metric's name is unknown.
    """
    outputs = study.outputs(version, part)
    measured = {}
    for name in names:
        metric = get(name)
        measured[name] = Measured(metric, outputs, [metric.measure(output) for output in outputs])
    return measured
