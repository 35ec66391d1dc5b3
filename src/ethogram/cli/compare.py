"""`ethogram compare`: what changed between versions, and what it did."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

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

if TYPE_CHECKING:
    from ethogram.study import Study


@command(
    "compare",
    "ethogram compare v0.0.1 v0.1.0",
    "ethogram compare v0.0.1 v0.1.0 -m loop_rate --details",
    "ethogram compare v0.0.1 v0.1.0 v0.2.0",
    "ethogram compare v0.0.1 v0.1.0 --by tag",
    "ethogram compare v0.1.0 results.json",
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

    Clear changes come first, then the prompts whose outputs changed most. With several AFTER, each
    is compared with BEFORE. Any of them may be a file of outputs; a file and a version are compared
    on the prompts that both have.
    """
    from ethogram.report.terminal import print_by_tag, print_comparison
    from ethogram.study import compare, compare_by_tag

    compared: list[Any] = []
    for study, first, second in _pairs(before, after, select, folder):
        if by:
            compared.append(compare_by_tag(study, first, second, metrics=metrics or None))
        else:
            compared.append(
                compare(
                    study,
                    first,
                    second,
                    metrics=metrics or None,
                    samples=samples,
                    prompts=prompts or None,
                )
            )
    if json_wanted:
        print_json(compared[0] if len(compared) == 1 else compared)
        return
    for result in compared:
        if by:
            print_by_tag(console(), result, everything=everything)
        else:
            shown = everything or bool(metrics)
            print_comparison(console(), result, everything=shown, details=details)


def _pairs(
    before: str, after: Sequence[str], select: Sequence[str], folder: Path
) -> Iterator[tuple[Study, str, str]]:
    """BEFORE with each AFTER: an opened study, and what both are called in it."""
    from ethogram.study.from_files import are_files, beside_files, study_of_files

    if are_files((before, *after)):
        for each in after:
            with study_of_files([before, each], select=select) as files:
                first, second = files.versions
                yield files, first, second
        return
    with open_study(folder) as study:
        for each in after:
            with beside_files(study, before, each, select=select) as found:
                yield found
