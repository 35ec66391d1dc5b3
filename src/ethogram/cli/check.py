"""`ethogram check`: decide the contracts of versions, for people and for CI."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ethogram.cli.options import (
    EXIT_FAILED,
    command,
    console,
    json_option,
    open_study,
    print_json,
    run_progress,
    say_loading,
    say_waiting,
    study_option,
)


@command("check", "ethogram check", "ethogram check v1.0.0 --budget 400 --strict")
@click.argument("versions", nargs=-1)
@click.option(
    "--baseline", is_flag=True, help="Also fail if a version is clearly worse than its parent."
)
@click.option(
    "--budget",
    type=click.IntRange(min=0),
    default=0,
    metavar="N",
    help="Generate up to N more outputs for undecided contracts.",
)
@click.option("--strict", is_flag=True, help="Also fail if a contract is undecided.")
@click.option(
    "--junit", type=click.Path(path_type=Path), metavar="FILE", help="Write JUnit XML to FILE."
)
@click.option(
    "--expect",
    multiple=True,
    metavar="BOUND",
    help="For files instead of versions: a bound like 'loop_rate < 0.02'. Repeatable.",
)
@click.option(
    "--select", multiple=True, metavar="NAME", help="For files: only the outputs of this model."
)
@click.option("--github", is_flag=True, help="Print annotations for GitHub Actions.")
@study_option
@json_option
def check_command(
    versions: tuple[str, ...],
    baseline: bool,
    budget: int,
    strict: bool,
    junit: Path | None,
    expect: tuple[str, ...],
    select: tuple[str, ...],
    github: bool,
    folder: Path,
    json_wanted: bool,
) -> None:
    """Check the bounds under `expect:`; exit 1 if one is broken."""
    from ethogram.report.checks import github_annotations, print_check, write_junit
    from ethogram.study import check, check_files

    if expect or (versions and all(Path(name).is_file() for name in versions)):
        if not versions or not expect:
            raise click.UsageError("give files and at least one --expect 'metric < number'")
        result = check_files(versions, expect, select=select)
    else:
        with open_study(folder) as study, run_progress(quiet=json_wanted) as on_progress:
            result = check(
                study,
                versions or None,
                baseline=baseline,
                budget=budget,
                on_progress=on_progress,
                on_wait=say_waiting,
                on_load=say_loading(quiet=json_wanted),
            )
    if junit:
        write_junit(result, junit, strict=strict)
    if json_wanted:
        print_json(result.to_json(strict=strict))
    else:
        print_check(console(), result)
    if github:
        for line in github_annotations(result, strict=strict):
            click.echo(line, err=json_wanted)
    if result.failed(strict=strict):
        sys.exit(EXIT_FAILED)
