"""Compare: two versions on the same prompts, with intervals and samples side by side."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ethogram.errors import SpecError
from ethogram.metrics import Additive, Output
from ethogram.spec import Change, diff_versions
from ethogram.stats import paired_bootstrap
from ethogram.study.measure import Measured, measure, metric_names
from ethogram.study.workspace import Study

RESAMPLES = 5000
#: Seed of the bootstrap, fixed so that every number of a log can be derived again.
BOOTSTRAP_SEED = 20260101


@dataclass(frozen=True)
class Difference:
    """One metric of two versions: after minus before, with its 95 % interval over prompts."""

    metric: Additive
    before: float
    after: float
    low: float
    high: float

    @property
    def estimate(self) -> float:
        """After minus before."""
        return self.after - self.before

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval lies wholly on one side of zero."""
        return self.low > 0 or self.high < 0

    @property
    def verdict(self) -> str:
        """better, worse, changed (no direction) or no clear change."""
        if not self.excludes_zero:
            return "no clear change"
        if self.metric.direction == "none":
            return "changed"
        rose = self.estimate > 0
        return "better" if rose == (self.metric.direction == "higher") else "worse"

    def to_json(self) -> dict[str, Any]:
        """Plain data; NaN becomes null."""
        numbers = {
            "before": self.before,
            "after": self.after,
            "difference": self.estimate,
            "low": self.low,
            "high": self.high,
        }
        return {
            "metric": self.metric.name,
            "unit": self.metric.unit,
            **{key: None if np.isnan(value) else value for key, value in numbers.items()},
            "verdict": self.verdict,
        }


@dataclass(frozen=True)
class SideBySide:
    """The outputs of both versions for one prompt and sample index."""

    prompt_id: str
    prompt: str
    sample_index: int
    before: str
    after: str


@dataclass(frozen=True)
class Comparison:
    """What changed from one version to another and what it did."""

    before: str
    after: str
    changes: Sequence[Change]
    differences: Sequence[Difference]
    samples: Sequence[SideBySide]
    prompts: int

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "before": self.before,
            "after": self.after,
            "prompts": self.prompts,
            "changes": [change.to_json() for change in self.changes],
            "differences": [difference.to_json() for difference in self.differences],
            "samples": [
                {
                    "prompt_id": sample.prompt_id,
                    "prompt": sample.prompt,
                    "sample_index": sample.sample_index,
                    "before": sample.before,
                    "after": sample.after,
                }
                for sample in self.samples
            ],
        }

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{html.escape(d.metric.title)}</td><td>{d.before:.4g}</td>"
            f"<td>{d.after:.4g}</td><td>{d.estimate:+.3g} [{d.low:+.3g}, {d.high:+.3g}]</td>"
            f"<td>{d.verdict}</td></tr>"
            for d in self.differences
        )
        head = f"<tr><th>metric</th><th>{self.before}</th><th>{self.after}</th>"
        return f"<table>{head}<th>difference, 95 %</th><th></th></tr>{rows}</table>"


def compare(
    study: Study,
    before: str,
    after: str,
    *,
    metrics: Sequence[str] | None = None,
    samples: int = 3,
) -> Comparison:
    """Compare two versions on the prompts that both have.

    Args:
        study: the opened study.
        before: name of the first version (usually the parent).
        after: name of the second.
        metrics: names; default those of the study's table.
        samples: how many prompts to show side by side.

    Raises:
        SpecError: a generation is missing, or the versions share no prompt.
    """
    names = tuple(metrics or metric_names(study))
    first, second = measure(study, before, names), measure(study, after, names)
    differences = [difference(first[name], second[name], before, after) for name in names]
    pairs = _side_by_side(next(iter(first.values())), next(iter(second.values())))
    return Comparison(
        before=before,
        after=after,
        changes=diff_versions(study.spec.version(before), study.spec.version(after)),
        differences=differences,
        samples=pairs[: samples or None] if samples else [],
        prompts=len({pair.prompt_id for pair in pairs}),
    )


def difference(first: Measured, second: Measured, before: str, after: str) -> Difference:
    """The paired difference of one metric over the prompts that both versions have.

    Raises:
        SpecError: the versions share no prompt.
    """
    ids_a, parts_a = first.parts_by_prompt()
    ids_b, parts_b = second.parts_by_prompt()
    row_b = {prompt: row for row, prompt in enumerate(ids_b)}
    shared = [(row, row_b[prompt]) for row, prompt in enumerate(ids_a) if prompt in row_b]
    if not shared:
        raise SpecError(
            "they share no prompt",
            where=f"{before} and {after}",
            mend="compare versions that run on the same suite",
        )
    rows_a, rows_b = (list(rows) for rows in zip(*shared, strict=True))
    metric = first.metric
    interval = paired_bootstrap(
        parts_a[rows_a],
        parts_b[rows_b],
        metric.aggregate,
        resamples=RESAMPLES,
        seed=BOOTSTRAP_SEED,
    )
    return Difference(
        metric=metric,
        before=float(metric.aggregate(parts_a[rows_a].sum(axis=0))),
        after=float(metric.aggregate(parts_b[rows_b].sum(axis=0))),
        low=interval.low,
        high=interval.high,
    )


def _side_by_side(first: Measured, second: Measured) -> list[SideBySide]:
    """One pair per prompt; a greedy version's only sample stands for every index."""
    after: dict[str, Output] = {}
    for output in second.outputs:
        after.setdefault(output.prompt_id, output)
    pairs: dict[str, SideBySide] = {}
    for output in first.outputs:
        other = after.get(output.prompt_id)
        if other is None or output.prompt_id in pairs:
            continue
        pairs[output.prompt_id] = SideBySide(
            output.prompt_id, output.prompt, other.sample_index, output.text, other.text
        )
    return list(pairs.values())
