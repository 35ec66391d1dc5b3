"""Writes docs/metrics.md from the registry of metrics, so that the page says what the code does."""

from __future__ import annotations

from pathlib import Path

from ethogram.metrics import all_metrics, batch_metrics, corpus_metrics, group_metrics
from ethogram.metrics.base import Described
from ethogram.metrics.registry import MEASURES
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
