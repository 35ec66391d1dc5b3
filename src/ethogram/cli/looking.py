"""Commands that show what a study holds and write it down."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ethogram.cli.common import (
    EXIT_FAILED,
    console,
    json_option,
    open_study,
    print_json,
    print_result,
    study_option,
)


@click.command()
@click.argument("version")
@click.option("--resolved", is_flag=True, help="With everything inherited and every default.")
@study_option
@json_option
def show(version: str, resolved: bool, folder: Path, as_json: bool) -> None:
    """Show a version: what its file states, or the whole of it."""
    from ethogram.study import show as make

    with open_study(folder) as study:
        print_result(make(study, version, resolved=resolved), as_json=as_json)


@click.command()
@click.argument("before")
@click.argument("after")
@study_option
@json_option
def diff(before: str, after: str, folder: Path, as_json: bool) -> None:
    """Say which settings differ between two versions."""
    from ethogram.study import diff as make

    with open_study(folder) as study:
        print_result(make(study, before, after), as_json=as_json)


@click.command()
@click.argument("before")
@click.argument("after")
@click.option("--metric", "metrics", multiple=True, help="Metric to compare; may be repeated.")
@click.option(
    "--samples",
    type=click.IntRange(min=0),
    default=3,
    show_default=True,
    help="Prompts shown side by side.",
)
@click.option("--select", multiple=True, help="Of files: whose outputs; may be repeated.")
@study_option
@json_option
def compare(
    before: str,
    after: str,
    metrics: tuple[str, ...],
    samples: int,
    select: tuple[str, ...],
    folder: Path,
    as_json: bool,
) -> None:
    """Compare two versions, or two files of outputs: what changed, what it did, how sure we are."""
    from ethogram.report.terminal import print_comparison
    from ethogram.study import are_files
    from ethogram.study import compare as make

    if are_files((before, after)):
        result = make(before, after, metrics=metrics or None, samples=samples, select=select)
    else:
        with open_study(folder) as study:
            result = make(study, before, after, metrics=metrics or None, samples=samples)
    if as_json:
        print_json(result.to_json())
    else:
        print_comparison(console(), result)


@click.command()
@study_option
@json_option
def log(folder: Path, as_json: bool) -> None:
    """Write PROGRESS.md and report.html from the stored runs."""
    from ethogram.report import log as write

    with open_study(folder) as study:
        written = write(study)
    for entry in written.unsupported:
        click.echo(f"warning: {entry.words}", err=True)
    if as_json:
        print_json(written.to_json())
    else:
        click.echo(f"Wrote {written.progress} and {written.page}")


@click.command()
@study_option
@json_option
def verify(folder: Path, as_json: bool) -> None:
    """Derive every claim of PROGRESS.md again; exit 1 if one is edited or stale."""
    from ethogram.report import verify as check

    with open_study(folder) as study:
        verification = check(study)
    print_result(verification, as_json=as_json)
    if not verification.holds:
        sys.exit(EXIT_FAILED)
