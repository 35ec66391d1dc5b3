"""Judging: the verdicts of a judge in a terminal. Its text is shown inert."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ethogram.report.differences import colour
from ethogram.report.printing import excerpt, plain_table, printable
from ethogram.study.judging.pairwise import MOST_UNPARSED
from ethogram.study.numbers import number, p_value, signed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console
    from rich.table import Table

    from ethogram.study.judging.pairwise import (
        Cost,
        JudgedPair,
        PairwiseJudgement,
    )
    from ethogram.study.judging.prompts import Winner
    from ethogram.study.judging.rubric import RubricJudgement, ScoredOutput


def print_pairwise(console: Console, found: PairwiseJudgement, *, shown: int) -> None:
    """Who wins and how far the judge can be trusted; then some pairs with the judge's words."""
    from rich.text import Text

    _heading(console, found)
    prompts = len({pair.before.prompt_id for pair in found.pairs})
    console.print(Text(f"{len(found.pairs)} pairs on {prompts} prompts: {_pairing_words(found)}"))
    console.print(
        Text(
            f"{found.after} wins {found.count('after')}, loses {found.count('before')}, ties "
            f"{found.count('tie')} ({_tie_words(found)})"
        )
    )
    console.print(_rates(found))
    if found.agreements:
        console.print()
        console.print(_agreements(found))
    for words in _doubts(found):
        console.print(Text(words, style="dim"))
    console.print(Text(found.verdict, style="bold"))
    _print_cost(console, found.cost)
    _print_pairs(console, found, shown)


def print_rubric(console: Console, found: RubricJudgement, *, shown: int) -> None:
    """Each criterion of both versions, then some outputs with the judge's words."""
    from rich.text import Text

    _heading(console, found)
    console.print(_scores(found))
    for each in found.differences:
        if words := each.is_unreliable:
            console.print(Text(f"{each.metric.title}: {words}", style="dim"))
    if found.unparsed_share > MOST_UNPARSED:
        console.print(
            Text(f"? {found.unparsed_share:.0%} of replies could not be read", style="dim")
        )
    before, after = found.unparsed
    console.print(
        Text(
            f"Replies that could not be read: {before} of {len(found.scored[0])} for "
            f"{found.before}, {after} of {len(found.scored[1])} for {found.after}"
        )
    )
    _print_cost(console, found.cost)
    _print_scored(console, found, shown)


def _scores(found: RubricJudgement) -> Table:
    """One criterion per line, in points from 1 to 10."""
    from rich.text import Text

    table = plain_table(
        "points, 1–10", found.before, found.after, "difference, 95 %", "p", last="verdict"
    )
    for each in found.differences:
        interval = f"{signed(each.estimate)} [{signed(each.low)}, {signed(each.high)}]"
        table.add_row(
            Text(each.metric.title),
            number(each.before),
            number(each.after),
            Text(f"{interval}{' ?' if each.is_unreliable else '  '}"),
            p_value(each.p_adjusted),
            Text(each.verdict, style=colour(each)),
        )
    return table


def _heading(console: Console, found: PairwiseJudgement | RubricJudgement) -> None:
    from rich.text import Text

    heading = Text(f"{found.before} → {found.after}", style="bold")
    judged_by = f"  judged by {printable(found.judge)}, {found.prompt.id} {found.prompt.digest[:8]}"
    console.print(heading.append(judged_by, style="not bold"))


def _pairing_words(found: PairwiseJudgement) -> str:
    """Which outputs were paired; a coupled rate is never shown without it."""
    if found.coupled:
        return (
            "equal sample index, shared noise. The rates below are coupled: they show how often "
            "the design changes the verdict. For how often an independent output of one version "
            "beats one of the other, use --pairs shifted"
        )
    if found.pairing == "shifted":
        return "neighbouring sample indices, independent noise"
    return "equal sample index, independent noise"


def _tie_words(found: PairwiseJudgement) -> str:
    agreed = sum(
        pair.consistent and pair.forward == "tie" and not pair.identical for pair in found.pairs
    )
    unread = sum(not pair.parsed for pair in found.pairs)
    parts = [f"{agreed} in both orders", f"{found.inconsistent} where the orders disagree"]
    parts += [f"{found.identical} with the same text, not judged"] if found.identical else []
    parts += [f"{unread} with a reply that could not be read"] if unread else []
    return ", ".join(parts)


def _rates(found: PairwiseJudgement) -> Table:
    """Rates with their intervals, and how far the judge can be trusted."""
    from rich.text import Text

    kind = " (coupled)" if found.coupled else ""
    rate, length = found.win_rate, found.length
    table = plain_table("", "value", "95 % interval", "p")
    table.add_row(
        Text(f"win rate of {found.after}{kind}"),
        _percent(rate.estimate),
        _between(rate.low, rate.high, doubtful=bool(found.warning)),
        p_value(found.test.p),
    )
    table.add_row(
        Text(f"at equal length{kind}"),
        _percent(length.win_rate),
        _between(length.low, length.high, doubtful=bool(length.warning)),
        "",
    )
    table.add_row("position consistency", _percent(found.consistency), "", "")
    table.add_row("verdicts for the first shown", _percent(found.first_position_rate), "", "")
    table.add_row("replies not readable", _percent(found.unparsed_share), "", "")
    return table


def _agreements(found: PairwiseJudgement) -> Table:
    """How often the winner of a pair scores higher, one metric per line."""
    from rich.text import Text

    table = plain_table("winner scores higher in", "share", "95 % interval", "pairs")
    for each in found.agreements:
        share = each.winner_higher
        table.add_row(
            Text(each.metric.title),
            _percent(share.estimate),
            _between(share.low, share.high, doubtful=False),
            str(each.pairs),
        )
    return table


def _doubts(found: PairwiseJudgement) -> list[str]:
    lines = []
    if found.warning:
        lines.append(f"? the win rate is unreliable ({found.warning})")
    if found.length.warning:
        lines.append(f"? the win rate at equal length is unreliable ({found.length.warning})")
    return lines


def _print_cost(console: Console, cost: Cost) -> None:
    stored = cost.verdicts - cost.asked
    tokens = f"{cost.prompt_tokens} tokens read and {cost.completion_tokens} written for all"
    console.print(
        f"{cost.asked} requests made, {stored} verdicts already stored; {tokens}", highlight=False
    )


def _print_pairs(console: Console, found: PairwiseJudgement, shown: int) -> None:
    """Some pairs on which a version won, or else others, with both replies."""
    from rich.table import Table
    from rich.text import Text

    asked = [pair for pair in found.pairs if not pair.identical]
    chosen = sorted(asked, key=lambda pair: pair.outcome == "tie")[:shown]
    if not chosen:
        return
    table = Table(title="side by side", show_lines=True)
    for heading in (found.before, found.after, "the judge, both orders"):
        table.add_column(heading, overflow="fold", ratio=1)
    for pair in chosen:
        words = [
            f"{_said(found, pair, order)}:\n{excerpt(pair.replies[order])}" for order in (0, 1)
        ]
        table.add_row(
            Text(f"{pair.before.prompt_id}\n{excerpt(pair.before.text)}"),
            Text(f"{excerpt(pair.before.prompt)}\n{excerpt(pair.after.text)}"),
            Text("\n\n".join(words)),
        )
    console.print(table)


def _said(found: PairwiseJudgement, pair: JudgedPair, order: int) -> str:
    first, second = (found.before, found.after) if order == 0 else (found.after, found.before)
    winner: Winner | None = pair.forward if order == 0 else pair.backward
    verdicts = {"first": first, "second": second, "tie": "tie", None: "not readable"}
    return f"{first} shown first → {verdicts[winner]}"


def _print_scored(console: Console, found: RubricJudgement, shown: int) -> None:
    from rich.table import Table
    from rich.text import Text

    if not shown:
        return
    table = Table(title="scores", show_lines=True)
    for heading, ratio in (("output", 2), ("scores", 1), ("the judge", 2)):
        table.add_column(heading, overflow="fold", ratio=ratio)
    sides: Sequence[tuple[str, Sequence[ScoredOutput]]] = list(
        zip((found.before, found.after), found.scored, strict=True)
    )
    for name, side in sides:
        for each in side[:shown]:
            scores = "\n".join(f"{key} {value}" for key, value in (each.scores or {}).items())
            table.add_row(
                Text(f"{name}, {each.output.prompt_id}\n{excerpt(each.output.text)}"),
                Text(scores or "not readable"),
                Text(excerpt(each.reply)),
            )
    console.print(table)


def _percent(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.1%}"


def _between(low: float, high: float, *, doubtful: bool) -> str:
    if math.isnan(low):
        return "–"
    return f"[{low:.1%}, {high:.1%}]{' ?' if doubtful else '  '}".replace("[", r"\[")
