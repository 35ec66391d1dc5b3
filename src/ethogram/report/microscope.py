"""Microscope: a trace as a table for a person at a shell. Model text is shown inert."""

from __future__ import annotations

from math import exp
from typing import TYPE_CHECKING

from ethogram.report.printing import excerpt, filled, inactive, printable
from ethogram.spec.steps import STEPS

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from ethogram.study.token_loops import TokenLoop
    from ethogram.study.trace import Traced

#: Characters of a bar, and the eighths of one.
_BAR = 8
_EIGHTHS = " ▏▎▍▌▋▊▉"
#: Of a prompt and of a token, so many characters are shown.
_PROMPT, _PIECE = 400, 18
#: Columns that an alternative takes at most: token, probability, space between.
_ALTERNATIVE = 18
#: A terminal with fewer columns shows no bars, one with fewer than the second no alternatives.
_WIDE, _MEDIUM = 100, 72
#: From this raw probability on a token was expected, and from that on it was at least no surprise.
_LIKELY, _POSSIBLE = 0.5, 0.1


def print_trace(console: Console, traced: Traced, *, details: bool = False) -> None:
    """The output, token by token.

    Args:
        console: where.
        traced: the output.
        details: show entropy, final probability and what each step kept as well.
    """
    from rich.text import Text

    made, trace = traced.generation, traced.trace
    title = Text(traced.version, style="bold").append(f"  {printable(traced.title)}", "not bold")
    kind = f"prompt {printable(made.prompt_id)}" if traced.in_suite else "a prompt of your own"
    console.print(title)
    console.print(Text(f"{kind}, sample {made.sample_index}", style="dim"))
    console.print(Text(excerpt(made.prompt_text, _PROMPT)))
    console.print(_table(traced, console.width, details=details))
    console.print(Text(f"{_ending(made.finish_reason)} after {len(trace)} tokens", style="dim"))
    for line in _legend(traced, details=details):
        console.print(Text(filled(line, console.width), style="dim"))


def _ending(reason: str) -> str:
    words = {
        "eos": "ended by the model",
        "stop": "ended by a stop string",
        "length": "cut off by the length limit",
    }
    return words.get(reason, f"ended ({reason})")


def _legend(traced: Traced, *, details: bool) -> list[str]:
    lines = ["probability and rank: the model's own, at temperature 1 before any step"]
    if any(of for _, of in traced.parts):
        lines.append("1/2, 2/2: tokens that make a character together; the first shows it")
    lines += [_loop_words(loop) for loop in traced.loops]
    if traced.in_suite:
        lines.append("--step N: one token's distribution before and after each step")
    if not details:
        return [*lines, "--details: entropy, final probability, and what each step kept"]
    lines += [
        "entropy: of the same distribution, in nats",
        "final: probability after all steps, used to sample the token",
    ]
    shown = _counted(traced)
    if shown:
        names = " → ".join(traced.trace.steps[step] for step in shown)
        lines.append(f"kept: tokens that were still possible after {names}")
    return lines


def _loop_words(loop: TokenLoop) -> str:
    """How probable each copy of a loop was."""
    first, last = loop.onset + 1, loop.onset + loop.period * loop.copies
    shares = [percent(share) for share in loop.probability]
    shown = shares if len(shares) <= 6 else [*shares[:4], "…", shares[-1]]
    return (
        f"loop: tokens {first} to {last} are {loop.copies} copies of {loop.period} tokens; mean "
        f"probability of a token by copy: {' → '.join(shown)}"
    )


def _counted(traced: Traced) -> list[int]:
    """Places of the steps that can make a token impossible; the others only move scores."""
    names = traced.trace.steps
    return [place for place, name in enumerate(names) if STEPS[name].masks]


def _table(traced: Traced, width: int, *, details: bool) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    trace, shown = traced.trace, _counted(traced) if details else []
    bars = width >= _WIDE and not details
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False, pad_edge=False)
    table.add_column("", justify="right", style="dim", no_wrap=True)
    table.add_column("token", no_wrap=True)
    if bars:
        table.add_column("", no_wrap=True)
    table.add_column("probability" if width >= _MEDIUM else "prob.", justify="right", no_wrap=True)
    table.add_column("rank", justify="right", no_wrap=True)
    for heading in ("entropy", "final") if details else ():
        table.add_column(heading, justify="right", no_wrap=True)
    if shown:
        table.add_column("kept", justify="right", overflow="fold")
    alternatives = 0 if details or width < _MEDIUM else max(2, (width - 50) // _ALTERNATIVE)
    if alternatives:
        table.add_column("alternatives", no_wrap=True)
    for at in range(len(trace)):
        raw = exp(traced.generation.logprobs[at])
        cells: list[str | Text] = [str(at + 1), Text(_own_piece(traced, at), style="bold")]
        cells += [Text(bar(raw), style=_colour(raw))] if bars else []
        cells += [Text(percent(raw), style=_colour(raw)), str(trace.rank[at])]
        if details:
            cells += [f"{trace.entropy[at]:.2f}", percent(float(trace.probability[at]))]
        if shown:
            cells.append(" → ".join(f"{trace.kept[at, step]}" for step in shown))
        if alternatives:
            cells.append(_alternatives(traced, at, alternatives))
        table.add_row(*cells)
    return table


def _alternatives(traced: Traced, at: int, most: int) -> Text:
    """The other likely tokens, each whole."""
    from rich.text import Text

    trace, chosen = traced.trace, traced.generation.token_ids[at]
    line = Text()
    others = [
        (text, logprob)
        for token, text, logprob in zip(
            trace.alternatives[at].tolist(),
            traced.alternatives[at],
            trace.alternative_logprobs[at].tolist(),
            strict=True,
        )
        if token != chosen
    ]
    for text, logprob in others[:most]:
        line.append(piece(text, _ALTERNATIVE - 8)).append(f" {percent(exp(logprob))}  ", "dim")
    return line


def piece(text: str, characters: int = _PIECE) -> str:
    """A token's text on one line: spaces and line ends seen, control characters not obeyed."""
    shown = inactive(text.replace("\n", "⏎").replace("\t", "⇥").replace(" ", "·"))
    return shown if len(shown) <= characters else f"{shown[: characters - 1]}…"


def _own_piece(traced: Traced, at: int) -> str:
    """A token's text; of tokens that make a character together, which one it is."""
    part, of = traced.parts[at] if traced.parts else (0, 0)
    return f"{piece(traced.pieces[at], _PIECE - 4)} {part}/{of}" if of else piece(traced.pieces[at])


def bar(share: float, characters: int = _BAR) -> str:
    """A share of 1 as a bar of so many characters."""
    whole, rest = divmod(round(min(max(share, 0.0), 1.0) * characters * 8), 8)
    return ("█" * whole + (_EIGHTHS[rest] if rest else "")).ljust(characters)


def _colour(probability: float) -> str:
    if probability >= _LIKELY:
        return "green"
    return "yellow" if probability >= _POSSIBLE else "red"


def percent(share: float) -> str:
    """A share of 1 in per cent."""
    return f"{100 * share:.1f} %" if share >= 0.001 else "<0.1 %"
