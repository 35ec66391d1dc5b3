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
from ethogram.errors import SpecError


@command(
    "trace",
    "ethogram trace v0.1.0 --prompt short-portugal",
    "ethogram trace v0.1.0 --prompt short-portugal --step 3",
    "ethogram trace v0.1.0 --text 'Once upon a time' --sample 1",
)
@click.argument("version", required=False)
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
@click.option(
    "--step",
    metavar="N",
    type=click.IntRange(min=1),
    help="One token, counted from 1: its distribution before and after each step of the decoding.",
)
@click.option("--branch", metavar="ID", type=int, help="A branch, instead of VERSION and prompt.")
@study_option
@json_option
def trace_command(
    version: str | None,
    prompt: str | None,
    text: str | None,
    sample: int,
    details: bool,
    step: int | None,
    branch: int | None,
    folder: Path,
    json_wanted: bool,
) -> None:
    """Show how each token of an output was chosen.

    Each line has a token, its probability and rank under the model's own distribution, and the
    most probable alternatives. With --step, one token: what it was chosen from, before and after
    each step of the decoding, and what each step removed.
    """
    if (version is None) == (branch is None):
        raise SpecError("name a version or a branch", where="trace", hint="see: trace --help")
    if step is not None and text is not None:
        raise SpecError(
            "--step needs a stored output", where="--text", hint="name a prompt of the suite"
        )
    from ethogram.report.microscope import print_trace
    from ethogram.report.token_choice import print_choice
    from ethogram.study import trace
    from ethogram.study.branches import traced_branch
    from ethogram.study.token_choice import Microscope

    say = say_loading(quiet=json_wanted)
    with open_study(folder) as study:
        microscope = Microscope(study, say)
        if branch is not None:
            found = traced_branch(study, branch)
        else:
            found = trace(
                study,
                version or "",
                prompt,
                text=text,
                sample=sample,
                backends=microscope.backends,
            )
        if step is not None:
            made = found.generation
            choice = microscope.choice(
                version or "", made.prompt_id, sample=sample, step=step - 1, branch=branch
            )
    if json_wanted:
        print_json(found if step is None else choice)
    elif step is None:
        print_trace(console(), found, details=details)
    else:
        print_choice(console(), choice)
