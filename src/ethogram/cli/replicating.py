"""The command that makes published tables again."""

from __future__ import annotations

from pathlib import Path

import click

from ethogram.cli.common import count_progress, json_option, print_json, print_result


@click.command()
@click.argument("name", required=False)
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    help="Folder of published data sets. Default: that of ETHOGRAM_DATA, then what was fetched.",
)
@click.option("--fetch", is_flag=True, help="Get missing data from where it is published.")
@click.option(
    "--limit", type=click.IntRange(1), help="Use so many prompts, questions or sentences only."
)
@click.option("--model", help="Model to run, where one is run. Default: the built-in one.")
@click.option("--max-new-tokens", type=click.IntRange(1), help="Longest output, where any is made.")
@json_option
def replicate(
    name: str | None,
    data: Path | None,
    fetch: bool,
    limit: int | None,
    model: str | None,
    max_new_tokens: int | None,
    as_json: bool,
) -> None:
    """Make the published table NAME again; without a name, list those that there are."""
    from ethogram.replications import REPLICATIONS
    from ethogram.replications import replicate as make

    if name is None:
        if as_json:
            print_json([each.to_json() for each in REPLICATIONS.values()])
            return
        width = max(map(len, REPLICATIONS))
        for each in REPLICATIONS.values():
            click.echo(f"{each.name:<{width}}  {each.about}")
        return
    with count_progress("texts", quiet=as_json) as on_progress:
        made = make(
            name,
            data,
            fetch=fetch,
            on_fetch=lambda what: click.echo(f"fetching {what}", err=True),
            on_progress=on_progress,
            limit=limit,
            model=model,
            max_new_tokens=max_new_tokens,
        )
    print_result(made, as_json=as_json)
