"""Diagnosis: what `ethogram doctor` found, for a person at a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ethogram.report.printing import printable

if TYPE_CHECKING:
    from rich.console import Console

    from ethogram.study.doctor import Diagnosis

_MARKS = {"ok": ("✓", "green"), "missing": ("–", "dim"), "warning": ("!", "yellow")}
_ERROR = ("✗", "bold red")


def print_diagnosis(console: Console, diagnosis: Diagnosis) -> None:
    """A section at a time; hints below what they fix."""
    from rich.text import Text

    section = ""
    width = max((len(each.name) for each in diagnosis.findings), default=0)
    for each in diagnosis.findings:
        if each.section != section:
            console.print(Text(each.section, style="bold"))
            section = each.section
        mark, style = _MARKS.get(each.state, _ERROR)
        line = Text(f"  {mark} ", style=style)
        line.append(f"{printable(each.name):<{width}}  {printable(each.value)}", style="not bold")
        console.print(line, soft_wrap=True)
        if each.hint:
            console.print(Text(f"    → {printable(each.hint)}", style="dim"), soft_wrap=True)
    count = len(diagnosis.errors)
    console.print(f"{count} to fix." if count else "Nothing has to be fixed.")
