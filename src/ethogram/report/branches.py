"""Branches in a terminal: both continuations, and lists. Model text is shown inert."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ethogram.report.microscope import percent, piece
from ethogram.report.printing import excerpt, filled, inactive, text_table

if TYPE_CHECKING:
    from rich.console import Console

    from ethogram.store.branches import StoredBranch
    from ethogram.study.branching import Branched
    from ethogram.study.trace import Traced

#: Characters of a text in a list, and of the common text before two continuations.
_LISTED, _COMMON = 60, 160


def print_branched(console: Console, made: Branched) -> None:
    """What both outputs share, then each continuation.

    Args:
        console: where.
        made: the branch.
    """
    from rich.text import Text

    branch = made.branch
    console.print(Text(f"branch {branch.id}", style="bold").append(f"  {made.words}", "not bold"))
    parted = made.parted_at
    if parted is None:
        console.print(Text("the same as the original, token for token"))
        return
    common = "".join(made.made.pieces[:parted])
    if common:
        shown = common if len(common) <= _COMMON else f"…{common[-_COMMON:]}"
        console.print(Text(excerpt(shown, _COMMON + 1), style="dim"))
    console.print(Text(f"the outputs differ from token {parted + 1} on", style="dim"))
    for name, side in (("original", made.original), ("branch", made.made)):
        rest = inactive("".join(side.pieces[parted:]))
        console.print(Text(f"{name:8} {_first(side, parted)}", style="bold"))
        console.print(Text(filled(rest or "(ends here)", console.width, indent="  ", hanging="  ")))


def _first(side: Traced, at: int) -> str:
    """The first token that differs and its probability."""
    if at >= len(side.pieces):
        return ""
    raw = float(side.trace.probability[at])
    return f"{piece(side.pieces[at])} (final probability {percent(raw)})"


def print_branches(console: Console, found: Sequence[StoredBranch]) -> None:
    """A branch a line.

    Args:
        console: where.
        found: the branches.
    """
    from rich.text import Text

    from ethogram.study.branches import branch_words

    if not found:
        console.print(Text("no branches"))
        return
    lines = [["id", "version", "prompt", "change", "text"]]
    for each in found:
        made = each.generation
        words = f"{branch_words(each)}{' (undone)' if each.undone else ''}"
        prompt = f"{made.prompt_id}/{made.sample_index}"
        lines.append([str(each.id), each.version, prompt, words, excerpt(made.text, _LISTED)])
    console.print(Text(text_table(lines, right={0}, width=console.width, wrap=4)))
