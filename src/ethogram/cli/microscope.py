"""The command that shows how one output's tokens were chosen."""

from __future__ import annotations

from pathlib import Path

import click

from ethogram.cli.common import (
    console,
    json_option,
    loading_teller,
    open_study,
    print_json,
    study_option,
)


@click.command()
@click.argument("version")
@click.option(
    "--prompt",
    metavar="ID",
    help="Id of a prompt of the suite, or a text that is not close to an id.",
)
@click.option("--text", help="A prompt of your own; its output is generated and not stored.")
@click.option(
    "--sample",
    default=0,
    show_default=True,
    type=click.IntRange(min=0),
    help="Sample index of the output; of a suite's prompt, one of the study's samples.",
)
@study_option
@json_option
def trace(
    version: str, prompt: str | None, text: str | None, sample: int, folder: Path, as_json: bool
) -> None:
    """Show how an output's tokens were chosen: the decoding microscope.

    Token by token: its probability and rank under the model's own distribution, that one's
    entropy, its probability after all steps, how many tokens each step kept, and what else was
    likely.
    """
    from ethogram.report.microscope import print_trace
    from ethogram.study import trace as make

    with open_study(folder) as study:
        teller = loading_teller(quiet=as_json)
        traced = make(study, version, prompt, text=text, sample=sample, on_load=teller)
    if as_json:
        print_json(traced.to_json())
    else:
        print_trace(console(), traced)
