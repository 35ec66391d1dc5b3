"""`ethogram report`: the page of a study as one file."""

from __future__ import annotations

from pathlib import Path

import click

from ethogram.cli.options import command, json_option, open_study, print_result, study_option


@command("report", "ethogram report", "ethogram report -o first-light.html")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File to write. Default: report.html in the study.",
)
@study_option
@json_option
def report_command(output: Path | None, folder: Path, json_wanted: bool) -> None:
    """Write findings, log, comparisons with parents, sweeps and trainings as one HTML file.

    It is the page of `ethogram ui`, works offline and loads nothing: send it, or publish it. Above
    5 MB, long outputs, the charts of further metrics, the prompts that changed least and in the end
    all charts are left out, and the file says so. It needs no extra.
    """
    from ethogram.ui.report import write_report

    with open_study(folder) as study:
        written = write_report(study, output)
    print_result(written, json_wanted=json_wanted)
