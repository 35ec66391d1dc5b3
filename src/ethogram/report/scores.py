"""Scores, pitfalls, replications and the list of metrics as text for a terminal."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ethogram.metrics.units import RATIO, Unit
from ethogram.report.printing import filled, text_table
from ethogram.study.numbers import is_percentage, value_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ethogram.metrics.base import Metric
    from ethogram.metrics.pitfalls.registry import Pitfall
    from ethogram.metrics.pitfalls.table import PitfallTable
    from ethogram.metrics.table import Evidence, ScoreRow, ScoreTable
    from ethogram.replications import Replicated

#: Columns of running text.
_PROSE = 80
#: Of the evidence, this many spans are shown, each cut to this many characters.
_SPANS, _EXCERPT = 4, 100
#: What metrics and pitfalls say of themselves.
_METRIC_WORDS = ("name", "title", "unit", "direction", "formula", "source", "pitfalls")
_PITFALL_WORDS = ("meaning", "rule", "applies", "misleads")


def value_with_unit(value: float, unit: Unit) -> str:
    """A value of a metric; shares and percentages with a percent sign."""
    if math.isnan(value):
        return "–"
    if is_percentage(unit):
        return value_in(unit, value)
    return f"{value:.{unit.decimals}f}"


def scores_text(table: ScoreTable, *, evidence: bool = False, width: int | None = None) -> str:
    """The metrics of a file of outputs, those of a run's table first.

    Args:
        table: what was measured.
        evidence: add the clearest output of each metric that can show one.
        width: columns of the terminal; values of single samples are left out if they do not fit.
    """
    silent = [row.metric.name for row in table.rows if math.isnan(row.value)]
    rows = [row for row in _defaults_first(table.rows) if not math.isnan(row.value)]
    samples = list(table.samples) if len(table.samples) > 1 else []
    lines = _score_lines(rows, samples)
    if width and _width_of(lines) > width and samples:
        lines = _score_lines(rows, [])
    right = {1, *range(3, len(lines[0]))}
    printed = [text_table(lines, right=right, width=width, wrap=0), "", _about(table)]
    if silent:
        words = f"Not applicable to these outputs: {', '.join(silent)}"
        printed.append(filled(words, width or _PROSE, hanging="  "))
    for row in rows if evidence else ():
        if row.evidence:
            value = value_with_unit(row.evidence.value, row.metric.unit)
            printed += ["", f"{row.metric.name} {value}: {_place(row.evidence)}"]
            printed += _spans(row.evidence)
    return "\n".join(printed)


def _score_lines(rows: Sequence[ScoreRow], samples: Sequence[int]) -> list[list[str]]:
    lines = [["metric", "value", "better", *(f"sample {index}" for index in samples), "outputs"]]
    for row in rows:
        unit = row.metric.unit
        value = value_with_unit(row.value, unit)
        named = value if is_percentage(unit) or unit == RATIO else f"{value} {unit}"
        by_sample = [value_with_unit(row.by_sample.get(index, math.nan), unit) for index in samples]
        better = "" if row.metric.direction == "none" else row.metric.direction
        lines.append([row.metric.name, named, better, *by_sample, str(row.applies_to)])
    return lines


def _defaults_first(rows: Iterable[ScoreRow]) -> list[ScoreRow]:
    from ethogram.metrics import DEFAULT_METRICS

    place = {name: number for number, name in enumerate(DEFAULT_METRICS)}
    return sorted(rows, key=lambda row: (place.get(row.metric.name, len(place)), row.metric.name))


def _width_of(lines: Sequence[Sequence[str]]) -> int:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return sum(widths) + 2 * (len(widths) - 1)


def _about(table: ScoreTable) -> str:
    if len(table.samples) < 2:
        return f"{table.outputs} outputs."
    about = f"{table.outputs} outputs, {len(table.samples)} samples per prompt; values cover all"
    if any(row.metric.scope == "corpus" for row in table.rows):
        about += ", except corpus metrics, which are means over the samples"
    return f"{about}."


def pitfalls_text(table: PitfallTable, *, evidence: bool = False, width: int | None = None) -> str:
    """How many outputs show each pitfall; with the clearest output of each."""
    lines = [["pitfall", "found", "of", "share", "what the output does"]]
    for row in table.rows:
        share = "–" if row.share is None else f"{100 * row.share:.1f} %"
        name = row.pitfall.title.lower()
        lines.append([name, str(row.found), str(row.applies_to), share, row.pitfall.meaning])
    printed = [
        text_table(lines, right={1, 2, 3}, width=width, wrap=4),
        "",
        f"{table.outputs} outputs; 'of' counts those to which the rule applies.",
    ]
    for row in table.rows if evidence else ():
        if row.evidence:
            printed += ["", f"{row.pitfall.title.lower()}: {_place(row.evidence)}"]
            printed += _spans(row.evidence)
    return "\n".join(printed)


def _place(found: Evidence) -> str:
    return f"{found.prompt_id}, sample {found.sample_index}"


def _spans(found: Evidence) -> list[str]:
    """The first few spans, a line each."""
    lines = [
        f"    at {span.start}: {span.label}: {_quoted(found.text[span.start : span.end])}"
        for span in found.spans[:_SPANS]
    ]
    more = len(found.spans) - _SPANS
    return [*lines, f"    and {more} more"] if more > 0 else lines


def _quoted(text: str) -> str:
    """A stretch of text on one line, cut in the middle if it is long."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    if len(line) <= _EXCERPT:
        return repr(line)
    half = _EXCERPT // 2
    return repr(f"{line[:half]} … {line[-half:]}")


def replication_text(made: Replicated) -> str:
    """A table made again: title, source, values, and why they differ."""
    lines = made.table()
    right = range(2, len(lines[0]))
    words = [filled(each, _PROSE) for each in (*made.notes, *made.why)]
    source = filled(f"Published: {made.source}", _PROSE)
    return "\n".join([made.title, source, "", text_table(lines, right=right), "", *words])


def list_metrics() -> list[Metric]:
    """Every metric but the pitfalls, those of a run's table first."""
    from ethogram.metrics import DEFAULT_METRICS, all_metrics, metrics_of, named_metrics

    everything = [*all_metrics(), *named_metrics(), *metrics_of("corpus")]
    named = {metric.name: metric for metric in everything if not metric.name.startswith("pitfall_")}
    first = [named.pop(name) for name in DEFAULT_METRICS]
    return [*first, *(named[name] for name in sorted(named))]


def list_pitfalls() -> list[Pitfall]:
    """Every pitfall, in the order of the log."""
    from ethogram.metrics.pitfalls.registry import PITFALLS

    return list(PITFALLS)


def described(each: Metric | Pitfall) -> dict[str, Any]:
    """What a metric or pitfall says of itself, as data."""
    names = [*_METRIC_WORDS, *_PITFALL_WORDS]
    said = {name: getattr(each, name, None) for name in names}
    return {name: str(words) for name, words in said.items() if isinstance(words, str | Unit)}


def metrics_text(metrics: Sequence[Metric], *, width: int | None = None) -> str:
    """Metrics, a line each."""
    lines = [["metric", "better", "unit", "title"]]
    for each in metrics:
        better = "" if each.direction == "none" else each.direction
        lines.append([each.name, better, str(each.unit), each.title])
    hint = "`ethogram metrics NAME` explains one; -m NAME or `metrics:` in study.yaml uses it."
    return f"{text_table(lines, width=width, wrap=3)}\n\n{filled(hint, width or _PROSE)}"


def pitfall_list_text(pitfalls: Sequence[Pitfall], *, width: int | None = None) -> str:
    """Pitfalls, a line each."""
    lines = [["pitfall", "as a metric", "what the output does"]]
    lines += [[each.name, f"pitfall_{each.name}", each.meaning] for each in pitfalls]
    hint = "`ethogram score FILE --pitfalls` counts them; so does the log of a study."
    return f"{text_table(lines, width=width, wrap=2)}\n\n{filled(hint, width or _PROSE)}"


def metric_text(metric: Metric) -> str:
    """A metric explained: what it is, where it comes from, how it misleads."""
    better = "neither way" if metric.direction == "none" else metric.direction
    parts = [
        ("better", better),
        ("unit", str(metric.unit)),
        ("formula", metric.formula),
        ("source", metric.source),
        ("misleads", metric.pitfalls),
    ]
    lines = [f"{metric.title} ({metric.name})"]
    for label, words in parts:
        indent = " " * 12
        lines.append(filled(words, _PROSE, indent=f"  {label:<10}", hanging=indent))
    return "\n".join(lines)
