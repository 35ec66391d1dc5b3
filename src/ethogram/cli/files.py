"""`ethogram init`, `new`, `import`, `export`: make studies, import and export outputs."""

from __future__ import annotations

from pathlib import Path

import click

from ethogram.cli import structured
from ethogram.cli.options import (
    command,
    json_option,
    metric_option,
    open_study,
    print_json,
    study_option,
)


@command("init", "ethogram init my-study", "ethogram init first-light --example")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--example",
    is_flag=True,
    help="Copy the tutorial's study: eight versions, from loops to answers, on 44 prompts.",
)
@json_option
def init_command(folder: Path, example: bool, json_wanted: bool) -> None:
    """Make a new study in FOLDER.

    It has study.yaml, three versions and a suite of 24 prompts. Existing files are kept.
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
@click.option("--title", default="", help="Title: what the version tries. Default: its changes.")
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
    "ethogram import results.json --select gpt-5-mini",
    "ethogram import results.json --each",
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--as", "version", help="Name of the new version. Default: the next free one.")
@click.option("--title", default="", help="Title of the new version.")
@click.option(
    "--select", metavar="NAME", help="Read only the outputs of this model, if FILE has several."
)
@click.option("--each", is_flag=True, help="Make a version of each model, provider or version.")
@click.option("--suite", metavar="NAME", help="Make suites/NAME.jsonl of the prompts instead.")
@click.option("--skip-bad", is_flag=True, help="Report rows without an output and leave them out.")
@study_option
@json_option
def import_command(
    file: Path,
    version: str | None,
    title: str,
    select: str | None,
    each: bool,
    suite: str | None,
    skip_bad: bool,
    folder: Path,
    json_wanted: bool,
) -> None:
    """Add outputs of another program as a version.

    FILE may be JSON lines, CSV or Parquet, chats, or a file of promptfoo, inspect_ai, lm-eval,
    AlpacaEval, a batch API or MT-bench. Its format is recognised.
    """
    from ethogram.study import import_each, import_outputs, import_suite

    if each and (version or select or suite):
        raise click.UsageError("--each cannot be combined with --as, --select or --suite")
    bad: list[str] = []

    def report(error: Exception) -> None:
        bad.append(str(error))
        structured.say(f"left out: {error}", "warning")

    on_bad = report if skip_bad else None
    with open_study(folder) as study:
        if suite:
            paths = [import_suite(study, file, suite)]
        elif each:
            paths = import_each(study, file, on_bad=on_bad)
        else:
            paths = [
                import_outputs(study, file, version, title=title, select=select, on_bad=on_bad)
            ]
    if json_wanted:
        made = [{"version": None if suite else path.stem, "file": str(path)} for path in paths]
        print_json(made if each else {**made[0], "left_out": bad})
        return
    names = " ".join(path.stem for path in paths)
    then = (
        f"name it in study.yaml: suite: suites/{paths[0].name}"
        if suite
        else f"ethogram run {names}"
    )
    click.echo(f"Wrote {', '.join(map(str, paths))}. Next: {then}")


@command(
    "export",
    "ethogram export outputs.jsonl",
    "ethogram export table.csv v0.1.0 --tag fact -m loop_rate -m words",
    "ethogram export pairs.jsonl v0.1.0 v0.2.0 --as dpo -m words",
    "ethogram export pairs.jsonl v0.1.0 v0.2.0 --as dpo -m votes",
    "ethogram export traces.jsonl v0.2.0 --as traces",
    "ethogram export s3://my-bucket/my-gpt2 v1.0.0 --as model",
)
@click.argument("target")
@click.argument("versions", nargs=-1)
@click.option("-t", "--tag", help="Only prompts with this tag.")
@metric_option("Add the value of this metric to each row.")
@click.option(
    "--as",
    "kind",
    type=click.Choice(["generations", "traces", "dpo", "promptfoo", "inspect", "model"]),
    default="generations",
    show_default=True,
    help="traces: how each token was chosen; dpo: pairs, by -m METRIC, judge:MODEL or votes; "
    "promptfoo, inspect: prompts as tests; model: the files of the local model of one version.",
)
@study_option
@json_option
def export_command(
    target: str,
    versions: tuple[str, ...],
    tag: str | None,
    metrics: tuple[str, ...],
    kind: str,
    folder: Path,
    json_wanted: bool,
) -> None:
    """Write stored outputs to TARGET, .jsonl, .csv or .parquet, or a model to a new folder.

    TARGET may be an address of object storage, such as s3://bucket/rows.jsonl; - is standard
    output. Without VERSIONS, the outputs of all are written.
    """
    from ethogram.objects import without_secrets
    from ethogram.study import export

    with open_study(folder) as study:
        written = export(study, target, versions or None, tag=tag, metrics=metrics, kind=kind)
    if target == "-":
        return
    shown = without_secrets(target)
    if json_wanted:
        print_json({"file": shown, "files" if kind == "model" else "rows": written})
    elif kind == "model":
        click.echo(f"Wrote {written} {'file' if written == 1 else 'files'} to {shown}")
    else:
        what = kind if kind in ("generations", "traces") else "rows"
        click.echo(f"Wrote {written} {what} to {shown}")
