"""`ethogram init`, `new`, `import`, `export`: files of a study made, brought in, taken out."""

from __future__ import annotations

from pathlib import Path

import click

from ethogram.cli.options import command, json_option, open_study, print_json, study_option


@command("init", "ethogram init my-study", "ethogram init first-light --example")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--example",
    is_flag=True,
    help="Copy the study of the tutorial: five versions, from loops to answers, on 30 prompts.",
)
@json_option
def init_command(folder: Path, example: bool, json_wanted: bool) -> None:
    """Make a new study in FOLDER.

    It has study.yaml, three versions and a suite of 24 prompts. Files that are there stay.
    """
    from ethogram.study import init

    path = init(folder, example=example)
    if json_wanted:
        print_json({"study": str(path)})
    else:
        click.echo(f"Made a study in {path}. Next: ethogram run --study {path}")


@command(
    "new",
    "ethogram new v0.2.0 --from v0.1.0 --set decoding.temperature=0.5",
    "ethogram new v0.3.0 --from v0.1.0 --set decoding.top_k=20 --title 'Fewer candidates'",
)
@click.argument("version")
@click.option("--from", "parent", metavar="PARENT", required=True, help="The version to change.")
@click.option(
    "--set",
    "settings",
    metavar="FIELD=VALUE",
    multiple=True,
    help="A field of a version file and its new value, as YAML. Repeatable.",
)
@click.option("--title", default="", help="What the version tries. Default: what it changes.")
@study_option
@json_option
def new_command(
    version: str,
    parent: str,
    settings: tuple[str, ...],
    title: str,
    folder: Path,
    json_wanted: bool,
) -> None:
    """Write a new VERSION that changes settings of another."""
    from ethogram.study import new_version
    from ethogram.study.versions import parse_setting

    with open_study(folder) as study:
        given = dict(parse_setting(text) for text in settings)
        path = new_version(study, version, parent, given, title=title)
    if json_wanted:
        print_json({"version": version, "file": str(path)})
    else:
        click.echo(f"Wrote {path}. Next: ethogram run {version}")


@command(
    "import",
    "ethogram import outputs.jsonl --as v1.0.0",
    "ethogram import outputs.jsonl --as v1.0.0 --title 'Another model'",
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--as", "version", required=True, help="Name of the new version, like v0.1.0.")
@click.option("--title", default="", help="Title of the new version.")
@study_option
@json_option
def import_command(file: Path, version: str, title: str, folder: Path, json_wanted: bool) -> None:
    """Add outputs made elsewhere as a version."""
    from ethogram.study import import_outputs

    with open_study(folder) as study:
        path = import_outputs(study, file, version, title=title)
    if json_wanted:
        print_json({"version": version, "file": str(path)})
    else:
        click.echo(f"Wrote {path}. Next: ethogram run {version}")


@command("export", "ethogram export outputs.jsonl", "ethogram export outputs.parquet v0.1.0")
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("versions", nargs=-1)
@study_option
@json_option
def export_command(file: Path, versions: tuple[str, ...], folder: Path, json_wanted: bool) -> None:
    """Write stored outputs to FILE, .jsonl or .parquet.

    Without VERSIONS, those of all.
    """
    from ethogram.study import export

    with open_study(folder) as study:
        rows = export(study, file, versions or None)
    if json_wanted:
        print_json({"file": str(file), "rows": rows})
    else:
        click.echo(f"Wrote {rows} generations to {file}")
