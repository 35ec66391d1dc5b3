"""Commands that need no study: scores of a file, models, schemas."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from ethogram.cli.common import (
    console,
    count_progress,
    json_option,
    measure_progress,
    print_json,
)


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--metric", "metrics", multiple=True, help="Metric to compute; may be repeated.")
@click.option("--all", "everything", is_flag=True, help="Every metric that needs no model.")
@click.option(
    "--human-text",
    type=click.Path(path_type=Path),
    help="Human text (.jsonl, .txt, either .gz) that human_… metrics compare with.",
)
@click.option(
    "--index",
    type=click.Path(path_type=Path),
    help="JSON file of references known to exist.",
)
@click.option("--processes", type=click.IntRange(1), help="Processes. Default: one a core.")
@click.option(
    "--encoder",
    metavar="NAME",
    help="Sentence encoder: a built-in's name, hub id or local folder. Default: all-minilm-l6-v2.",
)
@click.option(
    "--reference-model",
    "reference",
    metavar="NAME",
    help="Language model whose likelihoods score. Default: smollm2-135m-instruct.",
)
@click.option(
    "--nli-model", "nli", metavar="NAME", help="Model of natural language inference; no default."
)
@click.option("--pitfalls", is_flag=True, help="Count the pitfalls instead of scoring.")
@click.option("--evidence", is_flag=True, help="Show where the clearest output shows it.")
@json_option
def score(
    file: Path,
    metrics: tuple[str, ...],
    everything: bool,
    human_text: Path | None,
    index: Path | None,
    processes: int | None,
    encoder: str | None,
    reference: str | None,
    nli: str | None,
    pitfalls: bool,
    evidence: bool,
    as_json: bool,
) -> None:
    """Score the outputs in FILE (.jsonl or .jsonl.gz), made anywhere.

    Without --metric, the default metrics of a run; --all adds every other that needs neither a
    model nor several samples of a prompt. --pitfalls counts the pitfalls.
    """
    if pitfalls:
        if metrics or everything or human_text or index or processes or encoder or reference or nli:
            raise click.UsageError("--pitfalls takes no option but --evidence and --json")
        _count_pitfalls(file, evidence=evidence, as_json=as_json)
        return
    if metrics and everything:
        raise click.UsageError("--all cannot be combined with --metric")
    from ethogram.metrics import NamedModels
    from ethogram.metrics import score as make
    from ethogram.spec import ScoringModels

    named = {"encoder": encoder, "reference": reference, "nli": nli}
    chosen = ScoringModels(**{kind: name for kind, name in named.items() if name})
    with (
        measure_progress(quiet=as_json) as (_, on_load),
        count_progress("outputs", quiet=as_json) as on_progress,
    ):
        table = make(
            file,
            "all" if everything else metrics or None,
            human_text=human_text,
            index=index,
            models=NamedModels(chosen, on_load=on_load),
            processes=processes,
            on_progress=on_progress,
        )
    if as_json:
        print_json(table.to_json())
    else:
        width = console().width if sys.stdout.isatty() else None
        click.echo(table.to_text(evidence=evidence, width=width))


def _count_pitfalls(file: Path, *, evidence: bool, as_json: bool) -> None:
    from ethogram.metrics import find_pitfalls

    with count_progress("outputs", quiet=as_json) as on_progress:
        table = find_pitfalls(file, on_progress=on_progress)
    if as_json:
        print_json(table.to_json())
    else:
        click.echo(table.to_text(evidence=evidence))


@click.command()
@json_option
def models(as_json: bool) -> None:
    """List the models that are here, and the built-in ones that can be fetched."""
    from dataclasses import asdict

    from ethogram.models import available

    infos = available()
    if as_json:
        print_json([asdict(info) for info in infos])
        return
    for info in infos:
        click.echo(str(info))


@click.command()
@click.argument("name")
@click.option("--revision", help="Branch, tag or commit of a hub model.")
@json_option
def pull(name: str, revision: str | None, as_json: bool) -> None:
    """Fetch a built-in or hub model, verify it, and make it ready to load."""
    from ethogram.models import pull as fetch

    path = fetch(name, revision=revision)
    if as_json:
        print_json({"model": name, "path": str(path)})
    else:
        click.echo(f"{name} is ready in {path}")


@click.command()
@click.argument("kind", type=click.Choice(["study", "version", "suite"]))
def schema(kind: str) -> None:
    """Print the JSON Schema of a file, for editors."""
    from ethogram.spec import StudyFile, SuitePrompt, Version

    kinds: dict[str, Callable[[], dict[str, Any]]] = {
        "study": StudyFile.model_json_schema,
        "version": Version.model_json_schema,
        "suite": SuitePrompt.model_json_schema,
    }
    print_json({"$schema": "https://json-schema.org/draft/2020-12/schema", **kinds[kind]()})
