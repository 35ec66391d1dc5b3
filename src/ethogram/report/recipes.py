"""Recipes in a terminal: what differs between two, over their seeds."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ethogram.report.printing import plain_table

if TYPE_CHECKING:
    from rich.console import Console

    from ethogram.train.experiment import RecipeComparison


def print_recipes(console: Console, found: RecipeComparison) -> None:
    """A line a metric: both values, the difference with its interval, and the verdict."""
    seeds = " and ".join(str(len(some)) for some in found.versions)
    console.print(
        f"{found.before} → {found.after}: {seeds} seeds, {found.prompts} prompts; "
        "95 % intervals for new seeds and new prompts"
    )
    table = plain_table("metric", found.before, found.after, "difference", last="verdict")
    for each in found.differences:
        test = each.test
        interval = "" if math.isnan(test.low) else f" [{test.low:+.3g}, {test.high:+.3g}]"
        verdict = f"{each.verdict} ({each.advice})" if each.advice else each.verdict
        table.add_row(
            each.metric.name,
            f"{test.before:.4g}",
            f"{test.after:.4g}",
            f"{test.estimate:+.3g}{interval}",
            verdict,
        )
    console.print(table)
