"""Microscope: a trace as a table for a person at a shell. Model text is shown inert."""

from __future__ import annotations

from math import exp
from typing import TYPE_CHECKING

from ethogram.report.claims import printable
from ethogram.spec.steps import STEPS

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from ethogram.study.trace import Traced

#: Characters of a bar, and the eighths of one.
_BAR = 8
_EIGHTHS = " ▏▎▍▌▋▊▉"
#: Of a prompt and of a token, so many characters are shown.
_PROMPT, _PIECE = 400, 18
#: A terminal of fewer columns has no room for alternatives.
_WIDE = 72
#: From this raw probability on a token was expected, and from that on it was at least no surprise.
_LIKELY, _POSSIBLE = 0.5, 0.1


def print_trace(console: Console, traced: Traced) -> None:
    """The output, token by token."""
    from rich.text import Text

    made, trace = traced.generation, traced.trace
    title = Text(traced.version, style="bold").append(f"  {printable(traced.title)}", "not bold")
    prompt = printable(made.prompt_text)
    kind = f"prompt {printable(made.prompt_id)}" if traced.in_suite else "a prompt of your own"
    console.print(title)
    console.print(Text(f"{kind}, sample {made.sample_index}", style="dim"))
    console.print(Text(prompt if len(prompt) <= _PROMPT else f"{prompt[:_PROMPT].rstrip()} …"))
    console.print(_table(traced, with_alternatives=console.width >= _WIDE))
    console.print(Text(f"ended by {made.finish_reason} after {len(trace)} tokens", style="dim"))
    for line in _legend(traced):
        console.print(Text(line, style="dim"))


def _legend(traced: Traced) -> list[str]:
    lines = [
        "raw: probability at temperature 1 before any step; rank and entropy (nats) are of it too",
        "final: probability after all steps, what the token was drawn or picked by",
    ]
    shown = _counted(traced)
    if shown:
        names = " → ".join(traced.trace.steps[step] for step in shown)
        lines.append(f"kept: how many tokens were possible after {names}")
    return lines


def _counted(traced: Traced) -> list[int]:
    """Places of the steps that can make a token impossible; the others only move scores."""
    names = traced.trace.steps
    return [place for place, name in enumerate(names) if STEPS[name].masks]


def _table(traced: Traced, *, with_alternatives: bool) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    trace, shown = traced.trace, _counted(traced)
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False)
    table.add_column("", justify="right", style="dim", no_wrap=True)
    table.add_column("token", no_wrap=True)
    table.add_column("raw", no_wrap=True)
    for heading in ("", "rank", "entropy", "final"):
        table.add_column(heading, justify="right", no_wrap=True)
    if shown:
        table.add_column("kept", justify="right", no_wrap=True)
    if with_alternatives:
        table.add_column("alternatives", no_wrap=True, overflow="ellipsis", ratio=1)
    for at in range(len(trace)):
        raw = exp(traced.generation.logprobs[at])
        kept = " → ".join(f"{trace.kept[at, step]}" for step in shown)
        table.add_row(
            str(at + 1),
            Text(piece(traced.pieces[at]), style="bold"),
            Text(_bar(raw), style=_colour(raw)),
            _percent(raw),
            str(trace.rank[at]),
            f"{trace.entropy[at]:.2f}",
            _percent(float(trace.probability[at])),
            *([kept] if shown else []),
            *([_alternatives(traced, at)] if with_alternatives else []),
        )
    return table


def _alternatives(traced: Traced, at: int) -> Text:
    """The other likely tokens."""
    from rich.text import Text

    trace, chosen = traced.trace, traced.generation.token_ids[at]
    line = Text()
    for token, text, logprob in zip(
        trace.alternatives[at].tolist(),
        traced.alternatives[at],
        trace.alternative_logprobs[at].tolist(),
        strict=True,
    ):
        if token != chosen:
            line.append(piece(text)).append(f" {_percent(exp(logprob))}  ", style="dim")
    return line


def piece(text: str) -> str:
    """A token's text on one line: spaces and line ends seen, control characters not obeyed."""
    seen = text.replace("\n", "⏎").replace("\t", "⇥").replace(" ", "·")
    shown = "".join(one if one.isprintable() else "�" for one in seen)
    return shown if len(shown) <= _PIECE else f"{shown[: _PIECE - 1]}…"


def _bar(share: float) -> str:
    whole, rest = divmod(round(min(max(share, 0.0), 1.0) * _BAR * 8), 8)
    return ("█" * whole + (_EIGHTHS[rest] if rest else "")).ljust(_BAR)


def _colour(probability: float) -> str:
    if probability >= _LIKELY:
        return "green"
    return "yellow" if probability >= _POSSIBLE else "red"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %" if share >= 0.001 else "<0.1 %"
