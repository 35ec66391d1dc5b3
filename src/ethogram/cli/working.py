"""Commands that work on a study: make one, run it, bring outputs in and out."""

from __future__ import annotations

from pathlib import Path

import click

from ethogram.cli.common import (
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
@click.argument("folder", type=click.Path(path_type=Path))
@json_option
def init(folder: Path, as_json: bool) -> None:
    """Make a new study in FOLDER: study.yaml, versions, a suite."""
    from ethogram.study import init as make

    path = make(folder)
    if as_json:
        print_json({"study": str(path)})
    else:
        click.echo(f"Made a study in {path}. Next: ethogram run --study {path}")


@click.command()
@click.argument("versions", nargs=-1)
@click.option(
    "--trace/--no-trace",
    default=None,
    help="Store how each token was chosen, for `ethogram trace`; stored outputs that lack it are "
    "made again for it. Default: what study.yaml says.",
)
@study_option
@json_option
def run(versions: tuple[str, ...], trace: bool | None, folder: Path, as_json: bool) -> None:
    """Generate what is missing, measure it, print the table against each parent."""
    from ethogram.report.terminal import print_run
    from ethogram.study import run as make

    with open_study(folder) as study, run_progress(quiet=as_json) as on_progress:
        result = make(
            study,
            versions or None,
            on_progress=on_progress,
            on_wait=tell_waiting,
            on_load=loading_teller(quiet=as_json),
            trace=trace,
        )
    if as_json:
        print_json(result.to_json())
    else:
        print_run(console(), result)


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--as", "version", required=True, help="Name of the new version, like v0.0.1.")
@click.option("--title", default="", help="Title of the new version.")
@study_option
@json_option
def import_(file: Path, version: str, title: str, folder: Path, as_json: bool) -> None:
    """Bring outputs made elsewhere into the study as a version."""
    from ethogram.study import import_outputs

    with open_study(folder) as study:
        path = import_outputs(study, file, version, title=title)
    if as_json:
        print_json({"version": version, "file": str(path)})
    else:
        click.echo(f"Wrote {path}. Next: ethogram run {version}")


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("versions", nargs=-1)
@study_option
@json_option
def export(file: Path, versions: tuple[str, ...], folder: Path, as_json: bool) -> None:
    """Write stored generations to FILE (.jsonl or .parquet)."""
    from ethogram.study import export as write

    with open_study(folder) as study:
        rows = write(study, file, versions or None)
    if as_json:
        print_json({"file": str(file), "rows": rows})
    else:
        click.echo(f"Wrote {rows} generations to {file}")
