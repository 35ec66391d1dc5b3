"""The command that lets a model judge two versions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from ethogram.cli.common import console, json_option, open_study, print_json, study_option

if TYPE_CHECKING:
    from ethogram.study.judging.judge import OnVerdict


@click.command()
@click.argument("before")
@click.argument("after")
@click.option("--model", required=True, help="The judge, by its name at the endpoint.")
@click.option("--base-url", help="Its API, up to /v1. Default: $OPENAI_BASE_URL.")
@click.option(
    "--key-variable",
    metavar="NAME",
    help="Environment variable that holds the key. Default: OPENAI_API_KEY.",
)
@click.option("--rubric", help="Score each output by a YAML file's criteria, or by 'general'.")
@click.option(
    "--pairs",
    "pairing",
    type=click.Choice(["equal", "shifted"]),
    default="equal",
    show_default=True,
    help="Outputs of equal sample index meet, or each the other's next one.",
)
@click.option("--samples", type=click.IntRange(min=1), help="Only so many samples of a prompt.")
@click.option(
    "--metric", "metrics", multiple=True, help="Tell how it goes with the verdicts; repeatable."
)
@click.option("--max-tokens", type=click.IntRange(min=16), default=1024, show_default=True)
@click.option("--concurrency", type=click.IntRange(1, 256), default=8, show_default=True)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0.1),
    default=120.0,
    show_default=True,
    help="Seconds a try.",
)
@click.option("--retries", type=click.IntRange(0, 20), default=4, show_default=True)
@click.option("--offline", is_flag=True, help="Ask nothing; report from stored verdicts.")
@click.option(
    "--show",
    "shown",
    type=click.IntRange(min=0),
    default=2,
    show_default=True,
    help="Verdicts shown with the judge's words.",
)
@study_option
@json_option
def judge(
    before: str,
    after: str,
    model: str,
    base_url: str | None,
    key_variable: str | None,
    rubric: str | None,
    pairing: Literal["equal", "shifted"],
    samples: int | None,
    metrics: tuple[str, ...],
    max_tokens: int,
    concurrency: int,
    timeout: float,
    retries: int,
    offline: bool,
    shown: int,
    folder: Path,
    as_json: bool,
) -> None:
    """Let a model say which of two versions answers better, each pair in both orders."""
    from ethogram.backends import Endpoint
    from ethogram.report.judging import print_pairwise, print_rubric
    from ethogram.study import PairwiseJudgement
    from ethogram.study import judge as make

    endpoint = Endpoint(base_url, _key(key_variable), concurrency, timeout, retries)
    with open_study(folder) as study, _progress(quiet=as_json) as on_verdict:
        found = make(
            study,
            before,
            after,
            model=model,
            endpoint=endpoint,
            rubric=rubric,
            pairing=pairing,
            samples=samples,
            metrics=metrics,
            max_tokens=max_tokens,
            offline=offline,
            on_verdict=on_verdict,
        )
    if as_json:
        print_json(found.to_json())
    elif isinstance(found, PairwiseJudgement):
        print_pairwise(console(), found, shown=shown)
    else:
        print_rubric(console(), found, shown=shown)


def _key(variable: str | None) -> str | None:
    """The key is never an option itself: the list of processes would show it."""
    import os

    if variable is None:
        return None
    if variable not in os.environ:
        raise click.UsageError(f"--key-variable: {variable} is not set in the environment")
    return os.environ[variable]


@contextmanager
def _progress(*, quiet: bool) -> Iterator[OnVerdict | None]:
    """A bar on standard error, from the first verdict on."""
    if quiet:
        yield None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeRemainingColumn as Remaining

    columns = (TextColumn("judging"), BarColumn(), MofNCompleteColumn(), Remaining())
    bar = Progress(*columns, console=console(stderr=True))
    tasks: list[Any] = []

    def update(done: int, total: int) -> None:
        if not tasks:
            bar.start()
            tasks.append(bar.add_task("judging", total=total))
        bar.update(tasks[0], completed=done)

    try:
        yield update
    finally:
        if tasks:
            bar.stop()
