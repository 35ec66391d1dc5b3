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
@click.option("--as", "version", help="Name of the new version. Default: the next free one.")
@click.option("--title", default="", help="Title of the new version.")
@click.option("--select", metavar="NAME", help="Whose outputs, where FILE holds several models'.")
@click.option("--each", is_flag=True, help="Make a version of each model, provider or version.")
@click.option("--suite", metavar="NAME", help="Make suites/NAME.jsonl of the prompts instead.")
@click.option("--skip-bad", is_flag=True, help="Report rows without an output and leave them out.")
@study_option
@json_option
def import_(
    file: Path,
    version: str | None,
    title: str,
    select: str | None,
    each: bool,
    suite: str | None,
    skip_bad: bool,
    folder: Path,
    as_json: bool,
) -> None:
    """Bring outputs made elsewhere into the study as a version, or prompts as a suite.

    FILE may come from promptfoo, inspect_ai, lm-eval, AlpacaEval, a batch API, MT-bench; or hold
    chats, JSON rows, CSV or Parquet. Its shape is recognised.
    """
    from ethogram.study import import_each, import_outputs, import_suite

    if each and (version or select or suite):
        raise click.UsageError("--each goes without --as, --select and --suite")
    bad: list[str] = []

    def report(error: Exception) -> None:
        bad.append(str(error))
        click.echo(f"left out: {error}", err=True)

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
    if as_json and not each:
        print_json(
            {"version": None if suite else paths[0].stem, "file": str(paths[0]), "left_out": bad}
        )
    elif as_json:
        print_json([{"version": path.stem, "file": str(path)} for path in paths])
    else:
        names = " ".join(path.stem for path in paths)
        then = (
            f"name it in study.yaml: suite: suites/{paths[0].name}"
            if suite
            else (f"ethogram run {names}")
        )
        click.echo(f"Wrote {', '.join(map(str, paths))}. Next: {then}")


@click.command()
@click.argument("file")
@click.argument("versions", nargs=-1)
@click.option("--tag", help="Only prompts with this tag.")
@click.option("--metrics", multiple=True, help="Add a metric's value to each row; may be repeated.")
@click.option(
    "--as",
    "kind",
    type=click.Choice(["generations", "dpo", "promptfoo", "inspect"]),
    default="generations",
    help="dpo: pairs by --metrics METRIC or judge:MODEL; promptfoo, inspect: prompts as tests.",
)
@study_option
@json_option
def export(
    file: str,
    versions: tuple[str, ...],
    tag: str | None,
    metrics: tuple[str, ...],
    kind: str,
    folder: Path,
    as_json: bool,
) -> None:
    """Write stored generations to FILE (.jsonl, .csv or .parquet; - for standard output)."""
    from ethogram.study import export as write

    with open_study(folder) as study:
        rows = write(study, file, versions or None, tag=tag, metrics=metrics, kind=kind)
    if file == "-":
        return
    if as_json:
        print_json({"file": file, "rows": rows})
    else:
        what = "generations" if kind == "generations" else "rows"
        click.echo(f"Wrote {rows} {what} to {file}")
