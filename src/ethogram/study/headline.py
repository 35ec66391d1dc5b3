"""Headline: differences sorted by what they say, clear changes first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ethogram.study.difference import Difference
from ethogram.study.numbers import is_percentage, value_in

#: Verdicts in the order of a report, and the heading of each.
HEADINGS = {
    "better": "Better",
    "worse": "Worse",
    "changed": "Changed",
    "perhaps better": "Perhaps better",
    "perhaps worse": "Perhaps worse",
    "perhaps changed": "Perhaps changed",
    "no clear change": "Cannot tell",
    "not measured": "Not measured",
}
CLEAR = ("better", "worse", "changed")
#: Heading of metrics that have the same value on every prompt.
SAME = "Same in both"


def is_same(item: Difference) -> bool:
    """Whether no prompt differs, so that a row of zeros would say nothing."""
    return item.estimate == 0 and item.low == 0 and item.high == 0


def by_verdict(items: Iterable[Difference]) -> dict[str, list[Difference]]:
    """Heading to the differences under it, in the order of a report."""
    found: dict[str, list[Difference]] = {heading: [] for heading in HEADINGS.values()}
    found[SAME] = []
    for item in items:
        found[SAME if is_same(item) else HEADINGS[item.verdict]].append(item)
    return {heading: members for heading, members in found.items() if members}


def sentence(items: Sequence[Difference]) -> str:
    """One line: how many metrics changed clearly, and how."""
    groups = by_verdict(items)
    clear = [
        f"{len(groups[heading])} {verdict}"
        for verdict, heading in HEADINGS.items()
        if verdict in CLEAR and heading in groups
    ]
    if clear:
        return f"Clear changes in {len(items)} metrics: {', '.join(clear)}."
    return f"No clear change in {_counted(len(items), 'metric')}."


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def in_words(heading: str, members: Sequence[Difference]) -> str:
    """The metrics under a heading: clear ones with their values, others by name and n."""
    if heading == HEADINGS["not measured"]:
        return ", ".join(item.metric.title for item in members)
    if heading == SAME:
        return ", ".join(
            f"{item.metric.title} ({value_in(item.metric.unit, item.after)})" for item in members
        )
    only_names = heading == HEADINGS["no clear change"]
    names = [
        item.metric.title if only_names else f"{item.metric.title} {from_to(item)}"
        for item in members
    ]
    prompts = [item.test.prompts for item in members]
    if len(set(prompts)) == 1:
        return f"{', '.join(names)} (n {prompts[0]})"
    return ", ".join(f"{name} (n {n})" for name, n in zip(names, prompts, strict=True))


def from_to(item: Difference) -> str:
    """Both values: `35.7 → 0.0 %`."""
    before, after = (value_in(item.metric.unit, value) for value in (item.before, item.after))
    if is_percentage(item.metric.unit):
        before = before.removesuffix(" %")
    return f"{before} → {after}"


def doubt(item: Difference) -> str:
    """Why an interval is unreliable; empty if it is not."""
    return f"? unreliable interval: {item.test.warning}" if item.is_unreliable else ""
