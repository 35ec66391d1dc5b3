"""`ethogram trace`: how the tokens of one output were chosen."""

from __future__ import annotations

from pathlib import Path

import click

from ethogram.cli.options import (
    command,
    console,
    json_option,
    open_study,
    print_json,
    say_loading,
    study_option,
)


@command(
    "trace",
    "ethogram trace v0.1.0 --prompt short-portugal",
    "ethogram trace v0.1.0 --text 'Once upon a time' --sample 1",
)
@click.argument("version")
@click.option(
    "-p",
    "--prompt",
    metavar="ID",
    help="Id of a prompt of the suite, or a text that is not close to an id.",
)
@click.option("--text", help="Your own prompt; its output is generated but not stored.")
@click.option(
    "--sample",
    default=0,
    show_default=True,
    type=click.IntRange(min=0),
    help="Sample index of the output.",
)
@click.option(
    "-d", "--details", is_flag=True, help="Add entropy, final probability and what each step kept."
)
@study_option
@json_option
def trace_command(
    version: str,
    prompt: str | None,
    text: str | None,
    sample: int,
    details: bool,
    folder: Path,
    json_wanted: bool,
) -> None:
    """Show how each token of an output was chosen.

    Each line has a token, its probability and rank under the model's own distribution, and the
    most probable alternatives.
    """
    from ethogram.report.microscope import print_trace
    from ethogram.study import trace

    with open_study(folder) as study:
        traced = trace(
            study, version, prompt, text=text, sample=sample, on_load=say_loading(quiet=json_wanted)
        )
    if json_wanted:
        print_json(traced)
    else:
        print_trace(console(), traced, details=details)
