"""`ethogram branch`: continue stored outputs from one of their tokens, and use what came of it."""

from __future__ import annotations

from pathlib import Path

import click

from ethogram.cli.options import (
    command,
    console,
    json_option,
    open_study,
    print_json,
    say_loading,
    study_option,
)
from ethogram.errors import SpecError

number_argument = click.argument("number", metavar="ID", type=int)


@click.group(
    "branch", epilog="\b\nExample:\n  ethogram branch new v0.1.0 --prompt short-portugal --at 3"
)
def branch_group() -> None:
    """Continue stored outputs from one of their tokens with another token or other settings.

    A branch has the random numbers of its original, so what differs is what was changed. It is
    stored with its trace.
    """


@command(
    "new",
    "ethogram branch new v0.1.0 --prompt short-portugal --at 3 --choose ' small'",
    "ethogram branch new v0.1.0 --prompt short-portugal --at 3 --set decoding.temperature=0.4",
    "ethogram branch new --from 2 --at 9 --draw 1",
)
@click.argument("version", required=False)
@click.option("-p", "--prompt", metavar="ID", help="Id of a prompt of the suite.")
@click.option(
    "--sample",
    default=0,
    show_default=True,
    type=click.IntRange(min=0),
    help="Sample index of the output.",
)
@click.option("--from", "number", metavar="ID", type=int, help="Begin from a branch instead.")
@click.option(
    "--at",
    required=True,
    metavar="N",
    type=click.IntRange(min=1),
    help="The first token that may differ, counted from 1 as `ethogram trace` does.",
)
@click.option("--choose", metavar="TOKEN", help="Text of the token to put there.")
@click.option(
    "--set",
    "settings",
    metavar="FIELD=VALUE",
    multiple=True,
    help="A setting of the decoding from there on, such as decoding.top_p=0.8. Repeatable.",
)
@click.option(
    "--draw",
    type=click.IntRange(min=0),
    help="Other random numbers, by any number above 0. Default: those of the original.",
)
@study_option
@json_option
def new_command(
    version: str | None,
    prompt: str | None,
    sample: int,
    number: int | None,
    at: int,
    choose: str | None,
    settings: tuple[str, ...],
    draw: int | None,
    folder: Path,
    json_wanted: bool,
) -> None:
    """Continue an output of VERSION, or a branch, from one of its tokens.

    Without a choice, a setting or other random numbers, the branch is the original.
    """
    if (version is None or prompt is None) == (number is None):
        raise SpecError(
            "name an output (VERSION and --prompt) or a branch (--from)", where="branch new"
        )
    from ethogram.report.branches import print_branched
    from ethogram.study.branching import branch, branch_again
    from ethogram.study.versions import parse_setting

    say = say_loading(quiet=json_wanted)
    given = dict(parse_setting(text) for text in settings)
    with open_study(folder) as study:
        if number is None:
            made = branch(
                study,
                version or "",
                prompt or "",
                sample=sample,
                at=at - 1,
                token=choose,
                settings=given,
                draw=draw or 0,
                on_load=say,
            )
        else:
            made = branch_again(
                study, number, at=at - 1, token=choose, settings=given, draw=draw, on_load=say
            )
    if json_wanted:
        print_json(made)
    else:
        print_branched(console(), made)


@command("list", "ethogram branch list", "ethogram branch list v0.1.0 --undone")
@click.argument("version", required=False)
@click.option("-p", "--prompt", metavar="ID", help="Only those of this prompt.")
@click.option("--undone", is_flag=True, help="Those that were undone as well.")
@study_option
@json_option
def list_command(
    version: str | None, prompt: str | None, undone: bool, folder: Path, json_wanted: bool
) -> None:
    """List the stored branches."""
    from ethogram.report.branches import print_branches
    from ethogram.study.branches import branch_json, branches

    with open_study(folder) as study:
        found = branches(study, version, prompt, undone=undone)
    if json_wanted:
        print_json([branch_json(each) for each in found])
    else:
        print_branches(console(), found)


@command("undo", "ethogram branch undo", "ethogram branch undo 3")
@click.argument("number", metavar="ID", type=int, required=False)
@study_option
@json_option
def undo_command(number: int | None, folder: Path, json_wanted: bool) -> None:
    """Hide branch ID, by default the last one made; it stays stored."""
    from ethogram.study.branches import branch_json, undo_branch

    with open_study(folder) as study:
        found = undo_branch(study, number)
    if json_wanted:
        print_json(branch_json(found))
    else:
        click.echo(f"Undid branch {found.id}. Show it again: ethogram branch restore {found.id}")


@command("restore", "ethogram branch restore 3")
@click.argument("number", metavar="ID", type=int, required=False)
@study_option
@json_option
def restore_command(number: int | None, folder: Path, json_wanted: bool) -> None:
    """Show branch ID again, by default the first of those that were undone."""
    from ethogram.study.branches import branch_json, restore_branch

    with open_study(folder) as study:
        found = restore_branch(study, number)
    if json_wanted:
        print_json(branch_json(found))
    else:
        click.echo(f"Restored branch {found.id}")


@command("version", "ethogram branch version 3 v0.2.0")
@number_argument
@click.argument("name")
@click.option("--title", default="", help="Title of the version. Default: its changes.")
@study_option
@json_option
def version_command(number: int, name: str, title: str, folder: Path, json_wanted: bool) -> None:
    """Write the settings of branch ID as a child version NAME."""
    from ethogram.study.branches import branch_as_version

    with open_study(folder) as study:
        path = branch_as_version(study, number, name, title=title)
    if json_wanted:
        print_json({"version": name, "file": str(path)})
    else:
        click.echo(f"Wrote {path}. Next: ethogram run {name}")


@command("pair", "ethogram branch pair 3 pairs.jsonl")
@number_argument
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--prefer",
    type=click.Choice(["branch", "original"]),
    default="branch",
    show_default=True,
    help="Which of the two outputs is the better one.",
)
@study_option
@json_option
def pair_command(number: int, file: Path, prefer: str, folder: Path, json_wanted: bool) -> None:
    """Add branch ID and its original to FILE as a pair of a `dpo` recipe, in JSON lines."""
    from ethogram.study.branches import write_branch_pair

    with open_study(folder) as study:
        rows = write_branch_pair(
            study, number, file, prefer="branch" if prefer == "branch" else "original"
        )
    if json_wanted:
        print_json({"file": str(file), "rows": rows})
    else:
        click.echo(f"{file} has {rows} {'pair' if rows == 1 else 'pairs'}")


for _command in (
    new_command,
    list_command,
    undo_command,
    restore_command,
    version_command,
    pair_command,
):
    branch_group.add_command(_command)
