"""Terminal: a run and a comparison for a person at a shell. Model text is shown inert."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from ethogram.report.differences import (
    print_details,
    print_differences,
    print_headline,
)
from ethogram.report.printing import excerpt, filled, text_table, wrapped
from ethogram.study.numbers import value_in
from ethogram.study.reading import marked_loop
from ethogram.study.wording import aim_head, aim_parts, processor_words

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from ethogram.study.aims import Aims
    from ethogram.study.by_tag import TagComparison
    from ethogram.study.compare import Comparison, SideBySide
    from ethogram.study.result import Computed, RunResult, VersionResult

#: Columns of a name and a direction before the values of versions.
_METRIC_WIDTH = 34
#: Fewest prompts on which more than the largest effects can show (docs/statistics.md).
_FEW_PROMPTS = 10


def print_run(console: Console, result: RunResult, *, details: bool = False) -> None:
    """Each version's headline against its parent, then all values, then what the run did."""
    from rich.text import Text

    for number, row in enumerate(result.rows):
        if number:
            console.print()
        heading = Text(row.version, style="bold").append(f"  {row.title}", style="not bold")
        if row.differences:
            heading.append(f"  (against {row.parent})", style="dim not bold")
        console.print(heading)
        if row.stale:
            words = f"{row.parent} {row.stale}"
            console.print(Text(filled(words, console.width), style="yellow"))
        if row.differences:
            print_aims(console, row.aims)
            print_headline(console, row.differences.values())
            if details:
                print_differences(console, list(row.differences.values()))
    console.print()
    for rows in _fitting(result.rows, console.width):
        console.print(_overview(result, rows))
        console.print()
    console.print(Text(filled(_work_words(result), console.width)))
    _print_processors(console, result.processors)
    for spent in result.spent:
        console.print(Text(filled(f"{spent}.", console.width)))
    if few := _few_words(result):
        console.print(Text(filled(few, console.width)))
    if following := _next_words(result):
        console.print(Text(f"Next: {following}", style="dim"))


def _print_processors(console: Console, processors: Mapping[str, int]) -> None:
    from rich.text import Text

    if words := processor_words(processors):
        console.print(Text(filled(words, console.width), style="yellow"))


def print_aims(console: Console, aims: Aims | None) -> None:
    """The aims' outcome and price in a sentence, above the exploration."""
    from rich.text import Text

    if aims is None:
        return
    style = {"met": "bold green", "not met": "bold red", "undecided": "bold yellow"}[aims.outcome]
    head = f"{aim_head(aims)}: "
    words = f"{head}{aim_parts(aims)}"
    text = Text(filled(words, console.width))
    text.stylize(style, 0, len(head))
    console.print(text)
    console.print(Text("Exploration, all metrics:", style="dim"))


def _work_words(result: RunResult) -> str:
    """What the run generated, reused and spared."""
    made = result.made - result.imported
    fresh = [f"{result.imported} outputs imported"] if result.imported else []
    if made or not fresh:
        fresh.insert(0, f"{made} outputs generated")
    line = f"{', '.join(fresh)}, {result.reused} already stored"
    if result.traced:
        line += f", {result.traced} of them traced"
    if result.parted:
        line += f", {result.parted} not traced: not reproducible on this machine"
    if result.tokens:
        line += f", {result.tokens / result.seconds:.0f} tokens/s"
        shared = result.computed.merged_share
        line += f", {shared:.0%} shared with another sequence" if shared > 0.005 else ""
        line += _prompt_words(result.computed)
    return f"{line}."


def _prompt_words(computed: Computed) -> str:
    """How many prompt tokens were shared, where that is worth a word."""
    spared = 1 - computed.prompt_tokens_computed / (computed.prompt_tokens or 1)
    return f", {spared:.0%} of the prompt tokens shared" if spared > 0.005 else ""


def _few_words(result: RunResult) -> str:
    """A warning where only the largest effects can show."""
    prompts = max(
        (item.test.prompts for row in result.rows for item in row.differences.values()), default=0
    )
    if not 0 < prompts < _FEW_PROMPTS:
        return ""
    return f"{prompts} prompts show only the largest effects; use 20 or more."


def _next_words(result: RunResult) -> str:
    compared = [row for row in result.rows if row.differences]
    if compared:
        last = compared[-1]
        return f"ethogram compare {last.parent} {last.version}, ethogram outputs {last.version}"
    return f"ethogram outputs {result.rows[-1].version}" if result.rows else ""


def _fitting(rows: Sequence[VersionResult], width: int) -> Iterator[Sequence[VersionResult]]:
    """Versions in tables as wide as the terminal: a column a version."""
    column = max((len(row.version) for row in rows), default=0) + 2
    at_once = max(1, (width - _METRIC_WIDTH) // max(column, 9))
    for start in range(0, len(rows), at_once):
        yield rows[start : start + at_once]


def _overview(result: RunResult, rows: Sequence[VersionResult]) -> Text:
    """A metric a line, a version a column; clear changes from the parent are coloured."""
    from rich.text import Text

    lines = [["", "better", *(row.version for row in rows)]]
    for metric in result.metrics:
        better = "" if metric.direction == "none" else metric.direction
        values = [value_in(metric.unit, row.values[metric.name]) for row in rows]
        lines.append([metric.title, better, *values])
    right = range(2, len(lines[0]))
    text = Text(text_table(lines, right=right))
    text.stylize("bold", 0, len(text.plain.split("\n", 1)[0]))
    return text


def print_comparison(
    console: Console, comparison: Comparison, *, everything: bool = False, details: bool = False
) -> None:
    """What changed, what it did in words, the differences, and the prompts that changed most.

    Args:
        console: where.
        comparison: the comparison.
        everything: also show metrics without a clear change.
        details: show p-values, effect sizes, and what the prompts could have shown.
    """
    from rich.text import Text

    title = Text(f"{comparison.before} → {comparison.after}", style="bold")
    console.print(title.append(f"  {comparison.title}", style="not bold"))
    before, after = comparison.outputs
    prompts = "1 prompt" if comparison.prompts == 1 else f"{comparison.prompts} prompts"
    if max(comparison.own_prompts) > comparison.prompts:
        prompts += " shared, of {} and {}".format(*comparison.own_prompts)
    console.print(Text(f"{prompts}; {before} and {after} outputs", style="dim"))
    for words in filter(None, (comparison.stale, comparison.endpoint)):
        console.print(Text(filled(words, console.width), style="yellow"))
    _print_processors(console, comparison.processors)
    console.print()
    print_aims(console, comparison.aims)
    print_headline(console, comparison.differences)
    console.print()
    print_differences(console, comparison.differences, everything=everything)
    if details:
        console.print()
        print_details(console, comparison.differences)
    _print_changes(console, comparison)
    for sample in comparison.samples:
        _print_sample(console, comparison, sample)
    more = [] if everything else ["--all: every metric"]
    more += [] if details else ["--details: p-values and effect sizes"]
    more += ["-n N: more prompts", "-p ID: one prompt"]
    console.print()
    console.print(Text(filled("; ".join(more), console.width), style="dim"))


def _print_changes(console: Console, comparison: Comparison) -> None:
    from rich.text import Text

    if not comparison.changes:
        return
    console.print()
    count = len(comparison.changes)
    heading = "Changed setting" if count == 1 else f"{count} changed settings"
    console.print(Text(heading, style="bold"))
    for change in comparison.changes:
        console.print(Text(filled(change.plain, console.width, indent="  ", hanging="    ")))
        for line in change.lines:
            style = {"-": "red", "+": "green"}.get(line[0], "dim")
            console.print(Text(f"    {line}", style=style))
    if count > 1:
        words = "They changed together, so the differences are their joint effect."
        console.print(Text(filled(words, console.width), style="dim"))


def _print_sample(console: Console, comparison: Comparison, sample: SideBySide) -> None:
    """A prompt and the outputs of both versions, loops shown once."""
    from rich.text import Text

    console.print()
    heading = Text(sample.prompt_id, style="bold")
    console.print(heading.append(f"  sample {sample.sample_index}", style="dim not bold"))
    names = ("prompt", comparison.before, comparison.after)
    width = max(map(len, names)) + 2
    texts = (
        excerpt(sample.prompt),
        excerpt(marked_loop(sample.before, sample.before_loop)),
        excerpt(marked_loop(sample.after, sample.after_loop)),
    )
    for name, words in zip(names, texts, strict=True):
        console.print(hanging(name, words, width, console.width))


def hanging(name: str, words: str, indent: int, width: int) -> Text:
    """A name, and beside it a text that wraps into its own column."""
    from rich.text import Text

    lines = [
        part
        for line in words.splitlines() or [""]
        for part in wrapped(line, max(20, width - indent))
    ]
    text = Text(name.ljust(indent), style="dim")
    first, *others = lines
    beside = [first, *(f"{' ' * indent}{line}" if line else "" for line in others)]
    return text.append("\n".join(beside), style="default not dim")


def print_by_tag(console: Console, found: TagComparison, *, everything: bool = False) -> None:
    """The headline of each tag, and with `everything` its table."""
    from rich.text import Text

    console.print(Text(f"{found.before} → {found.after}, by tag", style="bold"))
    if found.stale:
        console.print(Text(filled(found.stale, console.width), style="yellow"))
    for tag, items in found.tags.items():
        console.print()
        prompts = max((item.test.prompts for item in items), default=0)
        console.print(Text(tag, style="bold").append(f"  {prompts} prompts", style="dim not bold"))
        print_headline(console, items)
        if everything:
            print_differences(console, items)
    console.print()
    console.print(
        Text(
            filled(
                "Each tag has few prompts, so only large differences are clear. --all shows the "
                "rest.",
                console.width,
            ),
            style="dim",
        )
    )
