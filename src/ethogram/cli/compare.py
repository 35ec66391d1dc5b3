"""`ethogram compare`: what changed between versions, and what it did."""

from __future__ import annotations

from pathlib import Path

import click

from ethogram.cli.options import (
    command,
    console,
    json_option,
    metric_option,
    open_study,
    print_json,
    study_option,
)


@command(
    "compare",
    "ethogram compare v0.0.1 v0.1.0",
    "ethogram compare v0.0.1 v0.1.0 -m loop_rate --details",
    "ethogram compare v0.0.1 v0.1.0 v0.2.0",
    "ethogram compare v0.0.1 v0.1.0 --by tag",
)
@click.argument("before")
@click.argument("after", nargs=-1, required=True)
@metric_option("Compare this metric instead of those of the study.")
@click.option(
    "-n",
    "--samples",
    type=click.IntRange(min=0),
    default=2,
    show_default=True,
    help="Number of prompts to show with both outputs, most changed first.",
)
@click.option(
    "-p", "--prompt", "prompts", metavar="ID", multiple=True, help="Show this prompt. Repeatable."
)
@click.option("-a", "--all", "everything", is_flag=True, help="Show every metric.")
@click.option(
    "-d",
    "--details",
    is_flag=True,
    help="Add p-values, effect sizes and minimum detectable effects.",
)
@click.option(
    "--by", type=click.Choice(["tag"]), help="Compare separately on the prompts of each tag."
)
@click.option(
    "--select", multiple=True, metavar="NAME", help="For files: only the outputs of this model."
)
@study_option
@json_option
def compare_command(
    before: str,
    after: tuple[str, ...],
    metrics: tuple[str, ...],
    samples: int,
    prompts: tuple[str, ...],
    everything: bool,
    details: bool,
    by: str | None,
    select: tuple[str, ...],
    folder: Path,
    json_wanted: bool,
) -> None:
    """Show which settings changed, their effect, and how certain it is.

    Clear changes come first, then the prompts whose outputs changed most. With
    several AFTER, each is compared with BEFORE. All may also be files of outputs.
    """
    from ethogram.report.terminal import print_by_tag, print_comparison
    from ethogram.study import compare, compare_by_tag
    from ethogram.study.from_files import are_files

    if are_files((before, *after)):
        compared = [
            compare(before, each, metrics=metrics or None, samples=samples, select=select)
            for each in after
        ]
    else:
        with open_study(folder) as study:
            if by:
                tagged = [
                    compare_by_tag(study, before, each, metrics=metrics or None) for each in after
                ]
                if json_wanted:
                    print_json(tagged[0] if len(tagged) == 1 else tagged)
                for found in () if json_wanted else tagged:
                    print_by_tag(console(), found, everything=everything)
                return
            compared = [
                compare(
                    study,
                    before,
                    each,
                    metrics=metrics or None,
                    samples=samples,
                    prompts=prompts or None,
                )
                for each in after
            ]
    if json_wanted:
        print_json(compared[0] if len(compared) == 1 else compared)
    for result in () if json_wanted else compared:
        print_comparison(console(), result, everything=everything or bool(metrics), details=details)
