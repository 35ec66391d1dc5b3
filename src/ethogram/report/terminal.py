"""Terminal: results as tables and lines for a person at a shell. Model text is shown inert."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ethogram.report.claims import number, printable, signed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console
    from rich.table import Table

    from ethogram.study.compare import Comparison, Difference
    from ethogram.study.result import RunResult

_COLOUR = {"better": "green", "worse": "red", "changed": "yellow", "no clear change": "dim"}


def print_run(console: Console, result: RunResult) -> None:
    """All versions in one table, then each against its parent with intervals."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(title=result.study, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("version", no_wrap=True)
    for metric in result.metrics:
        table.add_column(f"{metric.title}\n[dim]{metric.unit}[/]", justify="right", overflow="fold")
    for row in result.rows:
        cells = [
            Text(number(row.values[metric.name]), style=_style(row.differences.get(metric.name)))
            for metric in result.metrics
        ]
        table.add_row(row.version, *cells)
    console.print(table)
    for row in result.rows:
        if row.differences:
            heading = Text(f"{row.version} against {row.parent}", style="bold")
            console.print(heading.append(f"  {row.title}", style="not bold"))
            console.print(_differences(row.parent or "", row.version, row.differences.values()))
    speed = f", {result.tokens / result.seconds:.0f} tokens/s" if result.tokens else ""
    console.print(
        f"{result.made} generations made, "
        f"{sum(row.reused for row in result.rows)} already stored{speed}",
        highlight=False,
    )


def _style(difference: Difference | None) -> str:
    return _COLOUR[difference.verdict] if difference and difference.excludes_zero else ""


def _differences(before: str, after: str, items: Iterable[Difference]) -> Table:
    """A table of paired differences, a metric a line."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("metric")
    for heading in (before, after, "difference", "95 % interval"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("verdict")
    for item in items:
        table.add_row(
            Text(item.metric.title),
            number(item.before),
            number(item.after),
            signed(item.estimate),
            Text(f"[{signed(item.low)}, {signed(item.high)}]"),
            Text(item.verdict, style=_COLOUR[item.verdict]),
        )
    return table


def print_comparison(console: Console, comparison: Comparison) -> None:
    """What changed, what it did, and samples side by side."""
    from rich.table import Table
    from rich.text import Text

    console.print(Text(f"{comparison.before} → {comparison.after}", style="bold"))
    for change in comparison.changes:
        console.print(Text(f"  {change.words}"))
    console.print(f"Paired over {comparison.prompts} prompts", highlight=False)
    console.print(_differences(comparison.before, comparison.after, comparison.differences))
    samples = Table(title="side by side", show_lines=True)
    for heading in ("prompt", comparison.before, comparison.after):
        samples.add_column(heading, overflow="fold", ratio=1 if heading == "prompt" else 3)
    for sample in comparison.samples:
        samples.add_row(
            Text(f"{sample.prompt_id}\n{printable(sample.prompt)}"),
            Text(printable(sample.before)),
            Text(printable(sample.after)),
        )
    console.print(samples)
