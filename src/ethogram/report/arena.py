"""Arena: pairs to vote on and the ranking, in a terminal. Model text is shown inert."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ethogram.report.printing import excerpt, filled, inactive, plain_table
from ethogram.study.numbers import p_value

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table

    from ethogram.arena import PairRating, Ranking, ShownPair
    from ethogram.stats import Interval

#: Columns below which two outputs stand one above the other.
SIDE_BY_SIDE = 72
KEYS = "← left   → right   t tie   b both bad   s skip   u undo   q quit"
#: Below this alpha, conclusions are doubtful (Krippendorff 2004, section 11.4).
LOW_AGREEMENT = 0.667
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
    for words in _facts(found):
        console.print(Text(filled(words, console.width), style="dim"))


def _ratings(found: Ranking) -> Table:
    from rich.text import Text

    table = plain_table(
        "version", "rating", "95 %", "equal length", "won", "lost", "tied", "bad", last="note"
    )
    for each in found.ratings:
        table.add_row(
            Text(each.version),
            _points(each.rating.estimate),
            _range(each.rating),
            _points(each.equal_length.estimate),
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
                _percent(each.win_rate.estimate),
                _percents(each.win_rate),
                _percent(each.equal_length.estimate),
                str(each.votes),
                p_value(each.p),
                _verdict(each),
            )
    return table


def _verdict(pair: PairRating) -> str:
    if pair.decided:
        return "preferred"
    if pair.more_votes is None:
        return "undecided"
    return f"undecided, about {pair.more_votes} more votes"


def _facts(found: Ranking) -> list[str]:
    """Whose votes, how far they agree, and which do not count."""
    facts = []
    if found.voters:
        listed = ", ".join(f"{name} {votes}" for name, votes in found.voters.items())
        who = "Votes" if found.kind == "human" else "Votes of judging models"
        skipped = f"; {found.skipped} skipped" if found.skipped else ""
        facts.append(f"{who}: {listed}{skipped}.")
    if len(found.voters) > 1:
        facts.append(_agreement_words(found))
    if found.stale:
        facts.append(
            f"{found.stale} votes do not count: they are on outputs from before a version was "
            "edited."
        )
    if found.identical:
        facts.append(f"{found.identical} pairs have the same text on both sides; nobody sees them.")
    return facts


def _agreement_words(found: Ranking) -> str:
    alpha = found.agreement
    if math.isnan(alpha.interval.estimate):
        return "Agreement is not known: no two voters voted on the same pair with some difference."
    words = f"Agreement (Krippendorff's alpha) {alpha.interval.estimate:.2f}"
    if not math.isnan(alpha.interval.low):
        words += f" [{alpha.interval.low:.2f}, {alpha.interval.high:.2f}]"
    words += f" on {alpha.units} pairs"
    return f"{words}; below {LOW_AGREEMENT} is low." if _is_low(alpha.interval) else f"{words}."


def _is_low(interval: Interval) -> bool:
    return interval.estimate < LOW_AGREEMENT


def _points(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.0f}"


def _range(interval: Interval) -> str:
    if math.isnan(interval.low):
        return "–"
    return f"[{_points(interval.low)}, {_points(interval.high)}]"


def _percent(value: float) -> str:
    return "–" if math.isnan(value) else f"{100 * value:.0f} %"


def _percents(interval: Interval) -> str:
    if math.isnan(interval.low):
        return "–"
    return f"[{100 * interval.low:.0f}, {100 * interval.high:.0f}]"
