"""`ethogram ablate`: which of a version's changes caused a difference."""

from __future__ import annotations

from pathlib import Path

import click

from ethogram.cli.options import (
    command,
    console,
    json_option,
    metric_option,
    open_study,
    print_json,
    run_progress,
    say_loading,
    say_waiting,
    study_option,
)


@command("ablate", "ethogram ablate v1.1.0", "ethogram ablate v1.1.0 -m stop_rate")
@click.argument("version")
@metric_option("Measure this metric instead of the version's aims.")
@study_option
@json_option
def ablate_command(version: str, metrics: tuple[str, ...], folder: Path, json_wanted: bool) -> None:
    """Run a version's changes one by one.

    Each changed setting is applied alone to the parent, and left out of the version. A setting
    is responsible if both show a clear change in the same direction. Needs at least two changed
    settings.
    """
    from ethogram.report.ablation import print_ablation
    from ethogram.study import ablate

    with open_study(folder) as study, run_progress(quiet=json_wanted) as on_progress:
        result = ablate(
            study,
            version,
            metrics=metrics or None,
            on_progress=on_progress,
            on_wait=say_waiting,
            on_load=say_loading(quiet=json_wanted),
        )
    if json_wanted:
        print_json(result)
    else:
        print_ablation(console(), result)
