"""Placement: where work runs, as `--on` and the options beside it name it."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from ethogram.errors import SpecError

_ADDRESS = re.compile(r"(ray://)?(\[[0-9a-fA-F:]+\]|[A-Za-z0-9_.-]+):\d{1,5}")


@dataclass(frozen=True, slots=True)
class Placement:
    """Where work runs.

    Attributes:
        address: of a Ray cluster, `host:port` or `ray://host:port`; None starts Ray on this
            machine, for as long as the work lasts.
        workers: processes that share the work. Default: one a GPU, or one a machine without GPUs.
        threads: of each. Default: the cores of the cluster, divided among the workers.
    """

    address: str | None = None
    workers: int | None = None
    threads: int | None = None

    @classmethod
    def parse(
        cls, text: str, *, workers: int | None = None, threads: int | None = None
    ) -> Placement:
        """The placement of `ray`, `host:port` or `ray://host:port`.

        `ray` means the cluster in the environment variable RAY_ADDRESS; without it, this machine.

        Raises:
            SpecError: it is none of these.
        """
        address = os.environ.get("RAY_ADDRESS", "").strip() if text == "ray" else text
        if address in ("", "local"):
            return cls(None, workers, threads)
        if not _ADDRESS.fullmatch(address):
            where = "RAY_ADDRESS" if text == "ray" else "--on"
            raise SpecError(
                f"{address!r} is not the address of a Ray cluster",
                where=where,
                hint="write ray, ray://HOST:10001 or HOST:6379",
            )
        return cls(address, workers, threads)

    @classmethod
    def of(cls, on: str | Placement | None) -> Placement | None:
        """A placement from what a caller of the Python API gives."""
        return cls.parse(on) if isinstance(on, str) else on
