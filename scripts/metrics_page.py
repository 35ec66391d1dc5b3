"""Writes docs/metrics.md, so that the page says what the code does and the benchmarks measured.

From the hand-written head, the registry of metrics and the results of two benchmarks.
"""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import Any

from ethogram.metrics import DEFAULT_METRICS, Metric, get
from ethogram.metrics.base import declared
from ethogram.metrics.registry import FAMILIES
from ethogram.spec.constraints import INSTRUCTIONS

ROOT = Path(__file__).resolve().parent.parent
HEAD = ROOT / "scripts" / "metrics_head.md"
PAGE = ROOT / "docs" / "metrics.md"
RESULTS = ROOT / "benchmarks" / "results"
KINDS = {
    "count": "whole number",
    "relation": "`less than` or `at least`",
    "text": "text",
    "texts": "list of texts",
    "letter": "one character",
}
DIRECTIONS = {"lower": "lower is better", "higher": "higher is better", "none": "neither is better"}

SCOPES = {
    "prompt": "all samples of a prompt: needs two or more, and runs only when it is named",
    "corpus": "all outputs together: only `ethogram score` shows it, without an interval",
    "model": "a model or two sets of texts: a function of Python, no column of a table",
}
NEEDS = {
    "encoder": "a sentence encoder",
    "reference": "a reference model",
    "nli": "a model of natural language inference",
}


def entry(metric: Metric) -> str:
    """The section of one metric."""
    needs = [NEEDS[kind] for kind in metric.needs]
    rows = {
        "unit": metric.unit.name,
        "direction": DIRECTIONS[metric.direction],
        "definition": metric.formula,
        **({"value of": SCOPES[metric.scope]} if metric.scope != "output" else {}),
        **({"needs": ", ".join(needs)} if needs else {}),
        "source": metric.source,
        "checked against": metric.reference,
        "pitfalls": metric.pitfalls,
    }
    body = "\n".join(f"| {key} | {_plain(value)} |" for key, value in rows.items())
    return f"### {metric.name}\n\n| {_plain(metric.title)} | |\n|---|---|\n{body}\n"


def _plain(text: str) -> str:
    """Text inside a table of Markdown that stays as it is, but for code between backticks."""
    pieces = text.split("`")
    for index in range(0, len(pieces), 2):
        for character in "\\*_[]":
            pieces[index] = pieces[index].replace(character, "\\" + character)
        for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
            pieces[index] = pieces[index].replace(character, entity)
    return "`".join(pieces).replace("|", "\\|")


def constraints() -> str:
    """The table of constraints and their arguments."""
    lines = ["| `type` | `kwargs` |", "|---|---|"]
    for name, arguments in INSTRUCTIONS.items():
        described = ", ".join(
            f"`{argument}`: {KINDS[kind]}" for argument, kind in arguments.items()
        )
        lines.append(f"| `{name}` | {described or 'none'} |")
    return "\n".join(lines)


def speed() -> str:
    """How long scoring took, from the benchmarks' results."""
    found = _results("measure.json")
    lines = [
        f"`score(file)` with the {found['metrics']} metrics that need no model, on outputs of "
        f"{found['tokens_an_output']} tokens, including reading the file:",
        "",
        "| outputs | processes | seconds | peak memory of the first, and of the largest other |",
        "|---:|---:|---:|---:|",
    ]
    for row in found["total"]:
        other = f"{row['peak_child_mib']:.0f} MiB" if row["processes"] > 1 else "–"
        cells = (f"{row['outputs']:,}", row["processes"], f"{row['seconds']:.1f}")
        lines.append(f"| {' | '.join(map(str, cells))} | {row['peak_mib']:.0f} MiB, {other} |")
    lines += ["", f"{_measured_on(found)} Repeat with `make bench-measure`.", ""]
    lines += [
        "Metrics of single outputs keep only sums, so memory does not grow with their number. It "
        "grows with what metrics of whole sets keep: the different n-grams of the `corpus_…` "
        "metrics, nine bytes each, and up to 5000 outputs per sample index of `self_bleu_4` and "
        "`self_repetition`.",
        "",
    ]
    ratios = "; ".join(f"{peer['peer']} {_factor(peer['ratio'])}" for peer in found["peers"])
    lines += [
        "Speed as a multiple of reference implementations on the same texts, in the same run:"
    ]
    lines += [f"{ratios}.", "", *_speed_of_the_encoder()]
    return "\n".join(line if line.startswith("|") else textwrap.fill(line, 100) for line in lines)


def _speed_of_the_encoder() -> list[str]:
    again = "`python -m benchmarks.encoders`"
    if not (RESULTS / "encoders.json").exists():
        return [f"The metrics that use a sentence encoder are measured by {again}."]
    found = _results("encoders.json")
    total = found["total"]
    ratios = "; ".join(f"{peer['peer']} {_factor(peer['ratio'])}" for peer in found["peers"])
    return [
        f"The {len(total['metrics'])} metrics that use the sentence encoder, on "
        f"{found['outputs']:,} outputs of {found['tokens_an_output']} of its tokens: "
        f"{total['seconds']:.0f} s, {total['outputs_per_second']:.0f} outputs per second, peak "
        f"{total['peak_mib']:.0f} MiB.",
        *([f"Encoding alone, speed as a multiple on the same texts: {ratios}."] if ratios else []),
        f"{_measured_on(found)} Repeat with {again}.",
    ]


def _factor(ratio: float) -> str:
    return f"{ratio:.0f}" if ratio >= 100 else f"{ratio:.3g}"


def _results(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((RESULTS / name).read_text(encoding="utf-8"))
    return found


def _measured_on(found: dict[str, Any]) -> str:
    machine = found["machine"]
    return (
        f"Measured on {found['date'][:10]} on {machine['processor']}, {machine['cores']} cores, "
        f"{machine['memory_gib']:.0f} GiB, Python {machine['python']}; load before the run "
        f"{machine['load_before']:.1f}."
    )


def defaults() -> str:
    """The table of the metrics that a run shows."""
    lines = ["| metric | unit | better | what it is |", "|---|---|---|---|"]
    for name in DEFAULT_METRICS:
        metric = get(name)
        better = "–" if metric.direction == "none" else metric.direction
        cells = (f"[`{name}`](#{name})", str(metric.unit), better, _plain(metric.formula))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def page() -> str:
    """The whole page: the hand-written head, then every metric, family by family."""
    head = HEAD.read_text(encoding="utf-8")
    head = head.replace("@@DEFAULTS@@", defaults())
    parts = [head.replace("@@TABLE@@", constraints()).replace("@@SPEED@@", speed())]
    for family, title in FAMILIES.items():
        members = [metric for metric in declared.values() if metric.family == family]
        parts.append(f"## {title}\n")
        parts += [entry(metric) for metric in members]
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
