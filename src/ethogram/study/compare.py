"""Compare: two versions on the same prompts, with intervals and samples side by side."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ethogram.metrics import Output
from ethogram.spec import Change, diff_versions
from ethogram.study.calling import missing_key, takes_study
from ethogram.study.difference import Difference, differences
from ethogram.study.measure import measure, metric_names
from ethogram.study.workspace import Study


@dataclass(frozen=True)
class SideBySide:
    """An output of each version for one prompt.

    Attributes:
        prompt_id: which prompt.
        prompt: its text.
        sample_index: of both outputs; where the versions share none, of the second.
        before: output of the first version.
        after: output of the second.
    """

    prompt_id: str
    prompt: str
    sample_index: int
    before: str
    after: str


@dataclass(frozen=True)
class Comparison:
    """What changed from one version to another, and its effect."""

    before: str
    after: str
    changes: Sequence[Change]
    differences: Sequence[Difference]
    samples: Sequence[SideBySide]
    prompts: int

    def __getitem__(self, metric: str) -> Difference:
        """The difference of one metric, by its name."""
        found = {item.metric.name: item for item in self.differences}
        if metric not in found:
            raise missing_key(metric, found)
        return found[metric]

    def __repr__(self) -> str:
        heading = f"Comparison {self.before} → {self.after}, {self.prompts} prompts"
        return "\n  ".join([heading, *map(str, self.differences)])

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


@takes_study
def compare(
    study: Study,
    before: str,
    after: str,
    *,
    metrics: str | Sequence[str] | None = None,
    samples: int = 3,
) -> Comparison:
    """Compare two versions on the prompts that both have.

    Args:
        study: the opened study.
        before: name of the first version (usually the parent).
        after: name of the second.
        metrics: a name or several; default those of the study's table.
        samples: how many prompts to show side by side.

    Raises:
        SpecError: a generation is missing, the versions share no prompt, or an id is used for two
            different prompts.
    """
    names = (metrics,) if isinstance(metrics, str) else tuple(metrics or metric_names(study))
    first, second = measure(study, before, names), measure(study, after, names)
    coupled = study.coupled(before, after)
    found = differences(first, second, names, before, after, coupled=coupled)
    pairs = _side_by_side(study.outputs(before), study.outputs(after))
    return Comparison(
        before=before,
        after=after,
        changes=diff_versions(study.spec.version(before), study.spec.version(after)),
        differences=list(found.values()),
        samples=pairs[: samples or None] if samples else [],
        prompts=len({pair.prompt_id for pair in pairs}),
    )


def _side_by_side(first: Sequence[Output], second: Sequence[Output]) -> list[SideBySide]:
    """One pair per prompt: the first sample index of both, else the first output of each."""
    one, two = _by_index(first), _by_index(second)
    pairs = []
    for prompt_id in (each for each in one if each in two):
        a, b = one[prompt_id], two[prompt_id]
        same = min(a.keys() & b.keys(), default=None)
        before = a[min(a) if same is None else same]
        after = b[min(b) if same is None else same]
        pairs.append(
            SideBySide(prompt_id, before.prompt, after.sample_index, before.text, after.text)
        )
    return pairs


def _by_index(outputs: Sequence[Output]) -> dict[str, dict[int, Output]]:
    """Prompt id to sample index to output."""
    found: dict[str, dict[int, Output]] = {}
    for output in outputs:
        found.setdefault(output.prompt_id, {})[output.sample_index] = output
    return found
