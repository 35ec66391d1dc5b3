"""Training: a plan, live curves and what came out, for a person at a terminal."""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Mapping, Sequence
from time import monotonic
from typing import TYPE_CHECKING, Any, Self

from ethogram.report.printing import excerpt, plain_table, printable
from ethogram.train.events import Evaluated, Event, Finished, Plan, Resumed, Stepped

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.text import Text

    from ethogram.report.bar import ProgressBar
    from ethogram.train.job import Finding

_BLOCKS = "▁▂▃▄▅▆▇█"
#: Columns of a curve where the terminal has room.
_WIDEST_CURVE = 40
#: Columns beside a curve: its name, its first and last value.
_BESIDE = 28 + 10 + 10 + 3
#: Seconds between two drawings.
_PAUSE = 0.2
#: Curves that are drawn, as ends of their names; others are stored only.
_DRAWN = (
    "train/loss",
    "held_out/loss",
    "held_out/bits_per_byte",
    "held_out/rewards/accuracies",
    "train/rewards/margins",
    "train/reward",
    "loop_rate",
    "distinct_2",
    "ends_by_itself",
    "tokens",
)
_MILLION, _THOUSAND = 1e6, 1e3


def print_plan(console: Console, plan: Plan) -> None:
    """What a training will do, and example rows with the learned tokens marked."""
    from rich.text import Text

    heading = Text(plan.name, style="bold").append(
        f"  {plan.kind}, seed {plan.seed}", style="not bold"
    )
    console.print(heading)
    width = console.width
    for name, words in plan_lines(plan):
        lines = textwrap.wrap(words, max(20, width - 12)) or [""]
        console.print(Text(f"  {name:<10}{lines[0]}"))
        for line in lines[1:]:
            console.print(Text(f"{'':<12}{line}"))
    for number, row in enumerate(plan.examples[:3], 1):
        console.print(_example(row, "example" if number == 1 else "", width))
    if plan.examples:
        console.print(Text(f"{'':<12}(learned tokens are bold)", style="dim"))
    print_findings(console, plan.findings)


def plan_lines(plan: Plan) -> list[tuple[str, str]]:
    """What a plan says, as lines of a name and words."""
    counts = plan.counts
    data = (
        f"{counts.rows:,} rows and {counts.held_out_rows:,} held out; {counts.tokens:,} tokens, "
        f"{counts.learned_tokens:,} of them learned"
    )
    if counts.cut_rows or counts.dropped_rows:
        data += f"; {counts.cut_rows:,} rows cut, {counts.dropped_rows:,} dropped by rule"
    trained = (
        "all trained"
        if plan.trained_parameters == plan.parameters
        else f"{amount(plan.trained_parameters)} of them trained"
    )
    times = f"{plan.tokens / max(1, counts.tokens):.2g}"
    passes = "1 pass" if times == "1" else f"{times} passes"
    seconds = "unknown until it runs" if plan.seconds is None else duration(plan.seconds)
    plural = "" if plan.threads == 1 else "s"
    where = f"{plan.threads} thread{plural} in {plan.precision}"
    if plan.processes > 1:
        where = f"{plan.processes} processes of {where}"
    return [
        ("data", data),
        ("model", f"{amount(plan.parameters)} parameters, {trained}"),
        (
            "steps",
            f"{plan.steps:,}; {amount(plan.tokens)} tokens ({passes}), {plan.flop:.2g} FLOP",
        ),
        ("memory", f"about {plan.memory_bytes / 2**30:.1f} GiB"),
        ("time", f"about {seconds} with {where}"),
    ]


def _example(row: Sequence[tuple[str, bool]], name: str, width: int) -> Text:
    from rich.text import Text

    line = Text(f"  {name:<10}")
    for token, learned in row:
        shown = printable(token.replace("\n", "⏎")) if token.strip() else token.replace("\n", "⏎")
        shown = (" " if token.startswith(" ") and shown.strip() else "") + shown
        if line.cell_len + len(shown) > width - 2:
            line.append("…")
            break
        line.append(shown, style="bold" if learned else "dim")
    return line


def print_findings(console: Console, findings: Sequence[Finding]) -> None:
    """Warnings, one a paragraph."""
    from rich.text import Text

    for each in findings:
        words = f"{each.where + ': ' if each.where else ''}{each.message}"
        words += f"; {each.hint}" if each.hint else ""
        console.print(Text(textwrap.fill(f"Warning: {words}", console.width), style="yellow"))


class LiveTraining:
    """Draws the curves of a training on a terminal; elsewhere prints a line at each evaluation.

    Args:
        console: to draw on.
        clock: seconds.
        bar: says how far things are where this draws nothing.
    """

    def __init__(
        self, console: Console, clock: Any = monotonic, bar: ProgressBar | None = None
    ) -> None:
        self._console, self._clock, self._bar = console, clock, bar
        self._live: Any = None
        self._drawn = -1e9
        self._curves: dict[str, list[float]] = {}
        self._last: Stepped | None = None
        self._sample = ""
        #: Steps done, of how many; for a word about an interruption.
        self.step = self.steps = 0
        self._name = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def __call__(self, event: Event) -> None:
        """Show what happened."""
        if isinstance(event, Plan):
            self._curves, self._last, self._sample = {}, None, ""
            print_plan(self._console, event)
            self._name, self.step, self.steps = event.name, 0, event.steps
        elif isinstance(event, Resumed):
            self.step = event.step
            self._console.print(f"Continues from step {event.step}.")
        elif isinstance(event, Finished):
            self._stop()
            if self._curves and self._console.is_terminal:
                self._console.print(curves_text(self._curves, self._console.width))
            print_finished(self._console, event)
        elif isinstance(event, Evaluated):
            self._evaluated(event)
        else:
            self._take(event.values)
            self._last, self.step, self.steps = event, event.step, event.steps
            self._draw()
            self._tell(event)

    def _tell(self, event: Stepped) -> None:
        if self._bar is None:
            return
        if self._console.is_terminal:
            self._bar.end_stage()
            return
        self._bar.update(self._name, event.step, event.steps, _progress_line(event))

    def _evaluated(self, event: Evaluated) -> None:
        self._take(event.values)
        if event.outputs:
            newest = event.outputs[-1]
            self._sample = f"{newest.decoding}: {excerpt(newest.text, 200)}"
        if self._console.is_terminal:
            self._draw()
        else:
            self._console.print(_evaluated_line(event))

    def _take(self, values: Mapping[str, float | None]) -> None:
        for name, value in values.items():
            if value is not None and _is_drawn(name):
                self._curves.setdefault(name, []).append(value)

    def _draw(self) -> None:
        if not self._console.is_terminal or self._last is None:
            return
        if self._clock() - self._drawn < _PAUSE:
            return
        if self._live is None:
            from rich.live import Live

            self._live = Live(console=self._console, auto_refresh=False, transient=True)
            self._live.start()
        self._live.update(self.picture(), refresh=True)
        self._drawn = self._clock()

    def _stop(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def picture(self) -> RenderableType:
        """The line of progress, the curves, and the newest output."""
        from rich.console import Group
        from rich.text import Text

        parts: list[Any] = [Text(_progress_line(self._last))] if self._last else []
        parts.append(curves_text(self._curves, self._console.width))
        if self._sample:
            words = textwrap.shorten(self._sample, self._console.width * 2, placeholder=" …")
            parts.append(Text(textwrap.fill(words, self._console.width), style="dim"))
        return Group(*parts)


def _is_drawn(name: str) -> bool:
    return name in _DRAWN or (
        not name.startswith(("train/", "held_out/")) and name.partition("/")[2] in _DRAWN
    )


def _progress_line(step: Stepped) -> str:
    speed = step.values.get("train/tokens_per_second")
    mfu = step.values.get("train/mfu")
    words = [f"step {step.step:,} of {step.steps:,}"]
    if speed:
        words.append(f"{speed:,.0f} tokens/s")
    if mfu:
        words.append(f"{mfu:.0%} of the matrix-product peak")
    if step.seconds_left is not None:
        words.append(f"{duration(step.seconds_left)} left")
    return "  ".join(words)


def _evaluated_line(event: Evaluated) -> str:
    shown = [
        f"{name} {value:.3g}"
        for name, value in event.values.items()
        if value is not None and _is_drawn(name)
    ]
    return textwrap.fill(f"step {event.step:,}: " + ", ".join(shown), 80, subsequent_indent="  ")


def curves_text(curves: Mapping[str, Sequence[float]], width: int) -> Text:
    """Curves by name as aligned lines: first value, curve, last value.

    Args:
        curves: values by name, in order of steps.
        width: columns of the terminal.
    """
    from rich.text import Text

    columns = max(8, min(_WIDEST_CURVE, width - _BESIDE))
    text = Text()
    for name, values in curves.items():
        text.append(f"{name[:28]:<28}{values[0]:>10.3g} ")
        text.append(f"{sparkline(values, columns):<{columns}}", style="cyan")
        text.append(f"{values[-1]:>10.3g}\n")
    text.rstrip()
    return text


def sparkline(values: Sequence[float], columns: int) -> str:
    """Values as one line of blocks, lowest to highest; means where there are more than columns."""
    if len(values) > columns:
        edges = [round(i * len(values) / columns) for i in range(columns + 1)]
        values = [sum(values[low:high]) / (high - low) for low, high in itertools.pairwise(edges)]
    low, high = min(values), max(values)
    span = high - low
    if not span:
        return _BLOCKS[0] * len(values)
    return "".join(_BLOCKS[round((value - low) / span * (len(_BLOCKS) - 1))] for value in values)


def print_finished(console: Console, done: Finished) -> None:
    """What came out, and the estimate beside what it took."""
    from rich.text import Text

    planned = (
        "" if done.planned_seconds is None else f" (estimated {duration(done.planned_seconds)})"
    )
    words = (
        f"Trained in {duration(done.seconds)}{planned}, {done.peak_memory_bytes / 2**30:.1f} GiB"
    )
    shown = {
        "held_out/loss": "held-out loss {:.3f} nats per token",
        "held_out/bits_per_byte": "{:.3f} bits per byte",
    }
    found = [
        form.format(done.values[name]) for name, form in shown.items() if done.values.get(name)
    ]
    words += f"; {', '.join(found)}." if found else "."
    console.print(Text(textwrap.fill(words, console.width)))
    print_findings(console, done.findings)
    place = f"models/{done.folder.name}"
    if done.version is None:
        console.print(Text(f"The model is in {place}."))
    else:
        words = f"The model is in {place}; version {done.version} names it."
        console.print(Text(textwrap.fill(words, console.width)))
        console.print(Text(f"Next: ethogram run {done.version}", style="dim"))


def print_trainings(console: Console, records: Sequence[Mapping[str, Any]]) -> None:
    """The recorded trainings, a line each."""
    if not records:
        console.print("No training is recorded here.")
        return
    table = plain_table("recipe", "seed", "steps", "time", "held-out", last="state")
    for each in records:
        bits = each["held_out"]
        table.add_row(
            f"{each['name']} ({each['kind']})",
            str(each["seed"]),
            f"{each['done']:,}/{each['steps']:,}",
            "–" if each["seconds"] is None else duration(each["seconds"]),
            "–" if bits is None else f"{bits:.3f}",
            each["state"],
        )
    console.print(table)


def duration(seconds: float) -> str:
    """Seconds in words: 9 s, 3 min 20 s, 2 h 5 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.1f} s" if seconds < 9.95 else f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def amount(number: float) -> str:
    """A large number in short: 6.9 M, 164 k."""
    if number >= _MILLION:
        return f"{number / _MILLION:.3g} M"
    return f"{number / _THOUSAND:.3g} k" if number >= _THOUSAND else f"{number:.0f}"
