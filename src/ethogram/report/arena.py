"""Arena: pairs to vote on and the ranking, in a terminal. Model text is shown inert."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ethogram.arena.words import facts, interval_words, pair_words, percent, points
from ethogram.report.printing import excerpt, filled, inactive, plain_table
from ethogram.study.numbers import p_value

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table

    from ethogram.arena import Ranking, ShownPair

#: Columns below which two outputs stand one above the other.
SIDE_BY_SIDE = 72
KEYS = "← left   → right   t tie   b both bad   s skip   u undo   q quit"
#: Versions up to which all pairs are listed; beyond, those with the best.
_ALL_PAIRS = 4


def print_pair(console: Console, shown: ShownPair) -> None:
    """The prompt and two outputs in boxes of one size, and the keys."""
    from rich.panel import Panel
    from rich.table import Table
    from rich.text import Text

    console.print(Panel(Text(excerpt(shown.prompt)), title="prompt", title_align="left"))
    boxes = _boxes(console, [shown.left, shown.right])
    if console.width >= SIDE_BY_SIDE:
        grid = Table.grid(expand=True)
        grid.add_column(ratio=1)
        grid.add_column(ratio=1)
        grid.add_row(*boxes)
        console.print(grid)
    else:
        for box in boxes:
            console.print(box)
    console.print(Text(f"{shown.voted} of {shown.pairs} pairs voted on"), style="dim")
    console.print(Text(KEYS))


def _boxes(console: Console, texts: list[str]) -> list[RenderableType]:
    """Both outputs in boxes of one height, so that the length shows in the text alone."""
    from rich.panel import Panel
    from rich.text import Text

    columns = console.width // 2 if console.width >= SIDE_BY_SIDE else console.width
    contents = [Text(inactive(text).strip() or "(empty)") for text in texts]
    heights = [len(content.wrap(console, columns - 4)) for content in contents]
    return [
        Panel(content, title=name, title_align="left", height=max(heights) + 2)
        for content, name in zip(contents, ("left", "right"), strict=True)
    ]


def print_ranking(console: Console, found: Ranking) -> None:
    """The verdict, the ratings, each pair, and what is to be known of the votes."""
    from rich.text import Text

    console.print(Text(filled(found.verdict, console.width), style="bold"))
    console.print(_ratings(found))
    if found.pairs:
        console.print()
        console.print(_pairs(found))
    for words in facts(found):
        console.print(Text(filled(words, console.width), style="dim"))


def _ratings(found: Ranking) -> Table:
    from rich.text import Text

    table = plain_table(
        "version", "rating", "95 %", "equal length", "won", "lost", "tied", "bad", last="note"
    )
    for each in found.ratings:
        table.add_row(
            Text(each.version),
            points(each.rating.estimate),
            interval_words(each.rating, points),
            points(each.equal_length.estimate),
            *map(str, (each.wins, each.losses, each.ties, each.both_bad)),
            Text(each.note),
        )
    return table


def _pairs(found: Ranking) -> Table:
    table = plain_table("pair", "wins", "95 %", "equal length", "votes", "p", last="verdict")
    best = found.ratings[0].version
    everything = len(found.ratings) <= _ALL_PAIRS
    for each in found.pairs:
        if everything or each.first == best:
            table.add_row(
                f"{each.first} over {each.second}",
                percent(each.win_rate.estimate),
                interval_words(each.win_rate, percent),
                percent(each.equal_length.estimate),
                str(each.votes),
                p_value(each.p),
                pair_words(each),
            )
    return table
