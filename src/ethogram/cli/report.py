"""`ethogram report`: the page of a study as one file."""

from __future__ import annotations

from pathlib import Path

import click

from ethogram.cli.options import command, open_study, study_option


@command("report", "ethogram report", "ethogram report -o first-light.html")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File to write. Default: page.html in the study.",
)
@study_option
def report_command(output: Path | None, folder: Path) -> None:
    """Write the log and all comparisons with parents as one HTML file.

    It is the page of `ethogram ui`, works offline and loads nothing: send it, or publish it. Above
    5 MB, long outputs and the prompts that changed least are left out, and the file says so.
    """
    from ethogram.extras import require

    require("fastapi", extra="ui", needed_for="`ethogram report`")
    from ethogram.ui.report import write_report

    with open_study(folder) as study:
        path = output or study.folder / "page.html"
        left_out = write_report(study, path)
    click.echo(f"Wrote {path} ({path.stat().st_size / 1e6:.1f} MB)")
    if left_out:
        click.echo(left_out)
