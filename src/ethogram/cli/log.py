"""`ethogram log` and `verify`: the log of a study, written and checked."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ethogram.cli import structured
from ethogram.cli.options import (
    EXIT_FAILED,
    command,
    console,
    json_option,
    open_study,
    print_json,
    print_result,
    study_option,
)

if TYPE_CHECKING:
    from ethogram.report.log import Log


@command("log", "ethogram log", "ethogram log --details")
@click.option("-d", "--details", is_flag=True, help="Show each finding with its interval.")
@study_option
@json_option
def log_command(details: bool, folder: Path, json_wanted: bool) -> None:
    """Write PROGRESS.md from the stored runs.

    Prints what was found, in a few lines, and where to read on. `ethogram report` writes an HTML
    page.
    """
    from ethogram.report import log

    with open_study(folder) as study:
        written = log(study)
    if json_wanted:
        _warn(written)
        print_json(written)
    else:
        print_log(written, folder, details=details)


def print_log(written: Log, folder: Path, *, details: bool = False) -> None:
    """What was found, which files were written, and commands that show more."""
    from ethogram.report.printing import filled

    _warn(written)
    width = console().width
    if details:
        for finding in written.findings:
            click.echo(filled(str(finding), width, indent="- ", hanging="  "))
    else:
        for line in written.short(width):
            click.echo(line)
    click.echo(f"\nWrote {written.progress}")
    at = "" if folder == Path() else f" -C {folder}"
    click.echo("\n".join(["Next:", *(f"  {each}{at}" for each in written.following)]))


def _warn(written: Log) -> None:
    for entry in written.unsupported:
        structured.say(f"warning: {entry.words}", "warning")


@command("verify", "ethogram verify")
@study_option
@json_option
def verify_command(folder: Path, json_wanted: bool) -> None:
    """Check PROGRESS.md against the store; exit 1 if it differs."""
    from ethogram.report import verify

    with open_study(folder) as study:
        verification = verify(study)
    print_result(verification, json_wanted=json_wanted)
    if not verification.holds:
        sys.exit(EXIT_FAILED)
