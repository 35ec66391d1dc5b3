"""Data: finds the files of a data set on this machine, or fetches them; always by their digest.

What comes from elsewhere is data: it is bounded in size, checked before it is kept, never run.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from ethogram.cache import cache_folder
from ethogram.errors import DataError
from ethogram.files import replacing
from ethogram.replications.registry import DATA_SETS, DataFile, DataSet

#: The variable that names a folder of data sets.
VARIABLE = "ETHOGRAM_DATA"
#: No file of the registry comes near this many bytes, as served or unpacked.
MOST_BYTES = 1 << 26
_TIMEOUT_SECONDS = 60
_CHUNK = 1 << 20


class DataFolders:
    """Where data sets are looked for.

    Args:
        folder: the only folder to look in; None for the one that $ETHOGRAM_DATA names, and then
            the cache, where fetched files lie.
        fetch: get what is missing from its publisher, into the cache.
        on_fetch: called with each address and its licence before the request.

    Raises:
        DataError: a named folder does not exist.
    """

    def __init__(
        self,
        folder: str | Path | None = None,
        *,
        fetch: bool = False,
        on_fetch: Callable[[str], None] | None = None,
    ) -> None:
        self._fetch, self._on_fetch = fetch, on_fetch
        named = folder or os.environ.get(VARIABLE)
        self._folders = [Path(named).expanduser()] if named else []
        if named and not self._folders[0].is_dir():
            raise DataError(
                "the data folder does not exist",
                where=str(named),
                hint=f"name another in {'--data' if folder else VARIABLE}",
            )
        if not folder:
            self._folders.append(_cached())

    def files(self, name: str) -> dict[str, Path]:
        """The files of a data set, each checked to be the pinned one.

        Raises:
            DataError: one is missing, is another file, or cannot be fetched.
            WriteError: the cache cannot be written.
        """
        data_set = DATA_SETS[name]
        return {key: self._file(data_set, file) for key, file in data_set.files.items()}

    def _file(self, data_set: DataSet, file: DataFile) -> Path:
        for folder in self._folders:
            for path in (folder / file.path, folder / f"{file.path}.gz"):
                if path.is_file():
                    _check(_digest(path), file, str(path), data_set.origin)
                    return path
        if self._fetch:
            return self._fetched(data_set, file)
        raise DataError(
            f"the data set {data_set.name} was not found",
            where=" or ".join(str(folder / file.path) for folder in self._folders),
            hint=f"download it from {data_set.origin} with --fetch (licence: {data_set.licence}), "
            f"or name a folder that has it with --data or {VARIABLE}",
        )

    def _fetched(self, data_set: DataSet, file: DataFile) -> Path:
        if self._on_fetch:
            self._on_fetch(f"{file.url} (licence: {data_set.licence})")
        served = download(file.url)
        try:
            content = file.convert(served)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise DataError(
                "the downloaded file is not the one that the registry expects",
                where=file.url,
                hint=f"see {data_set.origin}; nothing was kept",
            ) from None
        _check(hashlib.sha256(content).hexdigest(), file, file.url, data_set.origin)
        path = _cached() / file.path
        with replacing(path) as temporary:
            temporary.write_bytes(content)
        return path


def download(url: str) -> bytes:
    """What an https address serves; redirected to https only.

    Raises:
        DataError: it cannot be reached, is not https, or serves too much.
    """
    _refuse_other_than_https(url, url)
    request = urllib.request.Request(url, headers={"User-Agent": "ethogram"})
    opener = urllib.request.build_opener(_HttpsOnly)
    try:
        with opener.open(request, timeout=_TIMEOUT_SECONDS) as answer:
            data: bytes = answer.read(MOST_BYTES + 1)
    except (OSError, urllib.error.URLError, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise DataError(
            f"cannot be fetched: {reason}",
            where=url,
            hint="try again later, or download the file by hand and name its folder",
        ) from None
    if len(data) > MOST_BYTES:
        raise DataError(f"more than {MOST_BYTES} bytes were sent", where=url)
    return data


class _HttpsOnly(urllib.request.HTTPRedirectHandler):
    """Follows no redirect that leaves https."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: Any,
        newurl: str,
    ) -> urllib.request.Request | None:
        _refuse_other_than_https(newurl, req.full_url)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _refuse_other_than_https(url: str, where: str) -> None:
    if not url.startswith("https://"):
        raise DataError(f"leads to {url!r}, which is not https", where=where)


def _cached() -> Path:
    return cache_folder() / "data"


def _digest(path: Path) -> str:
    """sha256 of a file's content, unpacked; a file longer than any of the registry is cut off."""
    digest = hashlib.sha256()
    left = MOST_BYTES
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            while left > 0 and (chunk := file.read(_CHUNK)):
                digest.update(chunk)
                left -= len(chunk)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"cannot be read: {error}", where=str(path)) from None
    return digest.hexdigest()


def _check(found: str, file: DataFile, where: str, origin: str) -> None:
    if found != file.sha256:
        raise DataError(
            f"sha256 of its content is {found[:16]}… and should be {file.sha256[:16]}…",
            where=where,
            hint=f"it is damaged or a different revision; download the file from {origin} again",
        )
