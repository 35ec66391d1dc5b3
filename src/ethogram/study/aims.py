"""Aims: whether a version moved what it was meant to move, and at what price.

The metrics of `aim:` are one family of tests, corrected for each other alone; all other metrics
are exploration.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ethogram.errors import SpecError
from ethogram.metrics import get
from ethogram.spec.aims import Way
from ethogram.study.difference import Difference, differences
from ethogram.study.measure import Measured, measure
from ethogram.study.workspace import Study

Outcome = Literal["met", "not met", "undecided"]
#: Changes below this count as none: points of a share or a percentage, …
SAME_POINTS = 5.0
#: … and a share of the parent's value for every other unit.
SAME_SHARE = 0.1


@dataclass(frozen=True)
class Aim:
    """One metric that a version was meant to move.

    Attributes:
        difference: the paired test against the parent, adjusted for the other aims.
        way: where it was meant to move.
        outcome: met: clearly that way (same: the interval lies within the margin); not met:
            clearly the other way, or the interval leaves no room for a change beyond the margin
            (same: it lies outside the margin); else undecided.
        needed: prompts in all that would decide it four times in five, if the change is as
            measured; None where no number would.
    """

    difference: Difference
    way: Way
    outcome: Outcome
    needed: int | None

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            **self.difference.to_json(),
            "way": self.way,
            "outcome": self.outcome,
            "prompts_needed": self.needed,
        }


@dataclass(frozen=True)
class Aims:
    """All aims of a version, and what else got worse.

    Attributes:
        aims: in the order of the version file; at least one.
        price: other metrics that got worse, clear ones first.
    """

    aims: Sequence[Aim]
    price: Sequence[Difference]

    @property
    def outcome(self) -> Outcome:
        """Met where all are; not met where one is not; else undecided."""
        outcomes = {aim.outcome for aim in self.aims}
        if outcomes == {"met"}:
            return "met"
        return "not met" if "not met" in outcomes else "undecided"

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "outcome": self.outcome,
            "aims": [aim.to_json() for aim in self.aims],
            "price": [difference.to_json() for difference in self.price],
        }


def judge_aims(
    study: Study,
    version: str,
    before: Mapping[str, Measured],
    after: Mapping[str, Measured],
    others: Mapping[str, Difference],
) -> Aims | None:
    """Test a version's aims against its parent.

    Args:
        study: the opened study.
        version: its name.
        before: the parent's scores, those of the aims among them.
        after: its own.
        others: exploration: differences among which the price is looked for.

    Returns:
        None where the version has no aim or no parent.
    """
    resolved = study.versions[version]
    ways, parent = resolved.aim, resolved.parent
    if not ways or parent is None:
        return None
    found = differences(
        before, after, list(ways), parent, version, coupled=study.coupled(parent, version)
    )
    aims = [_aim(found[name], way) for name, way in ways.items()]
    worse = [
        item
        for name, item in others.items()
        if name not in ways and item.verdict in ("worse", "perhaps worse")
    ]
    return Aims(aims, sorted(worse, key=lambda item: (not item.is_clear, item.p_adjusted)))


def aim_metrics(study: Study, version: str) -> tuple[str, ...]:
    """Names of the metrics that a version's aims and notes rest on.

    Raises:
        SpecError: there is no such version, or no such metric; names the field and the nearest.
    """
    resolved, places = study.spec.version(version), study.spec.places[version]
    named: list[tuple[tuple[str | int, ...], str]] = [
        (("aim", name), name) for name in resolved.aim
    ]
    named += [(("title_shown_by", name), name) for name in resolved.title_shown_by]
    for kind in ("learned", "takeaway", "limitation", "notes"):
        for place, note in enumerate(getattr(resolved, kind)):
            named += [((kind, place, "shown_by", name), name) for name in note.shown_by]
    for path, name in named:
        try:
            get(name)
        except SpecError as error:
            where = places.where(path, study.spec.folder / "versions" / f"{version}.yaml")
            raise SpecError(f"{name!r}: {error.what}", where=where, hint=error.hint) from None
    return tuple(dict.fromkeys(name for _, name in named))


def compare_aims(study: Study, version: str, others: Mapping[str, Difference]) -> Aims | None:
    """`judge_aims` on scores measured here."""
    resolved = study.versions[version]
    if not resolved.aim or resolved.parent is None:
        return None
    aim_metrics(study, version)
    names = tuple(resolved.aim)
    first, second = (
        measure(study, name, names, accept="earlier") for name in (resolved.parent, version)
    )
    return judge_aims(study, version, first, second, others)


def margin(difference: Difference) -> float:
    """The least change that counts, in the metric's own unit."""
    unit = str(difference.metric.unit)
    if unit == "share":
        return SAME_POINTS / 100
    if unit == "percent":
        return SAME_POINTS
    return SAME_SHARE * abs(difference.before)


def moved(difference: Difference, way: Way) -> Outcome:
    """Whether a metric moved the way it was meant to."""
    low, high = difference.low, difference.high
    if math.isnan(low) or math.isnan(high):
        return "undecided"
    if way == "same":
        least = margin(difference)
        if -least <= low and high <= least and difference.test.reliable:
            return "met"
        return "not met" if difference.is_clear and (low > least or high < -least) else "undecided"
    turned = 1 if way == "higher" else -1
    if difference.is_clear:
        return "met" if turned * difference.estimate > 0 else "not met"
    best = high if way == "higher" else -low
    hopeless = best < margin(difference) and difference.test.reliable
    return "not met" if hopeless else "undecided"


def _aim(difference: Difference, way: Way) -> Aim:
    outcome = moved(difference, way)
    needed = difference.needed.prompts if outcome == "undecided" else None
    if needed is not None and needed <= difference.test.prompts:
        # So many would show it alone; beside other aims, or on few differing prompts, twice.
        needed = 2 * difference.test.prompts
    return Aim(difference, way, outcome, needed)
