"""Ablate: which of a version's changes did it. Each change alone, and each left out.

A version that changes several settings at once shows only what all of them did together. Every
change is therefore made alone on the parent, and left out of the child; both are compared with
the version that lacks that one change.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ethogram.errors import SpecError
from ethogram.spec import Change, diff_versions
from ethogram.spec.source import SourceMap, validate
from ethogram.spec.version import BEHAVIOUR_FIELDS, Version
from ethogram.study.aims import aim_metrics
from ethogram.study.difference import Difference, differences
from ethogram.study.measure import measure, metric_names
from ethogram.study.record import OnProgress
from ethogram.study.run import Maker
from ethogram.study.workspace import Study


@dataclass(frozen=True)
class Ablated:
    """One change of a version, in both directions.

    Attributes:
        change: what differs between parent and child.
        alone: by metric, the parent with this change against the parent; empty where the change
            alone is no valid version, or has no effect alone.
        left_out: by metric, the child against the child without this change; empty likewise.
        alone_note: why `alone` is empty.
        left_out_note: why `left_out` is empty.
    """

    change: Change
    alone: dict[str, Difference]
    left_out: dict[str, Difference]
    alone_note: str = ""
    left_out_note: str = ""

    def did(self, metric: str) -> bool:
        """Whether both directions show it clearly, the same way."""
        if metric not in self.alone or metric not in self.left_out:
            return False
        one, other = self.alone[metric], self.left_out[metric]
        return one.is_clear and other.is_clear and one.estimate * other.estimate > 0

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "change": self.change.to_json(),
            "alone": [item.to_json() for item in self.alone.values()],
            "alone_note": self.alone_note or None,
            "left_out": [item.to_json() for item in self.left_out.values()],
            "left_out_note": self.left_out_note or None,
        }


@dataclass(frozen=True)
class Ablation:
    """All changes of a version, each by itself.

    Attributes:
        version: its name.
        parent: of its parent.
        metrics: what was measured, aims first.
        together: by metric, the version against its parent.
        changes: each change in both directions.
        generations: made for it.
    """

    version: str
    parent: str
    metrics: Sequence[str]
    together: dict[str, Difference]
    changes: Sequence[Ablated]
    generations: int

    def causes(self, metric: str) -> list[Ablated]:
        """Changes that moved a metric clearly alone and whose lack clearly moves it back."""
        return [each for each in self.changes if each.did(metric)]

    def sentence(self, metric: str) -> str:
        """Which change did it, in words."""
        title = self.together[metric].metric.title
        if not self.together[metric].is_clear:
            return f"{title}: the changes together had no clear effect"
        causes = [each.change.field for each in self.causes(metric)]
        if causes:
            return f"{title}: {' and '.join(causes)} did it, alone and when left out"
        alone = [c.change.field for c in self.changes if _clear(c.alone, metric)]
        needed = [c.change.field for c in self.changes if _clear(c.left_out, metric)]
        if alone:
            return f"{title}: {' or '.join(alone)} suffices alone; none is needed"
        if needed:
            return f"{title}: {' and '.join(needed)} is needed; none suffices alone"
        return f"{title}: no single change shows it; only together do they move it"

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "version": self.version,
            "parent": self.parent,
            "together": [item.to_json() for item in self.together.values()],
            "changes": [each.to_json() for each in self.changes],
            "findings": [self.sentence(name) for name in self.metrics],
            "generations": self.generations,
        }


def ablate(
    study: Study,
    version: str,
    *,
    metrics: Sequence[str] | None = None,
    on_progress: OnProgress | None = None,
    on_wait: Callable[[], None] | None = None,
    on_load: Callable[[str], None] | None = None,
) -> Ablation:
    """Run a version's changes one by one, to find which of them caused which effect.

    Args:
        study: the opened study.
        version: one that changes at least two settings of its parent.
        metrics: names; default: its aims, else the study's table.
        on_progress: called as generations finish.
        on_wait: called once if another run holds the study.
        on_load: called with a model's name before it is loaded.

    Raises:
        SpecError: the version has no parent, its outputs are imported, or it changes fewer than two
            settings.
        EthogramError: what a run can raise; earlier generations are kept.
    """
    child = study.spec.version(version)
    if child.parent is None:
        raise SpecError("it has no parent to compare its changes with", where=version)
    parent = study.spec.version(child.parent)
    if child.outputs or parent.outputs:
        raise SpecError("its outputs are imported and cannot be generated again", where=version)
    changes = diff_versions(parent, child)
    if len(changes) < 2:
        raise SpecError(
            f"it changes {len(changes)} setting{'' if len(changes) == 1 else 's'}",
            where=version,
            hint=f"compare it: ethogram compare {child.parent} {version}",
        )
    names = tuple(metrics or aim_metrics(study, version)[: len(child.aim)] or metric_names(study))
    plans = [_Plan(study, change, child.parent, version) for change in changes]
    made = {plan.name(way): variant for plan in plans for way, variant in plan.variants.items()}
    view = study.with_versions(made)
    with Maker(study, on_progress, on_wait, on_load) as maker:
        done = maker.make(view, [child.parent, version, *made])
    return Ablation(
        version=version,
        parent=child.parent,
        metrics=names,
        together=_against(view, child.parent, version, names),
        changes=[plan.compare(view, names) for plan in plans],
        generations=sum(each.generations for each in done.values()),
    )


class _Plan:
    """The two variants that isolate one change."""

    def __init__(self, study: Study, change: Change, parent: str, child: str) -> None:
        self.change, self.parent, self.child = change, parent, child
        self.variants: dict[str, Version] = {}
        self.notes = {"alone": "", "left_out": ""}
        for way, base, donor in (("alone", parent, child), ("left_out", child, parent)):
            start = study.spec.version(base)
            try:
                variant = _with_field(start, study.spec.version(donor), change.field, base)
            except SpecError as error:
                self.notes[way] = f"not a valid version: {error.what}"
                continue
            if variant.identity == start.identity:
                self.notes[way] = "no effect by itself"
                continue
            self.variants[way] = variant

    def name(self, way: str) -> str:
        """What the variant is called in messages; no version file has such a name."""
        sign = "+" if way == "alone" else "-"
        return f"{self.parent if way == 'alone' else self.child}{sign}{self.change.field}"

    def compare(self, view: Study, names: Sequence[str]) -> Ablated:
        """Both directions as differences that have the sign of the change."""
        found: dict[str, dict[str, Difference]] = {"alone": {}, "left_out": {}}
        if "alone" in self.variants:
            found["alone"] = _against(view, self.parent, self.name("alone"), names)
        if "left_out" in self.variants:
            found["left_out"] = _against(view, self.name("left_out"), self.child, names)
        return Ablated(
            self.change,
            **found,
            alone_note=self.notes["alone"],
            left_out_note=self.notes["left_out"],
        )


def _with_field(start: Version, donor: Version, field: str, where: str) -> Version:
    """A version with one setting of another.

    Raises:
        SpecError: the setting does not fit the others.
    """
    form = {
        name: value
        for name, value in start.model_dump(mode="python").items()
        if name in (*BEHAVIOUR_FIELDS, "suite", "samples")
    }
    group, _, setting = field.partition(".")
    if setting:
        form[group] = {**form[group], setting: getattr(getattr(donor, group), setting)}
    else:
        form[group] = getattr(donor, group)
    return validate(Version, {**form, "parent": where}, Path(where), SourceMap())


def _against(view: Study, before: str, after: str, names: Sequence[str]) -> dict[str, Difference]:
    first, second = (measure(view, name, names) for name in (before, after))
    return differences(first, second, names, before, after, coupled=view.coupled(before, after))


def _clear(found: dict[str, Difference], metric: str) -> bool:
    return metric in found and found[metric].is_clear
