"""`ethogram ls`, `outputs`, `show`, `diff`: show what a study contains."""

from __future__ import annotations

from pathlib import Path

import click

from ethogram.cli.options import (
    command,
    console,
    json_option,
    open_study,
    print_json,
    print_result,
    study_option,
)


@command("ls", "ethogram ls")
@study_option
@json_option
def ls_command(folder: Path, json_wanted: bool) -> None:
    """List the versions and what is stored of each."""
    from ethogram.report.reading import print_versions
    from ethogram.study import versions

    with open_study(folder) as study:
        found = versions(study)
    if json_wanted:
        print_json(found)
    else:
        print_versions(console(), found)


@command(
    "outputs",
    "ethogram outputs v0.1.0",
    "ethogram outputs v0.1.0 --tag fact -n 5",
    "ethogram outputs v0.2.0 --differ v0.1.0",
)
@click.argument("version")
@click.option(
    "-p", "--prompt", "prompts", metavar="ID", multiple=True, help="Only this prompt. Repeatable."
)
@click.option(
    "-t", "--tag", "tags", metavar="TAG", multiple=True, help="Only this tag. Repeatable."
)
@click.option(
    "--differ",
    metavar="OTHER",
    help="Only outputs whose text differs from that of the version OTHER.",
)
@click.option(
    "-n",
    "--limit",
    type=click.IntRange(min=0),
    default=10,
    show_default=True,
    help="Number of outputs to show; 0 shows all.",
)
@click.option("--raw", is_flag=True, help="Show the raw completion where a wrapper changed it.")
@study_option
@json_option
def outputs_command(
    version: str,
    prompts: tuple[str, ...],
    tags: tuple[str, ...],
    differ: str | None,
    limit: int,
    raw: bool,
    folder: Path,
    json_wanted: bool,
) -> None:
    """Read the outputs of VERSION.

    A loop is shown once, in brackets, with the number of repetitions.
    """
    from ethogram.report.reading import print_outputs
    from ethogram.study import outputs

    with open_study(folder) as study:
        found = outputs(study, version, prompts=prompts, tags=tags, differ=differ)
    shown = found.first(limit or None)
    if json_wanted:
        print_json(shown)
    else:
        print_outputs(console(), shown, of=len(found.outputs), raw=raw)


@command("show", "ethogram show v0.1.0", "ethogram show v0.1.0 --resolved")
@click.argument("version")
@click.option("--resolved", is_flag=True, help="Include inherited settings and defaults.")
@study_option
@json_option
def show_command(version: str, resolved: bool, folder: Path, json_wanted: bool) -> None:
    """Show the settings of VERSION.

    Without --resolved, only what its file states.
    """
    from ethogram.study import show

    with open_study(folder) as study:
        print_result(show(study, version, resolved=resolved), json_wanted=json_wanted)


@command("diff", "ethogram diff v0.0.1 v0.1.0")
@click.argument("before")
@click.argument("after")
@study_option
@json_option
def diff_command(before: str, after: str, folder: Path, json_wanted: bool) -> None:
    """Show which settings differ between two versions."""
    from ethogram.report.printing import filled
    from ethogram.study import diff

    with open_study(folder) as study:
        found = diff(study, before, after)
    if json_wanted:
        print_json(found)
    else:
        for line in found.to_text().splitlines():
            click.echo(filled(line, console().width, hanging="    "))
