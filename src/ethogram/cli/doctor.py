"""`ethogram doctor`: what is installed, what this machine does, what the store holds."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ethogram.cli.options import (
    EXIT_FAILED,
    command,
    console,
    json_option,
    print_json,
    shared_bar,
    study_option,
)


@command("doctor", "ethogram doctor", "ethogram doctor -C my-study --json")
@click.option("--no-measure", is_flag=True, help="Do not time matrix products (about a second).")
@study_option
@json_option
def doctor_command(no_measure: bool, folder: Path, json_wanted: bool) -> None:
    """Report what is installed, what is missing, and how to fix it.

    Looks at the program and its extras, the processor, the compiler, the models in the cache, free
    space, and the store of the study in the current folder. Changes nothing. Exit code 1 if
    something has to be fixed; a missing optional part is not an error.
    """
    from ethogram.report.diagnosis import print_diagnosis
    from ethogram.study.doctor import diagnose

    with shared_bar(quiet=json_wanted):
        found = diagnose(folder, measure=not no_measure)
    if json_wanted:
        print_json(found)
    else:
        print_diagnosis(console(), found)
    if found.errors:
        sys.exit(EXIT_FAILED)
