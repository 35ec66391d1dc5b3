"""Writes docs/metrics.md from the registry of metrics, so that the page says what the code does."""

from __future__ import annotations

from pathlib import Path

from ethogram.metrics import all_metrics, corpus_metrics
from ethogram.metrics.base import Described
from ethogram.spec.constraints import INSTRUCTIONS

ROOT = Path(__file__).resolve().parent.parent
HEAD = ROOT / "scripts" / "metrics_head.md"
PAGE = ROOT / "docs" / "metrics.md"
KINDS = {
    "count": "whole number",
    "relation": "`less than` or `at least`",
    "text": "text",
    "texts": "list of texts",
    "letter": "one character",
}
DIRECTIONS = {"lower": "lower is better", "higher": "higher is better", "none": "neither is better"}


def entry(metric: Described) -> str:
    """The section of one metric."""
    rows = {
        "unit": metric.unit,
        "direction": DIRECTIONS[metric.direction],
        "definition": metric.formula,
        "source": metric.source,
        "checked against": metric.reference,
        "pitfalls": metric.pitfalls,
    }
    body = "\n".join(f"| {key} | {_plain(value)} |" for key, value in rows.items())
    return f"### {metric.name}\n\n| {_plain(metric.title)} | |\n|---|---|\n{body}\n"


def _plain(text: str) -> str:
    """Text that stays as it is inside a table of Markdown."""
    for character in "\\`*_<>|[]":
        text = text.replace(character, "\\" + character)
    return text


def constraints() -> str:
    """The table of constraints and their arguments."""
    lines = ["| `type` | `kwargs` |", "|---|---|"]
    for name, arguments in INSTRUCTIONS.items():
        described = ", ".join(
            f"`{argument}`: {KINDS[kind]}" for argument, kind in arguments.items()
        )
        lines.append(f"| `{name}` | {described or 'none'} |")
    return "\n".join(lines)


def page() -> str:
    """The whole page: the hand-written head, then every metric."""
    head = HEAD.read_text(encoding="utf-8").replace("@@TABLE@@", constraints())
    parts = [head, "## Of each output\n"]
    parts += [entry(metric) for metric in all_metrics()]
    parts.append("## Of a whole set\n")
    parts.append("These see all outputs together. `ethogram score` shows them; they have no")
    parts.append("interval, so comparisons and the log leave them out.\n")
    parts += [entry(metric) for metric in corpus_metrics()]
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
