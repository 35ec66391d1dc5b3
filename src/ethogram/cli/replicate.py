"""`ethogram replicate`: reproduce a published table."""

from __future__ import annotations

from pathlib import Path

import click

from ethogram.cli import structured
from ethogram.cli.options import command, count_progress, json_option, print_json


@command("replicate", "ethogram replicate", "ethogram replicate truthfulqa-mc --fetch --limit 50")
@click.argument("name", required=False)
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    help="Folder of published data sets. Default: $ETHOGRAM_DATA, then what was fetched before.",
)
@click.option("--fetch", is_flag=True, help="Download missing data from where it is published.")
@click.option(
    "-n", "--limit", type=click.IntRange(1), help="Use only the first N prompts or questions."
)
@click.option("--model", help="Model to run, if the table needs one. Default: the built-in one.")
@click.option(
    "--max-new-tokens", type=click.IntRange(1), help="Longest output, if any is generated."
)
@json_option
def replicate_command(
    name: str | None,
    data: Path | None,
    fetch: bool,
    limit: int | None,
    model: str | None,
    max_new_tokens: int | None,
    json_wanted: bool,
) -> None:
    """Reproduce a published table.

    Without NAME, list the available tables.
    """
    from ethogram.replications import REPLICATIONS, replicate
    from ethogram.report.scores import replication_text

    if name is None:
        if json_wanted:
            print_json(list(REPLICATIONS.values()))
            return
        width = max(map(len, REPLICATIONS))
        for each in REPLICATIONS.values():
            click.echo(f"{each.name:<{width}}  {each.about}")
        return
    with count_progress("texts", quiet=json_wanted) as on_progress:
        made = replicate(
            name,
            data,
            fetch=fetch,
            on_fetch=lambda what: structured.say(f"fetching {what}"),
            on_progress=on_progress,
            limit=limit,
            model=model,
            max_new_tokens=max_new_tokens,
        )
    if json_wanted:
        print_json(made)
    else:
        click.echo(replication_text(made))
