"""Compare: two versions on the same prompts, with intervals and samples side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ethogram.metrics import Output, Span
from ethogram.spec import Change, Version, diff_versions
from ethogram.spec.endpoint import is_remote
from ethogram.study.aims import Aims, compare_aims
from ethogram.study.calling import missing_key, takes_study
from ethogram.study.difference import Difference, differences
from ethogram.study.measure import Measured, measure, metric_names
from ethogram.study.most_changed import most_changed
from ethogram.study.notebook import comparison_html
from ethogram.study.reading import loop_spans, pairs_by_prompt
from ethogram.study.shared_prompts import shared_prompts
from ethogram.study.stale import results_of
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
        before_loop: the repetitions of a loop in `before`, if there is one.
        after_loop: the same in `after`.
    """

    prompt_id: str
    prompt: str
    sample_index: int
    before: str
    after: str
    before_loop: Sequence[Span] = ()
    after_loop: Sequence[Span] = ()


@dataclass(frozen=True)
class Comparison:
    """What changed from one version to another and what it did.

    Attributes:
        before: name of the first version.
        after: name of the second.
        changes: settings that differ.
        differences: one per metric.
        samples: outputs of both for some prompts, those that changed most first.
        prompts: that both versions have.
        title: of the second version.
        outputs: how many outputs each version has.
        own_prompts: how many prompts each version has, shared or not.
        stale: which side's results are not those of the version as it is now, and why.
        aims: what came of the second version's aims, where the first is its parent.
        processors: kinds of processors that computed the outputs, and how many each.
        endpoint: what cannot be known, where a version's model is at an endpoint.
    """

    before: str
    after: str
    changes: Sequence[Change]
    differences: Sequence[Difference]
    samples: Sequence[SideBySide]
    prompts: int
    title: str = ""
    outputs: tuple[int, int] = (0, 0)
    own_prompts: tuple[int, int] = (0, 0)
    stale: str = ""
    aims: Aims | None = None
    processors: Mapping[str, int] = field(default_factory=dict)
    endpoint: str = ""

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
            "stale": self.stale,
            "endpoint": self.endpoint,
            "prompts": self.prompts,
            "own_prompts": list(self.own_prompts),
            "aims": self.aims.to_json() if self.aims else None,
            "processors": dict(self.processors),
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
        return comparison_html(self)


@takes_study
def compare(
    study: Study,
    before: str,
    after: str,
    *,
    metrics: str | Sequence[str] | None = None,
    samples: int = 3,
    prompts: Sequence[str] | None = None,
) -> Comparison:
    """Compare two versions on the prompts that both have.

    Args:
        study: the opened study.
        before: name of the first version (usually the parent).
        after: name of the second.
        metrics: a name or several; default those of the study's table.
        samples: how many prompts to show side by side: those that changed most, by the metrics that
            changed clearly.
        prompts: ids of prompts to show instead.

    Raises:
        SpecError: a generation is missing, the versions share no prompt or not one of `prompts`, or
            an id is used for two different prompts.
    """
    names = (metrics,) if isinstance(metrics, str) else tuple(metrics or metric_names(study))
    ran = [results_of(study, version) for version in (before, after)]
    first, second = (measure(study, each, names, accept="earlier") for each in (before, after))
    coupled = study.coupled(before, after)
    found = differences(first, second, names, before, after, coupled=coupled)
    one, two = (
        measure(study, each, ("loop_rate",), accept="earlier")["loop_rate"]
        for each in (before, after)
    )
    stale = [(name, each.stale) for name, each in zip((before, after), ran, strict=True)]
    if any(why for _, why in stale):
        shared = shared_prompts(one.prompts, two.prompts, before, after, skip_reworded=True)
    else:
        shared = [prompt for prompt in one.places if prompt in two.places]
    chosen = most_changed(first, second, found, shared, samples=samples, prompts=prompts)
    pairs = [_pair(one, two, prompt) for prompt in chosen]
    return Comparison(
        before=before,
        after=after,
        changes=diff_versions(ran[0].version, ran[1].version),
        differences=list(found.values()),
        samples=[
            SideBySide(
                prompt_id=a.prompt_id,
                prompt=a.prompt,
                sample_index=b.sample_index,
                before=a.text,
                after=b.text,
                before_loop=loop_spans(a),
                after_loop=loop_spans(b),
            )
            for a, b in pairs
        ],
        prompts=len(shared),
        title=study.spec.version(after).title,
        outputs=(len(one.outputs), len(two.outputs)),
        own_prompts=(len(one.places), len(two.places)),
        stale="; ".join(f"{name} {why}" for name, why in stale if why),
        aims=compare_aims(study, after, found) if before == study.versions[after].parent else None,
        processors=study.store.processors([each for side in ran for each in side.identities]),
        endpoint=endpoint_words({before: ran[0].version, after: ran[1].version}),
    )


def _pair(before: Measured, after: Measured, prompt: str) -> tuple[Output, Output]:
    """An output of each version: of the first sample index of both, else the first of each."""
    sides = [[output for _, output, _ in side.of_prompt(prompt)] for side in (before, after)]
    return pairs_by_prompt(*sides)[prompt]


def endpoint_words(versions: Mapping[str, Version]) -> str:
    """What cannot be known of versions whose model is at an endpoint; empty if there is none."""
    remote = [name for name, version in versions.items() if is_remote(version.model)]
    if not remote:
        return ""
    verb = "are" if len(remote) > 1 else "is"
    return (
        f"{' and '.join(remote)} {verb} at an endpoint: no common random numbers, no traces and no "
        "token probabilities; outputs need not come out the same again, and the weights behind a "
        "name can change"
    )
