"""`ethogram plan`: what a run would generate and what it costs."""

from __future__ import annotations

from pathlib import Path

import click

from ethogram.cli.options import command, json_option, open_study, print_json, study_option

_POSITIVE = click.FloatRange(min=0, min_open=True)


@command(
    "plan",
    "ethogram plan",
    "ethogram plan v1.1.0 --samples 1000 --price-per-hour 2.5",
    "ethogram plan --prompts 1000000 --samples 10 --rate 20000 --workers 64",
)
@click.argument("versions", nargs=-1)
@click.option(
    "-n",
    "--samples",
    type=click.IntRange(1),
    help="As if each prompt had so many samples. Default: the version's.",
)
@click.option(
    "--prompts",
    type=click.IntRange(1),
    help="As if the suite had so many prompts, like those that it has, and nothing were stored.",
)
@click.option(
    "--rate",
    metavar="TOKENS/S",
    type=_POSITIVE,
    help="Tokens per second of one worker. Default: that of the runs in the store.",
)
@click.option("--workers", type=click.IntRange(1), default=1, help="Workers that share the work.")
@click.option("--price-per-hour", type=_POSITIVE, help="Price of an hour of one worker.")
@click.option("--price-per-million", type=_POSITIVE, help="Price of a million output tokens.")
@click.option("--price-per-million-input", type=_POSITIVE, help="Price of a million prompt tokens.")
@study_option
@json_option
def plan_command(
    versions: tuple[str, ...],
    samples: int | None,
    prompts: int | None,
    rate: float | None,
    workers: int,
    price_per_hour: float | None,
    price_per_million: float | None,
    price_per_million_input: float | None,
    folder: Path,
    json_wanted: bool,
) -> None:
    """Say what a run would generate and what it costs.

    Prints outputs, tokens, time, disk space and, with a price, money. Generates nothing. Without
    VERSIONS, all are planned.
    """
    from ethogram.report.plans import plan_text
    from ethogram.study.plan import Prices, plan

    with open_study(folder) as study:
        found = plan(
            study,
            versions or None,
            prompts=prompts,
            samples=samples,
            rate=rate,
            workers=workers,
            prices=Prices(price_per_hour, price_per_million, price_per_million_input),
        )
    if json_wanted:
        print_json(found)
    else:
        click.echo(plan_text(found))
