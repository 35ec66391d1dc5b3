"""Objects: a finished file put into object storage (S3, GCS, …) by fsspec."""

from __future__ import annotations

from pathlib import Path

from ethogram.errors import BackendError, SpecError
from ethogram.extras import require


def is_address(target: str) -> bool:
    """Whether a target is an address such as `s3://bucket/rows.jsonl` rather than a path."""
    return "://" in target


def put(file: Path, target: str) -> None:
    """Copy a local file to an address; credentials are those of the storage's own library.

    Raises:
        MissingExtraError: the extra `objects` is not installed.
        SpecError: no installed package knows the kind of address.
        BackendError: the storage cannot be reached, or refuses.
    """
    core = require("fsspec.core", extra="objects", needed_for="object storage")
    try:
        system, path = core.url_to_fs(target)
    except (ImportError, ValueError) as error:
        raise SpecError(str(error), where=target, hint="install the package it names") from None
    try:
        parent = path.rpartition("/")[0]
        if parent:
            system.makedirs(parent, exist_ok=True)
        system.put_file(str(file), path)
    except Exception as error:  # Each storage has errors of its own.
        lines = str(error).splitlines() or [type(error).__name__]
        raise BackendError(f"cannot be written: {lines[0]}", where=target) from None
