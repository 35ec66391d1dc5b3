"""Versions and outputs in a terminal. Model text is shown inert."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ethogram.report.printing import printable, text_table
from ethogram.report.terminal import hanging
from ethogram.study.reading import marked_loop

if TYPE_CHECKING:
    from rich.console import Console

    from ethogram.study.reading import Outputs, ReadOutput
    from ethogram.study.versions import VersionStatus


def print_versions(console: Console, found: Sequence[VersionStatus]) -> None:
    """A version a line: what is stored of it, and what it tries."""
    from rich.text import Text

    lines = [["version", "parent", "outputs", "traced", "title"]]
    for each in found:
        stored = f"{each.stored}/{'?' if each.wanted is None else each.wanted}"
        traced = str(each.traced) if each.traced else "–"
        lines.append([each.version, each.parent or "–", stored, traced, each.title])
    console.print(Text(text_table(lines, right={2, 3}, width=console.width, wrap=4)))
    for each in found:
        if each.problem:
            console.print(Text(f"{each.version}: {each.problem}", style="dim"))
        if each.stale:
            console.print(Text(f"{each.version} {each.stale}", style="yellow"))
    missing = [each.version for each in found if not each.is_complete and not each.problem]
    if missing:
        console.print(Text(f"Next: ethogram run {' '.join(missing)}", style="dim"))


def print_outputs(console: Console, found: Outputs, *, of: int, raw: bool = False) -> None:
    """Each prompt, and below it its outputs in full; a loop is shown once.

    Args:
        console: where.
        found: the outputs to print.
        of: how many there are, to say how many are left out.
        raw: whether to print the raw completion below a reply that a wrapper changed.
    """
    from rich.text import Text

    names = [found.version, found.other] if found.other else [found.version]
    indent = max(map(len, ("prompt", *names))) + 2
    prompt = None
    for each in found.outputs:
        if each.output.prompt_id != prompt:
            if prompt is not None:
                console.print()
            prompt = each.output.prompt_id
            _print_prompt(console, each, indent)
        texts = [marked_loop(each.output.text, each.loop)]
        if each.other is not None:
            texts.append(marked_loop(each.other, each.other_loop))
        for name, text in zip(names, texts, strict=True):
            label = name if len(names) > 1 else f"  {each.output.sample_index}"
            console.print(hanging(label, printable(text) or "(empty)", indent, console.width))
        _print_guards(console, each, indent, raw=raw)
    if not found.outputs:
        words = (
            f"Every output of {found.version} is the same in {found.other}."
            if found.other
            else "No outputs."
        )
        console.print(Text(words))
    elif len(found.outputs) < of:
        console.print()
        words = (
            f"{len(found.outputs)} of {of} outputs; -n 0 shows all, -p ID one prompt, -t TAG a tag"
        )
        console.print(Text(words, style="dim"))


def _print_guards(console: Console, each: ReadOutput, indent: int, *, raw: bool) -> None:
    """What the wrapper's guards did to an output, one a line."""
    guarded = each.output.guarded
    if guarded is None:
        return
    for action in guarded.actions:
        words = f"({action.guard}: {action.what})"
        console.print(hanging("", printable(words), indent, console.width))
    if raw and guarded.raw_text != each.output.text:
        text = printable(guarded.raw_text) or "(empty)"
        console.print(hanging("raw", text, indent, console.width))


def _print_prompt(console: Console, each: ReadOutput, indent: int) -> None:
    from rich.text import Text

    heading = Text(each.output.prompt_id, style="bold")
    if each.output.tags:
        heading.append(f"  {', '.join(each.output.tags)}", style="dim not bold")
    console.print(heading)
    console.print(hanging("prompt", printable(each.output.prompt), indent, console.width))
    if each.output.reference:
        console.print(hanging("answer", printable(each.output.reference), indent, console.width))
