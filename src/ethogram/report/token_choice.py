"""A token's distribution before and after each step, for a person at a shell; text is inert."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ethogram.report.microscope import bar, percent, piece
from ethogram.report.printing import excerpt, filled, printable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from ethogram.study.token_choice import TokenChoice

#: Of the text before a token, the end is shown.
_BEFORE = 200
#: Columns of a token, and of a distribution beside it.
_TOKEN, _COLUMN = 18, 16
#: A terminal with fewer columns shows the first and the last distribution only.
_NARROW = 60


def print_choice(console: Console, choice: TokenChoice) -> None:
    """What one token was chosen from: a column for each distribution, and what each step removed.

    Args:
        console: where.
        choice: the token.
    """
    from rich.text import Text

    what = f"branch {choice.branch} of {choice.version}" if choice.branch else choice.version
    title = Text(what, style="bold")
    title.append(
        f"  prompt {printable(choice.prompt_id)}, sample {choice.sample_index}, "
        f"token {choice.step + 1}",
        "not bold",
    )
    console.print(title)
    before = choice.before if len(choice.before) <= _BEFORE else f"…{choice.before[-_BEFORE:]}"
    line = Text(excerpt(before, _BEFORE + 1), style="dim")
    chosen = choice.texts[choice.listed.index(choice.token)]
    console.print(line.append(piece(chosen), "bold not dim reverse"))
    console.print(Text(filled(choice.why_possible, console.width)))
    console.print(_table(choice, console.width))
    for stage in choice.stages:
        removed = [choice.texts[choice.listed.index(one)] for one in stage.removed_examples]
        named = f": {', '.join(map(piece, removed))}" if removed else ""
        more = ", …" if stage.removed > len(removed) > 0 else ""
        words = f"{stage.label}: {stage.words}{named}{more}; entropy {stage.entropy:.2f} nats"
        console.print(Text(filled(words, console.width, hanging="  "), style="dim"))
    console.print(Text(filled(choice.how, console.width), style="dim"))
    for note in choice.notes:
        console.print(Text(filled(note, console.width), style="yellow"))


def _table(choice: TokenChoice, width: int) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    shown = list(range(len(choice.stages)))
    fit = max(2, (width - _TOKEN) // _COLUMN)
    if len(shown) > fit:  # The first ones are dropped last: model, then what is nearest the end.
        shown = [0, *shown[len(shown) - fit + 1 :]]
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False, pad_edge=False)
    table.add_column("token", no_wrap=True)
    last = len(choice.stages) - 1
    for index in shown:
        label = choice.stages[index].label
        table.add_column(f"{label} (final)" if index == last and index else label, overflow="fold")
    for token, text in zip(choice.listed, choice.texts, strict=True):
        is_chosen = token == choice.token
        cells: list[str | Text] = [
            Text(piece(text, _TOKEN - 2), style="bold reverse" if is_chosen else "")
        ]
        for index in shown:
            share = float(choice.stages[index].probabilities[token])
            cells.append(_share(share, width))
        table.add_row(*cells)
    cells = [Text("all others", style="dim")]
    cells += [_share(choice.rest(choice.stages[index]), width) for index in shown]
    table.add_row(*cells)
    return table


def _share(share: float, width: int) -> Text:
    from rich.text import Text

    if share == 0:
        return Text("–", style="dim")
    shown = percent(share)
    return Text(shown if width < _NARROW else f"{bar(share, 6)} {shown}")
