"""`ethogram run`: generate what is missing and measure it."""

from __future__ import annotations

from pathlib import Path

import click

from ethogram.cli.log import print_log
from ethogram.cli.options import (
    budget_of,
    budget_options,
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
from ethogram.cli.placing import place_options
from ethogram.cluster import Placement


@command(
    "run",
    "ethogram run",
    "ethogram run v0.1.0 v0.2.0",
    "ethogram run -C my-study --details",
    "ethogram run --log",
    "ethogram run --on ray --workers 4",
)
@click.argument("versions", nargs=-1)
@click.option(
    "--trace/--no-trace",
    default=None,
    help="Store how each token was chosen, for `ethogram trace`. Outputs that are stored without a "
    "trace are generated again for it. Default: `trace:` in study.yaml.",
)
@click.option("-d", "--details", is_flag=True, help="Show every metric against each parent.")
@click.option(
    "--log", "log_wanted", is_flag=True, help="Write the log and print what was found instead."
)
@place_options
@budget_options
@study_option
@json_option
def run_command(
    versions: tuple[str, ...],
    trace: bool | None,
    details: bool,
    log_wanted: bool,
    placement: Placement | None,
    token_budget: int | None,
    money_budget: float | None,
    folder: Path,
    json_wanted: bool,
) -> None:
    """Generate missing outputs and compare versions.

    Prints what changed from each version's parent, and then the values of all versions. Without
    VERSIONS, all are run. Outputs are stored as they finish, so an interrupted run resumes where
    it stopped.
    """
    from ethogram.report import log
    from ethogram.report.terminal import print_run
    from ethogram.study import run

    with open_study(folder) as study, run_progress(quiet=json_wanted) as on_progress:
        result = run(
            study,
            versions or None,
            on_progress=on_progress,
            on_wait=say_waiting,
            on_load=say_loading(quiet=json_wanted),
            trace=trace,
            on=placement,
            budget=budget_of(token_budget, money_budget),
        )
        written = log(study) if log_wanted else None
    if json_wanted:
        print_json(result)
    elif written:
        print_log(written, folder)
    else:
        print_run(console(), result, details=details)
