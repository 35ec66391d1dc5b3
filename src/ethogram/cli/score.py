"""`ethogram score` and `metrics`: measure outputs of any program, and list the metrics."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ethogram.cli.options import (
    command,
    console,
    count_progress,
    json_option,
    measure_progress,
    metric_option,
    print_json,
)
from ethogram.cli.placing import place_options
from ethogram.cluster import Placement


@command(
    "score",
    "ethogram score outputs.jsonl",
    "ethogram score outputs.jsonl -m rep_4 -m words",
    "ethogram score outputs.jsonl --pitfalls --evidence",
)
@click.argument("file", type=click.Path(path_type=Path))
@metric_option("Metric to compute.")
@click.option(
    "--human-text",
    type=click.Path(path_type=Path),
    help="Text written by people (.jsonl, .txt, or .gz), for the metrics human_….",
)
@click.option(
    "--index",
    type=click.Path(path_type=Path),
    help="JSON file of references that are known to exist.",
)
@click.option(
    "--processes", type=click.IntRange(1), help="Processes to use. Default: one per core."
)
@click.option(
    "--encoder",
    metavar="NAME",
    help="Sentence encoder: a built-in's name, hub id or local folder. Default: all-minilm-l6-v2.",
)
@click.option(
    "--reference-model",
    "reference",
    metavar="NAME",
    help="Language model for likelihoods. Default: smollm2-135m-instruct.",
)
@click.option(
    "--nli-model", "nli", metavar="NAME", help="Model of natural language inference. No default."
)
@click.option(
    "--select", metavar="NAME", help="Read only the outputs of this model, if FILE has several."
)
@click.option("-a", "--all", "everything", is_flag=True, help="Every metric that needs no model.")
@click.option("--pitfalls", is_flag=True, help="Count the pitfalls instead.")
@click.option(
    "--evidence", is_flag=True, help="Show the clearest output of each metric, and where in it."
)
@place_options
@json_option
def score_command(
    file: Path,
    metrics: tuple[str, ...],
    human_text: Path | None,
    index: Path | None,
    processes: int | None,
    encoder: str | None,
    reference: str | None,
    nli: str | None,
    select: str | None,
    everything: bool,
    pitfalls: bool,
    evidence: bool,
    placement: Placement | None,
    json_wanted: bool,
) -> None:
    """Measure outputs of any program.

    FILE is JSONL with `text` or `output` on each line, or a file of another tool. Without
    --metric, the default metrics of a run are computed. --all adds every other metric that needs
    neither a model nor several samples per prompt. `ethogram metrics` lists all metrics. With
    --on, FILE may also be a folder of JSON lines and Parquet files, which Ray workers read.
    """
    if pitfalls:
        models_named = encoder or reference or nli
        if metrics or everything or human_text or index or processes or models_named or placement:
            raise click.UsageError("--pitfalls can only be combined with --evidence and --json")
        _count_pitfalls(file, select, evidence=evidence, json_wanted=json_wanted)
        return
    if metrics and everything:
        raise click.UsageError("--all cannot be combined with --metric")
    from ethogram.metrics import NamedModels, score
    from ethogram.report.scores import scores_text
    from ethogram.spec import ScoringModels

    named = {"encoder": encoder, "reference": reference, "nli": nli}
    chosen = ScoringModels(**{kind: name for kind, name in named.items() if name})
    with (
        measure_progress(quiet=json_wanted) as (_, on_load),
        count_progress("outputs", quiet=json_wanted) as on_progress,
    ):
        table = score(
            file,
            "all" if everything else metrics or None,
            select=select,
            human_text=human_text,
            index=index,
            models=NamedModels(chosen, on_load=on_load),
            processes=processes,
            on_progress=on_progress,
            on=placement,
        )
    if json_wanted:
        print_json(table)
    else:
        click.echo(scores_text(table, evidence=evidence, width=_width()))


def _count_pitfalls(file: Path, select: str | None, *, evidence: bool, json_wanted: bool) -> None:
    from ethogram.metrics import find_pitfalls, read_outputs
    from ethogram.report.scores import pitfalls_text

    with count_progress("outputs", quiet=json_wanted) as on_progress:
        table = find_pitfalls(read_outputs(file, select), on_progress=on_progress)
    if json_wanted:
        print_json(table)
    else:
        click.echo(pitfalls_text(table, evidence=evidence, width=_width()))


@command("metrics", "ethogram metrics", "ethogram metrics loop_rate", "ethogram metrics --pitfalls")
@click.argument("name", required=False)
@click.option("--pitfalls", is_flag=True, help="List the pitfalls instead.")
@json_option
def metrics_command(name: str | None, pitfalls: bool, json_wanted: bool) -> None:
    """List the metrics, or explain the one called NAME."""
    from ethogram.metrics.registry import get_any
    from ethogram.report import scores

    if name:
        metric = get_any(name)
        if json_wanted:
            print_json(scores.described(metric))
        else:
            click.echo(scores.metric_text(metric))
    elif pitfalls:
        found = scores.list_pitfalls()
        if json_wanted:
            print_json([scores.described(each) for each in found])
        else:
            click.echo(scores.pitfall_list_text(found, width=_width()))
    else:
        listed = scores.list_metrics()
        if json_wanted:
            print_json([scores.described(each) for each in listed])
        else:
            click.echo(scores.metrics_text(listed, width=_width()))


def _width() -> int | None:
    """Columns of the terminal; None in a pipe, where nothing has to fit."""
    return console().width if sys.stdout.isatty() else None
