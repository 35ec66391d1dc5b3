"""Objects: files put into object storage (S3, GCS, …), listed there and fetched, by fsspec."""

from __future__ import annotations

import errno
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ethogram.errors import BackendError, SpecError
from ethogram.extras import require

#: The disk of this machine is full, which a storage's own library raises as the system does.
_FULL = (errno.ENOSPC, errno.EDQUOT)


def is_address(target: str) -> bool:
    """Whether a target is an address such as `s3://bucket/rows.jsonl` rather than a path."""
    return "://" in target


def without_secrets(words: str) -> str:
    """Words as they may be printed: no user, password or query (a signature) in an address."""
    return re.sub(r"(://[^\s?]*)\?\S*", r"\1", re.sub(r"://[^/\s]*@", "://", words))


@dataclass(frozen=True, slots=True)
class Entry:
    """What a storage says of a path.

    Attributes:
        path: the whole path, in the storage's own form.
        is_file: false of folders, links and all else.
        is_folder: whether it is a folder.
        size: bytes of a file; None where the storage does not say.
    """

    path: str
    is_file: bool
    is_folder: bool
    size: int | None


@dataclass(frozen=True, slots=True)
class Place:
    """A file or folder of object storage.

    Attributes:
        shown: its address as it may be printed.
        system: the storage, as fsspec opens it.
        path: where it is in the storage.
    """

    shown: str
    system: Any
    path: str

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.path.partition("?")[0].rstrip("/").rpartition("/")[2]

    def inside(self, name: str) -> Place:
        """A file or folder in this folder."""
        return replace(
            self, shown=f"{self.shown.rstrip('/')}/{name}", path=f"{self.path.rstrip('/')}/{name}"
        )

    def put(self, file: Path) -> None:
        """Copy a local file to this place.

        Raises:
            BackendError: the storage cannot be reached, or refuses.
        """
        try:
            parent = self.path.rpartition("/")[0]
            if parent:
                self.system.makedirs(parent, exist_ok=True)
            self.system.put_file(str(file), self.path)
        except Exception as error:
            raise _failed(self.shown, "written", error) from None

    def look(self) -> Entry | None:
        """What is here; None if nothing is.

        Raises:
            BackendError: the storage cannot be reached, or refuses.
        """
        try:
            self.system.invalidate_cache()
            return _entry(self.system.info(self.path))
        except FileNotFoundError:
            return None
        except Exception as error:
            raise _failed(self.shown, "read", error) from None

    def entries(self) -> list[Entry]:
        """What this folder holds, itself left out; nothing if there is no such folder.

        The names are the storage's word, to be checked before anything is written under them.

        Raises:
            BackendError: the storage cannot be reached, or refuses.
        """
        try:
            self.system.invalidate_cache()
            found = [_entry(one) for one in self.system.ls(self.path, detail=True)]
        except FileNotFoundError:
            return []
        except Exception as error:
            raise _failed(self.shown, "read", error) from None
        # Some storages keep an empty object in the name of a folder.
        return [one for one in found if one.path.rstrip("/") != self.path.rstrip("/")]

    def name_of(self, entry: Entry) -> str:
        """The path of an entry from this folder on."""
        return entry.path.removeprefix(self.path.rstrip("/") + "/")

    def fetch(self, file: Path, size: int | None) -> None:
        """Copy this file of the storage to a local one.

        Args:
            file: the local one.
            size: bytes that the storage stated, if it did.

        Raises:
            BackendError: the storage cannot be reached, refuses, or sent other than `size` bytes.
            OSError: the disk of this machine is full.
        """
        try:
            self.system.get_file(self.path, str(file))
        except Exception as error:
            if isinstance(error, OSError) and error.errno in _FULL:
                raise
            raise _failed(self.shown, "read", error) from None
        arrived = file.stat().st_size
        if size is not None and arrived != size:
            raise BackendError(
                f"{arrived:,} of {size:,} bytes arrived", where=self.shown, hint="fetch it again"
            )


def opened(address: str) -> Place:
    """The place of an address; credentials are those of the storage's own library.

    Raises:
        MissingExtraError: the extra `objects` is not installed.
        SpecError: no installed package knows the kind of address.
        BackendError: the storage cannot be reached.
    """
    core = require("fsspec.core", extra="objects", needed_for="object storage")
    shown = without_secrets(address)
    try:
        system, path = core.url_to_fs(address)  # Some storages connect here.
    except (ImportError, ValueError) as error:
        raise SpecError(
            without_secrets(str(error)), where=shown, hint="install the package it names"
        ) from None
    except Exception as error:
        raise _failed(shown, "reached", error) from None
    return Place(shown, system, path)


def put(file: Path, target: str) -> None:
    """Copy a local file to an address.

    Raises:
        EthogramError: as `opened` and `Place.put`.
    """
    opened(target).put(file)


def _entry(info: dict[str, Any]) -> Entry:
    kind, size = info.get("type"), info.get("size")
    return Entry(
        path=str(info["name"]),
        is_file=kind == "file" and not info.get("islink"),
        is_folder=kind == "directory",
        size=size if isinstance(size, int) else None,
    )


def _failed(shown: str, verb: str, error: Exception) -> BackendError:
    """Each storage has errors of its own; the first line of one."""
    first = (str(error).splitlines() or [type(error).__name__])[0]
    return BackendError(f"cannot be {verb}: {without_secrets(first)}", where=shown)
