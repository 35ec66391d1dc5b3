"""Terminal: results as tables and lines for a person at a shell. Model text is shown inert."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ethogram.report.claims import number, p_value, printable, signed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from ethogram.stats import Coupling, Superiority
    from ethogram.study.compare import Comparison
    from ethogram.study.difference import Difference
    from ethogram.study.result import Computed, RunResult, VersionResult

#: Columns of a terminal that metric and unit take, and the least that a number takes.
_METRIC_WIDTH, _NUMBER_WIDTH = 30, 8
#: Least columns of a name before numbers, so that only long ones take two lines.
_NAME_WIDTH = 15
#: Columns of a verdict whose words wrap: "no clear", "perhaps".
_WORD_WIDTH = 8
#: Columns of a terminal from which a table of differences shows all it has.
_WIDE = 100
#: Of each output side by side, this many characters; `ethogram export` has all.
_SAMPLE_CHARACTERS = 480
_COLOUR = {"better": "green", "worse": "red", "changed": "yellow"}


def print_run(console: Console, result: RunResult) -> None:
    """All versions side by side, then each against its parent with intervals."""
    from rich.text import Text

    for rows in _fitting(result.rows, console.width):
        console.print(_overview(result, rows))
    for row in result.rows:
        if row.differences:
            heading = Text(f"{row.version} against {row.parent}", style="bold")
            console.print(heading.append(f"  {row.title}", style="not bold"))
            found = list(row.differences.values())
            print_differences(console, row.parent or "", row.version, found, hint=False)
    if any(row.differences for row in result.rows):
        _hint(console)
    made = result.made - result.imported
    fresh = [f"{result.imported} outputs taken in"] if result.imported else []
    if made or not fresh:
        fresh.insert(0, f"{made} generations made")
    line = f"{', '.join(fresh)}, {result.reused} already stored"
    if result.traced:
        line += f", {result.traced} of them traced"
    if result.parted:
        line += f", {result.parted} without a trace: this machine gives them other tokens"
    if result.tokens:
        line += f", {result.tokens / result.seconds:.0f} tokens/s"
        shared = result.computed.merged_share
        line += f", {shared:.0%} of them on a row computed for another" if shared > 0.005 else ""
        line += _prompt_words(result.computed)
    console.print(line, highlight=False)


def _prompt_words(computed: Computed) -> str:
    """How much of the prompts was read with another one, where that is worth a word."""
    spared = 1 - computed.prompt_tokens_computed / (computed.prompt_tokens or 1)
    return f", {spared:.0%} of the prompt tokens read with another prompt" if spared > 0.005 else ""


def _fitting(rows: Sequence[VersionResult], width: int) -> Iterator[Sequence[VersionResult]]:
    """Versions in tables as wide as the terminal: metric and unit, then a column a version."""
    column = max((len(row.version) for row in rows), default=0) + 2
    at_once = max(1, (width - _METRIC_WIDTH) // max(column, _NUMBER_WIDTH))
    for start in range(0, len(rows), at_once):
        yield rows[start : start + at_once]


def _overview(result: RunResult, rows: Sequence[VersionResult]) -> Table:
    """A metric a line, a version a column."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(title=result.study, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("metric", no_wrap=True)
    table.add_column("unit", style="dim", no_wrap=True)
    for row in rows:
        table.add_column(row.version, justify="right", no_wrap=True)
    for metric in result.metrics:
        cells = [
            Text(number(row.values[metric.name]), style=_style(row.differences.get(metric.name)))
            for row in rows
        ]
        table.add_row(Text(metric.title), metric.unit.name, *cells)
    return table


def _style(difference: Difference | None) -> str:
    return _colour(difference) if difference and difference.is_clear else ""


def print_differences(
    console: Console, before: str, after: str, items: Sequence[Difference], *, hint: bool = True
) -> None:
    """A table of paired differences, a metric a line, and why some cannot be relied on.

    A narrow terminal shows what the others follow from, interval and verdict; `hint` says where
    the others are.
    """
    from rich.text import Text

    narrow = console.width < _WIDE
    more = () if narrow else ("p", "detectable")
    table = _plain_table(
        "metric", before, after, "difference", "95 % interval", *more, last="verdict"
    )
    for item in items:
        interval = f"[{signed(item.low)}, {signed(item.high)}]"
        table.add_row(
            Text(item.metric.title),
            number(item.before),
            number(item.after),
            signed(item.estimate),
            Text(f"{interval} ?" if item.is_doubtful else f"{interval}  "),
            *(() if narrow else (p_value(item.p_adjusted), number(item.test.detectable))),
            Text(item.verdict, style=_colour(item)),
        )
    console.print(table)
    if hint:
        _hint(console)
    print_doubts(console, items)


def _hint(console: Console) -> None:
    """Where a narrow terminal's columns are."""
    from rich.text import Text

    if console.width < _WIDE:
        words = f"p and detectable: in a terminal of {_WIDE} columns or more, or with --json"
        console.print(Text(words, style="dim"))


def _plain_table(first: str, *numbers: str, last: str = "") -> Table:
    """A table without lines: a name, numbers to the right, and words at the end."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False, pad_edge=False)
    table.add_column(first, overflow="fold", min_width=_NAME_WIDTH)
    for heading in numbers:
        table.add_column(heading, justify="right", no_wrap=True)
    if last:
        # Words give way to numbers: they wrap between, never within.
        table.add_column(last, min_width=_WORD_WIDTH)
    return table


def _colour(item: Difference) -> str:
    return _COLOUR[item.verdict.removeprefix("perhaps ")] if item.is_clear else "dim"


def _evidence(items: Iterable[Difference]) -> Table:
    """How large the differences are, and what would show them."""
    from rich.text import Text

    headings = (
        *("effect\nsize", "after\nhigher", "prompts\nneeded", "or\nsamples"),
        "coupled\nvariance",
    )
    table = _plain_table("metric", *headings)
    for item in items:
        needed = item.needed
        table.add_row(
            Text(item.metric.title),
            signed(item.test.effect),
            _share(item.test.superiority),
            "–" if needed.prompts is None else str(needed.prompts),
            "–" if needed.samples is None else f"{needed.samples} each",
            _coupled_variance(item.test.coupling),
        )
    return table


def _coupled_variance(found: Coupling) -> Text:
    """The ratio with its interval."""
    from rich.text import Text

    if found.unknown:
        return Text("–")
    return Text(f"{found.ratio:.2f} [{found.low:.2f}, {found.high:.2f}]")


def _coupling_line(items: Iterable[Difference]) -> str:
    """What the last column of the evidence says, or why it is empty."""
    reasons = {item.test.coupling.unknown for item in items if not math.isnan(item.estimate)}
    if "" in reasons:
        return (
            "coupled variance: of differences with shared noise over that with independent noise, "
            "as measured on these outputs"
        )
    return f"coupled variance: cannot be measured ({', '.join(sorted(reasons)) or 'no value'})"


def _share(superiority: Superiority) -> str:
    """Shares of pairs; a coupled one is never shown without saying so."""
    if not math.isnan(superiority.ordinary):
        return f"{superiority.ordinary:.0%}"
    return "–" if math.isnan(superiority.coupled) else f"{superiority.coupled:.0%} (coupled)"


def print_doubts(console: Console, items: Iterable[Difference]) -> None:
    """Say of each difference that cannot be relied on why."""
    from rich.text import Text

    if doubts := _doubts(items):
        console.print(Text(doubts, style="dim"))


def _doubts(items: Iterable[Difference]) -> str:
    """Why intervals are marked, or nothing."""
    doubts: dict[str, list[str]] = {}
    for item in items:
        if item.is_doubtful:
            doubts.setdefault(item.test.doubt, []).append(item.metric.title)
    if not doubts:
        return ""
    reasons = "; ".join(
        why if len(doubts) == 1 and len(names) > 3 else f"{why}: {', '.join(names)}"
        for why, names in doubts.items()
    )
    return f"? the interval is unreliable ({reasons})"


def print_comparison(console: Console, comparison: Comparison) -> None:
    """What changed, what it did, and samples side by side."""
    from rich.table import Table
    from rich.text import Text

    console.print(Text(f"{comparison.before} → {comparison.after}", style="bold"))
    for change in comparison.changes:
        console.print(Text(f"  {change.plain}"))
    prompts = "1 prompt" if comparison.prompts == 1 else f"{comparison.prompts} prompts"
    console.print(f"Paired over {prompts}", highlight=False)
    print_differences(console, comparison.before, comparison.after, comparison.differences)
    console.print()
    console.print(_evidence(comparison.differences))
    console.print(Text(_coupling_line(comparison.differences), style="dim"))
    console.print()
    if not comparison.samples:
        return
    samples = Table(title="side by side", show_lines=True)
    for heading in ("prompt", comparison.before, comparison.after):
        samples.add_column(heading, overflow="fold", ratio=1 if heading == "prompt" else 3)
    for sample in comparison.samples:
        samples.add_row(
            Text(f"{sample.prompt_id}\n{_shortened(sample.prompt)}"),
            Text(_shortened(sample.before)),
            Text(_shortened(sample.after)),
        )
    console.print(samples)


def _shortened(text: str) -> str:
    shown = printable(text)
    if len(shown) <= _SAMPLE_CHARACTERS:
        return shown or "(empty)"
    return shown[:_SAMPLE_CHARACTERS].rstrip() + " …"
