"""`ethogram log` and `verify`: the log of a study, written and checked."""

from __future__ import annotations

import sys
from pathlib import Path
from textwrap import fill

import click

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


@command("log", "ethogram log")
@study_option
@json_option
def log_command(folder: Path, json_wanted: bool) -> None:
    """Write PROGRESS.md and report.html from the stored runs."""
    from ethogram.report import log

    with open_study(folder) as study:
        written = log(study)
    for entry in written.unsupported:
        click.echo(f"warning: {entry.words}", err=True)
    if json_wanted:
        print_json(written)
    else:
        for sentence in written.findings:
            click.echo(fill(sentence, console().width, initial_indent="- ", subsequent_indent="  "))
        click.echo(f"Wrote {written.progress} and {written.page}")


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
