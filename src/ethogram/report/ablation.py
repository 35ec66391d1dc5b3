"""An ablation in a terminal: a sentence for each metric, then each change in both directions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ethogram.report.printing import filled, text_table
from ethogram.study.numbers import difference_in, interval_in
from ethogram.study.wording import change_words, moved_words

if TYPE_CHECKING:
    from rich.console import Console

    from ethogram.study.ablate import Ablation
    from ethogram.study.difference import Difference


def print_ablation(console: Console, result: Ablation) -> None:
    """What each change did alone and what is missing without it, by metric."""
    from rich.text import Text

    console.print(Text(f"{result.parent} → {result.version}, one change at a time", style="bold"))
    for metric in result.metrics:
        together = result.together[metric]
        console.print()
        console.print(Text(_filled(console, f"{result.sentence(metric)}."), style="bold"))
        whole = f"All together: {moved_words(together)} ({change_words(together)})"
        console.print(Text(_filled(console, whole)))
        lines = [["change", "alone", "left out"]]
        lines += [
            [
                each.change.field,
                _cell(each.alone.get(metric), each.alone_note),
                _cell(each.left_out.get(metric), each.left_out_note),
            ]
            for each in result.changes
        ]
        console.print(Text(text_table(lines, width=console.width, wrap=0)))
    console.print()
    words = (
        "alone: the parent with only this change, compared with the parent. left out: the "
        "version, compared with the version without this change. *: clear change. "
        f"{result.generations} outputs generated."
    )
    console.print(Text(_filled(console, words), style="dim"))


def _cell(item: Difference | None, note: str) -> str:
    if item is None:
        return note
    unit = item.metric.unit
    mark = " *" if item.is_clear else ""
    return f"{difference_in(unit, item.estimate)} {interval_in(unit, item.low, item.high)}{mark}"


def _filled(console: Console, words: str) -> str:
    return filled(words, console.width)
