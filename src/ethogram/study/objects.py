"""Objects: a finished file put into object storage (S3, GCS, …) by fsspec."""

from __future__ import annotations

import re
from pathlib import Path

from ethogram.errors import BackendError, SpecError
from ethogram.extras import require


def is_address(target: str) -> bool:
    """Whether a target is an address such as `s3://bucket/rows.jsonl` rather than a path."""
    return "://" in target


def without_secrets(words: str) -> str:
    """Words as they may be printed: no user, password or query (a signature) in an address."""
    return re.sub(r"(://[^\s?]*)\?\S*", r"\1", re.sub(r"://[^/\s]*@", "://", words))


def put(file: Path, target: str) -> None:
    """Copy a local file to an address; credentials are those of the storage's own library.

    Raises:
        MissingExtraError: the extra `objects` is not installed.
        SpecError: no installed package knows the kind of address.
        BackendError: the storage cannot be reached, or refuses.
    """
    core = require("fsspec.core", extra="objects", needed_for="object storage")
    try:
        system, path = core.url_to_fs(target)  # Some storages connect here.
    except (ImportError, ValueError) as error:
        raise SpecError(
            without_secrets(str(error)),
            where=without_secrets(target),
            hint="install the package it names",
        ) from None
    except Exception as error:
        raise _unwritten(target, error) from None
    try:
        parent = path.rpartition("/")[0]
        if parent:
            system.makedirs(parent, exist_ok=True)
        system.put_file(str(file), path)
    except Exception as error:
        raise _unwritten(target, error) from None


def _unwritten(target: str, error: Exception) -> BackendError:
    """Each storage has errors of its own; the first line of one."""
    first = (str(error).splitlines() or [type(error).__name__])[0]
    return BackendError(
        f"cannot be written: {without_secrets(first)}", where=without_secrets(target)
    )
