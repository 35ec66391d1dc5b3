"""Compare by tag: the differences of two versions on the prompts of each tag apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ethogram.errors import SpecError
from ethogram.metrics import Output
from ethogram.stats import adjust
from ethogram.study.difference import Difference, difference
from ethogram.study.measure import Measured, measure, metric_names
from ethogram.study.notebook import by_tag_html
from ethogram.study.stale import stored_results
from ethogram.study.stored_outputs import outputs_of
from ethogram.study.workspace import Study


@dataclass(frozen=True)
class TagComparison:
    """Two versions compared on the prompts of each tag.

    Attributes:
        before: name of the first version.
        after: name of the second.
        tags: tag to the differences, one per metric; prompts with two tags count under both.
        stale: which side's results are not those of the version as it is now, and why.
    """

    before: str
    after: str
    tags: Mapping[str, Sequence[Difference]]
    stale: str = ""

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "before": self.before,
            "after": self.after,
            "stale": self.stale,
            "tags": {tag: [each.to_json() for each in found] for tag, found in self.tags.items()},
        }

    def _repr_html_(self) -> str:
        return by_tag_html(self)


def compare_by_tag(
    study: Study, before: str, after: str, *, metrics: Sequence[str] | None = None
) -> TagComparison:
    """Compare two versions on the prompts of each tag; p-values are adjusted over all of them.

    Args:
        study: the opened study.
        before: name of the first version.
        after: name of the second.
        metrics: names; default those of the study's table.

    Raises:
        SpecError: no prompt has a tag, or what `compare` raises.
    """
    names = tuple(metrics or metric_names(study))
    first, second = (measure(study, each, names, accept="earlier") for each in (before, after))
    coupled = study.coupled(before, after)
    results = [(name, stored_results(study, name)) for name in (before, after)]
    one, two = (outputs_of(study, name, results=found) for name, found in results)
    kept = {output.prompt_id for output in two}
    tags = dict.fromkeys(tag for output in one if output.prompt_id in kept for tag in output.tags)
    if not tags:
        raise SpecError(
            "no prompt has a tag", where=f"{before} and {after}", hint="give the suite `tags`"
        )
    found = [
        (
            tag,
            difference(
                _only(first[name], tag), _only(second[name], tag), before, after, coupled=coupled
            ),
        )
        for tag in tags
        for name in names
    ]
    adjusted = adjust([each.test.p for _, each in found], "holm")
    by_tag: dict[str, list[Difference]] = {tag: [] for tag in tags}
    for (tag, each), p in zip(found, adjusted, strict=True):
        by_tag[tag].append(replace(each, p_adjusted=float(p)))
    stale = "; ".join(f"{name} {found.stale}" for name, found in results if found.stale)
    return TagComparison(before, after, by_tag, stale)


def _only(measured: Measured, tag: str) -> Measured:
    """The scores of the outputs with a tag."""
    kept: list[tuple[Output, Any]] = [
        (output, score)
        for output, score in zip(measured.outputs, measured.scores, strict=True)
        if tag in output.tags
    ]
    return replace(measured, outputs=[o for o, _ in kept], scores=[s for _, s in kept])
