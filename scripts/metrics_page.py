"""Writes docs/metrics.md, so that the page says what the code does and the benchmarks measured.

From the hand-written head, the registry of metrics and the results of two benchmarks.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ethogram.metrics import all_metrics, batch_metrics, corpus_metrics, group_metrics
from ethogram.metrics.base import Described
from ethogram.metrics.registry import MEASURES
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

NEEDS = {
    "encoder": "a sentence encoder",
    "reference": "a reference model",
    "nli": "a model of natural language inference",
}


def entry(metric: Described) -> str:
    """The section of one metric."""
    needs = getattr(metric, "needs", ())
    rows = {
        "unit": metric.unit,
        "direction": DIRECTIONS[metric.direction],
        "definition": metric.formula,
        **({"needs": ", ".join(NEEDS[kind] for kind in needs)} if needs else {}),
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
        f"{found['tokens_an_output']} tokens, reading the file included:",
        "",
        "| outputs | processes | seconds | peak memory of the first, and of the largest other |",
        "|---:|---:|---:|---:|",
    ]
    for row in found["total"]:
        other = f"{row['peak_child_mib']:.0f} MiB" if row["processes"] > 1 else "–"
        cells = (f"{row['outputs']:,}", row["processes"], f"{row['seconds']:.1f}")
        lines.append(f"| {' | '.join(map(str, cells))} | {row['peak_mib']:.0f} MiB, {other} |")
    lines += ["", f"{_measured_on(found)} Again: `make bench-measure`.", ""]
    lines += [
        "Of single outputs only sums are kept, so their number takes no memory. What grows is what "
        "sets keep: the different n-grams of the `corpus_…` metrics, nine bytes each, and up to "
        "5000 outputs for each sample index of `self_bleu_4` and `self_repetition`.",
        "",
    ]
    ratios = "; ".join(f"{peer['peer']} {_factor(peer['ratio'])}" for peer in found["peers"])
    lines += ["Times as fast as reference implementations on the same texts, in the same run:"]
    lines += [f"{ratios}.", "", *_speed_of_the_encoder()]
    return "\n".join(lines)


def _speed_of_the_encoder() -> list[str]:
    again = "`python -m benchmarks.encoders`"
    if not (RESULTS / "encoders.json").exists():
        return [f"The metrics that read a sentence encoder are measured by {again}."]
    found = _results("encoders.json")
    total = found["total"]
    ratios = "; ".join(f"{peer['peer']} {_factor(peer['ratio'])}" for peer in found["peers"])
    return [
        f"The {len(total['metrics'])} metrics that read the sentence encoder, on "
        f"{found['outputs']:,} outputs of {found['tokens_an_output']} of its tokens: "
        f"{total['seconds']:.0f} s, {total['outputs_per_second']:.0f} outputs a second, peak "
        f"{total['peak_mib']:.0f} MiB.",
        *([f"Encoding alone, times as fast on the same texts: {ratios}."] if ratios else []),
        f"{_measured_on(found)} Again: {again}.",
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


def page() -> str:
    """The whole page: the hand-written head, then every metric."""
    head = HEAD.read_text(encoding="utf-8")
    head = head.replace("@@TABLE@@", constraints()).replace("@@SPEED@@", speed())
    parts = [head, "## Of each output\n"]
    parts += [entry(metric) for metric in all_metrics()]
    parts.append("## Of each output, with a model\n")
    parts.append("These run only when they are named. Which models they read is said under")
    parts.append("[Models that measure](#models-that-measure).\n")
    parts += [entry(metric) for metric in batch_metrics()]
    parts.append("## Of all samples of a prompt\n")
    parts.append(
        "These compare a prompt's outputs with each other, so they need two samples or more,"
    )
    parts.append("and run only when they are named.\n")
    parts += [entry(metric) for metric in group_metrics()]
    parts.append("## Of a whole set\n")
    parts.append("These see all outputs together. `ethogram score` shows them; they have no")
    parts.append("interval, so comparisons and the log leave them out.\n")
    parts += [entry(metric) for metric in corpus_metrics()]
    parts.append("## Of a model, or of two sets of texts\n")
    parts.append("These are functions, called from [Python](python.md#measures-of-a-model).\n")
    parts += [entry(measure) for measure in MEASURES]
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
