"""`ethogram store`: check the store, copy it, give back space, drop what no version names."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ethogram.cli.options import (
    EXIT_FAILED,
    command,
    json_option,
    open_study,
    print_json,
    print_result,
    shared_bar,
    study_option,
)


@click.group("store", epilog="\b\nExample:\n  ethogram store check")
def store_group() -> None:
    """Check and copy the store of a study, and give back space.

    The store is the SQLite file or PostgreSQL database that `store:` in study.yaml or
    ETHOGRAM_STORE names.
    """


@command("check", "ethogram store check", "ethogram store check -C my-study --json")
@study_option
@json_option
def check_store_command(folder: Path, json_wanted: bool) -> None:
    """Read every row, find damage and orphans; exit 1 if there is any.

    Also says how many outputs each version lacks.
    """
    from ethogram.study.store_care import check_store

    with open_study(folder) as study:
        found = check_store(study)
    print_result(found, json_wanted=json_wanted)
    if not found.holds:
        sys.exit(EXIT_FAILED)


@command(
    "copy",
    "ethogram store copy .ethogram/store.sqlite postgresql://me@db/study",
    "ethogram store copy postgresql://me@db/study backup.sqlite",
)
@click.argument("source")
@click.argument("target")
@json_option
def copy_store_command(source: str, target: str, json_wanted: bool) -> None:
    """Copy all rows of the store SOURCE into TARGET, and compare both.

    Each is a file or a URL. An interrupted copy goes on where it stopped.
    """
    from ethogram.store.copying import copy_store

    with shared_bar(quiet=json_wanted) as bar:
        copied = copy_store(
            source,
            target,
            on_progress=lambda table, done, total: bar.update(
                f"copying {table}", done, total, f"{done}/{total}"
            ),
        )
    print_result(copied, json_wanted=json_wanted)


@command("vacuum", "ethogram store vacuum")
@study_option
@json_option
def vacuum_store_command(folder: Path, json_wanted: bool) -> None:
    """Give the space of deleted rows back to the system."""
    from ethogram.store import care
    from ethogram.study.store_care import in_bytes

    with open_study(folder) as study:
        where = study.store.database.where
        before, after = care.vacuum(study.store.database)
    if json_wanted:
        print_json({"store": where, "bytes_before": before, "bytes_after": after})
    else:
        click.echo(f"{where}: {in_bytes(before)} before, {in_bytes(after)} after")


@command("prune", "ethogram store prune", "ethogram store prune --yes")
@click.option("--yes", "delete", is_flag=True, help="Delete them; without, they are counted.")
@study_option
@json_option
def prune_store_command(delete: bool, folder: Path, json_wanted: bool) -> None:
    """Count the outputs that no version names, or delete them.

    These are the outputs of removed versions, of earlier settings and of sweeps. Their traces,
    scores and verdicts go with them.
    """
    from ethogram.study.store_care import prune_store

    with open_study(folder) as study:
        pruned = prune_store(study, delete=delete)
    print_result(pruned, json_wanted=json_wanted)


for _command in (
    check_store_command,
    copy_store_command,
    vacuum_store_command,
    prune_store_command,
):
    store_group.add_command(_command)
