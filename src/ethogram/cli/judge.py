"""`ethogram judge`: let a model behind an API judge two versions."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from ethogram.cli.options import (
    command,
    console,
    json_option,
    metric_option,
    open_study,
    print_json,
    shared_bar,
    study_option,
)


@command(
    "judge",
    "ethogram judge v0.1.0 v1.0.0 --model gpt-5-mini",
    "ethogram judge v0.1.0 v1.0.0 --model qwen3 --base-url http://localhost:8000/v1",
)
@click.argument("before")
@click.argument("after")
@click.option("--model", required=True, help="Name of the judge at the endpoint.")
@click.option("--base-url", help="URL of its API, up to /v1. Default: $OPENAI_BASE_URL.")
@click.option(
    "--key-variable",
    metavar="NAME",
    help="Environment variable with the API key. Default: OPENAI_API_KEY.",
)
@click.option(
    "--rubric", help="Score each output by the criteria of this YAML file, or of 'general'."
)
@click.option(
    "--pairs",
    "pairing",
    type=click.Choice(["equal", "shifted"]),
    default="equal",
    show_default=True,
    help="Pair outputs of equal sample index, or each with the next one of the other version.",
)
@click.option(
    "-n", "--samples", type=click.IntRange(min=1), help="Judge only N samples of each prompt."
)
@metric_option("Show how often this metric agrees with the verdicts.")
@click.option(
    "--max-tokens",
    type=click.IntRange(min=16),
    default=1024,
    show_default=True,
    help="Longest reply, in tokens.",
)
@click.option(
    "--concurrency",
    type=click.IntRange(1, 256),
    default=8,
    show_default=True,
    help="Concurrent requests.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0.1),
    default=120.0,
    show_default=True,
    help="Seconds before a request is retried.",
)
@click.option(
    "--retries",
    type=click.IntRange(0, 20),
    default=4,
    show_default=True,
    help="Retries of a failed request.",
)
@click.option("--offline", is_flag=True, help="Send no requests; report from stored verdicts.")
@click.option(
    "--show",
    "shown",
    type=click.IntRange(min=0),
    default=2,
    show_default=True,
    help="Number of verdicts to show with the judge's replies.",
)
@study_option
@json_option
def judge_command(
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
    json_wanted: bool,
) -> None:
    """Ask a model which version answers better.

    Each pair of outputs is judged in both orders, because judges have a position bias.
    """
    from ethogram.backends import Endpoint
    from ethogram.report.judging import print_pairwise, print_rubric
    from ethogram.study import PairwiseJudgement, judge

    endpoint = Endpoint(base_url, _key(key_variable), concurrency, timeout, retries)
    with open_study(folder) as study, shared_bar(quiet=json_wanted) as bar:
        found = judge(
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
            on_verdict=lambda done, total: bar.update("judging", done, total, f"{done}/{total}"),
        )
    if json_wanted:
        print_json(found)
    elif isinstance(found, PairwiseJudgement):
        print_pairwise(console(), found, shown=shown)
    else:
        print_rubric(console(), found, shown=shown)


def _key(variable: str | None) -> str | None:
    """The key. It is never an option itself, because the list of processes would show it."""
    import os

    if variable is None:
        return None
    if variable not in os.environ:
        raise click.UsageError(f"--key-variable: {variable} is not set in the environment")
    return os.environ[variable]
