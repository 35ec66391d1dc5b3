"""`ethogram arena` and `ethogram rank`: blind votes between versions, and their ratings."""

from __future__ import annotations

import getpass
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

import click

from ethogram.cli.options import (
    command,
    console,
    json_option,
    open_study,
    print_json,
    study_option,
)
from ethogram.errors import VoteError

if TYPE_CHECKING:
    from ethogram.arena import Arena, ShownPair
    from ethogram.store import Choice, VoterKind

#: What a terminal sends for a key, and what a line of a script may say, to what it means.
_ANSWERS = {
    **dict.fromkeys(("\x1b[D", "\x1bOD", "\xe0K", "\x00K", "1", "left"), "left"),
    **dict.fromkeys(("\x1b[C", "\x1bOC", "\xe0M", "\x00M", "2", "right"), "right"),
    **dict.fromkeys(("t", "tie"), "tie"),
    **dict.fromkeys(("b", "both_bad"), "both_bad"),
    **dict.fromkeys(("s", "skip"), "skip"),
    **dict.fromkeys(("u", "undo"), "undo"),
    **dict.fromkeys(("q", "quit", "\x1b"), "quit"),
}
Answer = Literal["left", "right", "tie", "both_bad", "skip", "undo", "quit"]

kind_option = click.option(
    "--kind",
    type=click.Choice(["human", "judge"]),
    default="human",
    show_default=True,
    help="Votes of people, or those of judging models, which are kept apart.",
)


@command(
    "arena",
    "ethogram arena v0.1.0 v1.0.0",
    "ethogram arena v0.1.0 v1.0.0 v1.1.0 --voter ann",
    "ethogram arena v0.1.0 v1.0.0 --recipe votes.yaml",
)
@click.argument("versions", nargs=-1, required=True)
@click.option("--voter", metavar="NAME", help="Whose votes these are. Default: your login name.")
@kind_option
@click.option(
    "--recipe",
    metavar="FILE",
    help="Afterwards write a DPO recipe that trains the best version on the votes.",
)
@study_option
@json_option
def arena_command(
    versions: tuple[str, ...],
    voter: str | None,
    kind: VoterKind,
    recipe: str | None,
    folder: Path,
    json_wanted: bool,
) -> None:
    """Vote between versions without seeing which is which.

    Shows two stored outputs of a prompt: press ← or → for the better one, or 1 and 2, t for a tie,
    b if both are bad, s to skip, u to undo, q to quit. Each vote is stored at once. Without a
    terminal, each line of the input is a vote, in words: left, right, tie, both_bad, skip, undo.
    With --json each pair is printed as a line of JSON.
    """
    from ethogram.arena import Arena, write_recipe

    name = voter or getpass.getuser()
    with open_study(folder) as study:
        arena = Arena(study, versions, kind=kind)
        votes = _vote(arena, name, json_wanted)
        written = None
        if recipe:
            written = write_recipe(study, versions, recipe)
    if json_wanted:
        click.echo(json.dumps({"votes": votes, "recipe": str(written) if written else None}))
        return
    plural = "vote" if votes == 1 else "votes"
    click.echo(f"{votes} {plural} by {name}. Next: ethogram rank {' '.join(versions)}")
    if written:
        click.echo(f"Wrote {written}. Next: ethogram train {recipe}")


def _vote(arena: Arena, voter: str, json_wanted: bool) -> int:
    """Show pairs and store votes until the voter stops or has seen all; returns how many votes."""
    votes, shown, notice = 0, arena.next(voter), ""
    answers = _answers(sys.stdin.isatty() and not json_wanted)
    while shown is not None:
        _show(shown, notice, json_wanted)
        answer, notice = next(answers), ""
        if answer == "quit":
            break
        try:
            if answer == "undo":
                back = arena.undo(voter)
                votes -= back is not None
                shown, notice = back or shown, "" if back else "There is no vote to undo."
                continue
            arena.vote(shown.ticket, voter, answer)
            votes += 1
        except VoteError as error:  # Given in another window; the next pair is another one.
            notice = str(error)
        shown = arena.next(voter)
    if shown is None and not json_wanted:
        click.echo(f"{voter} has voted on every pair.")
    return max(0, votes)  # Those of an earlier time can be undone, too.


def _show(shown: ShownPair, notice: str, json_wanted: bool) -> None:
    from ethogram.report.arena import print_pair

    if json_wanted:
        click.echo(json.dumps({**asdict(shown), "refused": notice or None}, ensure_ascii=False))
        sys.stdout.flush()
        return
    out = console()
    if sys.stdin.isatty():
        out.clear()
    print_pair(out, shown)
    if notice:
        click.echo(notice)


def _answers(interactive: bool) -> Iterator[Choice | Literal["undo", "quit"]]:
    """What the voter says: a key each time, or the lines of standard input."""
    while True:
        if interactive:
            try:
                word = click.getchar()
            except (EOFError, KeyboardInterrupt):
                word = "quit"
        else:
            line = sys.stdin.readline()
            word = line.strip() if line else "quit"
            if line and not word:
                continue
        answer = _ANSWERS.get(word) or _ANSWERS.get(word.lower())
        if answer is None and not interactive:
            raise click.UsageError(
                f"unknown vote {word!r}; write left, right, tie, both_bad, skip, undo or quit"
            )
        if answer is not None:
            yield cast("Answer", answer)


@command("rank", "ethogram rank", "ethogram rank v0.1.0 v1.0.0 --voter ann")
@click.argument("versions", nargs=-1)
@click.option(
    "--voter", "voters", metavar="NAME", multiple=True, help="Only votes of this one. Repeatable."
)
@kind_option
@study_option
@json_option
def rank_command(
    versions: tuple[str, ...],
    voters: tuple[str, ...],
    kind: VoterKind,
    folder: Path,
    json_wanted: bool,
) -> None:
    """Rate versions by the votes of `ethogram arena`.

    Prints which version is preferred, ratings with 95 % intervals (400 points are odds of ten to
    one, 1000 is the mean), and the same at equal length. Without VERSIONS, all that have votes.
    """
    from ethogram.arena import rank
    from ethogram.report.arena import print_ranking

    with open_study(folder) as study:
        found = rank(study, versions or None, kind=kind, voters=voters)
    if json_wanted:
        print_json(found)
    else:
        print_ranking(console(), found)
