"""Tables for notebooks: the same words, marks and numbers as in a terminal."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ethogram.study.difference import Difference
from ethogram.study.headline import by_verdict, doubt, is_same, sentence
from ethogram.study.numbers import difference_in, interval_in, p_value, value_in
from ethogram.study.reading import marked_loop
from ethogram.study.wording import aim_sentence

if TYPE_CHECKING:
    from ethogram.study.aims import Aims
    from ethogram.study.by_tag import TagComparison
    from ethogram.study.compare import Comparison, SideBySide
    from ethogram.study.result import RunResult, VersionResult

_COLOUR = {"better": "#1d7a46", "worse": "#b3372f", "changed": "#8a6a10"}
_HEAD = ("", "metric", "before", "after", "difference", "95 % interval", "p", "n", "")


def comparison_html(found: Comparison) -> str:
    """Headline, changes, differences by verdict, and the prompts that changed most."""
    changes = "".join(f"<li>{html.escape(change.plain)}</li>" for change in found.changes)
    samples = "".join(map(_sample, found.samples))
    return (
        f"<p><b>{html.escape(found.before)} → {html.escape(found.after)}</b> "
        f"{html.escape(found.title)}<br>{_aims(found.aims)}"
        f"{html.escape(sentence(found.differences))} "
        f"{found.prompts} prompts.</p><ul>{changes}</ul>"
        f"{differences_html(found.differences)}{samples}"
    )


def _aims(aims: Aims | None) -> str:
    return f"{html.escape(aim_sentence(aims))}<br>Exploration: " if aims else ""


def differences_html(items: Sequence[Difference]) -> str:
    """Differences by verdict; a row of zeros is left out."""
    rows = "".join(
        _row(heading, item)
        for heading, members in by_verdict(items).items()
        for item in members
        if not is_same(item)
    )
    head = "".join(f"<th>{name}</th>" for name in _HEAD)
    same = ", ".join(item.metric.title for item in items if is_same(item))
    note = f"<p>Same in both: {html.escape(same)}</p>" if same else ""
    return f"<table><tr>{head}</tr>{rows}</table>{note}"


def _row(heading: str, item: Difference) -> str:
    unit = item.metric.unit
    interval = interval_in(unit, item.low, item.high)
    style = f' style="color:{_COLOUR[item.verdict]}"' if item.is_clear else ""
    cells = (
        item.metric.title,
        value_in(unit, item.before),
        value_in(unit, item.after),
        difference_in(unit, item.estimate),
        f"{interval} ?" if doubt(item) else interval,
        p_value(item.p_adjusted),
        str(item.test.prompts),
        doubt(item),
    )
    body = "".join(f"<td>{html.escape(cell)}</td>" for cell in cells)
    return f"<tr><td{style}>{heading}</td>{body}</tr>"


def _sample(sample: SideBySide) -> str:
    sides = ((sample.before, sample.before_loop), (sample.after, sample.after_loop))
    cells = "".join(
        f'<td style="white-space:pre-wrap;text-align:left;vertical-align:top">'
        f"{html.escape(marked_loop(text, loop)) or '(empty)'}</td>"
        for text, loop in sides
    )
    heading = f"<p><b>{html.escape(sample.prompt_id)}</b> {html.escape(sample.prompt)}</p>"
    return f"{heading}<table><tr>{cells}</tr></table>"


def by_tag_html(found: TagComparison) -> str:
    """A table for each tag."""
    return "".join(
        f"<p><b>{html.escape(tag)}</b></p>{differences_html(items)}"
        for tag, items in found.tags.items()
    )


def run_html(result: RunResult) -> str:
    """Each version's headline, then all values."""
    lines = "".join(_headline(row) for row in result.rows)
    head = "".join(f"<th>{html.escape(row.version)}</th>" for row in result.rows)
    body = "".join(
        f"<tr><td>{html.escape(metric.title)}</td>"
        + "".join(
            f"<td>{value_in(metric.unit, row.values[metric.name])}</td>" for row in result.rows
        )
        + "</tr>"
        for metric in result.metrics
    )
    return f"<ul>{lines}</ul><table><tr><th>metric</th>{head}</tr>{body}</table>"


def _headline(row: VersionResult) -> str:
    words = html.escape(sentence(list(row.differences.values()))) if row.differences else ""
    heading = f"<b>{html.escape(row.version)}</b> {html.escape(row.title)}."
    return f"<li>{heading} {_aims(row.aims)}{words}</li>"
