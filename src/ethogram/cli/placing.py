"""Options that say where work runs: in this process, or on a Ray cluster."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from ethogram.cluster import Placement


def place_options(command: Callable[..., None]) -> Callable[..., None]:
    """`--on`, `--workers` and `--worker-threads`; the command gets a `placement`."""

    def placed(
        *args: Any, on: str | None, workers: int | None, worker_threads: int | None, **options: Any
    ) -> None:
        if on is None and (workers or worker_threads):
            raise click.UsageError("--workers and --worker-threads go with --on")
        options["placement"] = (
            None if on is None else Placement.parse(on, workers=workers, threads=worker_threads)
        )
        command(*args, **options)

    placed.__doc__ = command.__doc__
    placed.__click_params__ = getattr(command, "__click_params__", [])  # type: ignore[attr-defined]
    for option in reversed(_OPTIONS):
        placed = option(placed)
    return placed


_OPTIONS = (
    click.option(
        "--on",
        metavar="WHERE",
        help="Share the work among Ray workers. `ray`: the cluster in RAY_ADDRESS, else this "
        "machine. Or the address of a cluster: ray://HOST:10001, HOST:6379.",
    ),
    click.option(
        "--workers",
        metavar="N",
        type=click.IntRange(1),
        help="With --on: number of workers. Default: one a GPU, or one a machine without GPUs.",
    ),
    click.option(
        "--worker-threads",
        metavar="N",
        type=click.IntRange(1),
        help="With --on: threads of each worker. Default: the cores, divided among the workers.",
    ),
)
