"""The command that decides contracts, for people and for continuous integration."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ethogram.cli.common import (
    EXIT_FAILED,
    console,
    json_option,
    loading_teller,
    open_study,
    print_json,
    run_progress,
    study_option,
    tell_waiting,
)


@click.command()
@click.argument("versions", nargs=-1)
@click.option(
    "--baseline", is_flag=True, help="Fail as well where a version is worse than its parent."
)
@click.option(
    "--budget",
    type=click.IntRange(min=0),
    default=0,
    metavar="N",
    help="Generate up to N more outputs to decide what is undecided.",
)
@click.option("--strict", is_flag=True, help="Fail as well where a contract is undecided.")
@click.option(
    "--junit", type=click.Path(path_type=Path), metavar="FILE", help="Write JUnit XML to FILE."
)
@click.option(
    "--expect",
    multiple=True,
    metavar="BOUND",
    help="Of files instead of versions: a bound like 'loop_rate < 0.02'; may be repeated.",
)
@click.option("--select", multiple=True, help="Of files: whose outputs.")
@click.option("--github", is_flag=True, help="Print annotations for GitHub Actions.")
@study_option
@json_option
def check(
    versions: tuple[str, ...],
    baseline: bool,
    budget: int,
    strict: bool,
    junit: Path | None,
    expect: tuple[str, ...],
    select: tuple[str, ...],
    github: bool,
    folder: Path,
    as_json: bool,
) -> None:
    """Decide the bounds under `expect:`; exit 1 if one is broken."""
    from ethogram.report.checks import github_annotations, print_check, write_junit
    from ethogram.study import are_files, check_files
    from ethogram.study import check as make

    if expect or are_files(versions):
        if not versions or not expect:
            raise click.UsageError("name files and at least one --expect 'metric < number'")
        result = check_files(versions, expect, select=select)
    else:
        with open_study(folder) as study, run_progress(quiet=as_json) as on_progress:
            result = make(
                study,
                versions or None,
                baseline=baseline,
                budget=budget,
                on_progress=on_progress,
                on_wait=tell_waiting,
                on_load=loading_teller(quiet=as_json),
            )
    if junit:
        write_junit(result, junit, strict=strict)
    if as_json:
        print_json(result.to_json(strict=strict))
    else:
        print_check(console(), result)
    if github:
        for line in github_annotations(result, strict=strict):
            click.echo(line, err=as_json)
    if result.failed(strict=strict):
        sys.exit(EXIT_FAILED)
