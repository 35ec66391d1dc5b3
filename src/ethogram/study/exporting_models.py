"""Export of a model: the files of a version's local model, in a folder or in object storage."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from ethogram.errors import SpecError
from ethogram.files import new_folder, replacing
from ethogram.models.transfer import local_files
from ethogram.objects import Place, is_address, opened
from ethogram.stages import stage
from ethogram.study.workspace import Study


def export_model(study: Study, target: str, version: str) -> int:
    """Copy the files of a version's local model; returns the number of files.

    Args:
        study: the opened study.
        target: a new folder, or an address of object storage. A single GGUF file goes to a target
            that ends in `.gguf`. A version with a local model and a local adapter makes the
            folders `model` and `adapter` in it.
        version: its name.

    Raises:
        SpecError: there is something at the target already.
        ModelError: the model is named by id or at an endpoint, or a file is missing or damaged.
        WriteError: the folder cannot be written.
        BackendError: the object storage cannot be written.
        MissingExtraError: an address without the extra `objects`.
    """
    parts = local_files(study.model_reference(version))
    if target.endswith(".gguf"):
        return _export_file(target, parts, version)
    several = len(parts) > 1
    if is_address(target):
        place = opened(target)
        folders = [(place.inside(part) if several else place, parts[part]) for part in parts]
        for folder, files in folders:
            _check_free(folder, files)
        for folder, files in folders:
            _put(folder, files)
    else:
        if Path(target).exists():
            raise _taken(target)
        with new_folder(Path(target)) as whole:
            for part, files in parts.items():
                _copy(files, whole / part if several else whole)
    return sum(map(len, parts.values()))


def _export_file(target: str, parts: Mapping[str, Sequence[Path]], version: str) -> int:
    """Copy a model that is one GGUF file to a file."""
    files = [file for part in parts.values() for file in part]
    if len(files) != 1 or files[0].suffix != ".gguf":
        raise SpecError(
            f"the model of {version} is not a single GGUF file",
            where="--as model",
            hint="name a folder as TARGET",
        )
    if is_address(target):
        opened(target).put(files[0])
    else:
        with replacing(Path(target)) as temporary:
            shutil.copyfile(files[0], temporary)
    return 1


def _copy(files: Sequence[Path], folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for file in files:
        stage(f"Copying {file.name}")
        shutil.copyfile(file, folder / file.name)


def _put(place: Place, files: Sequence[Path]) -> None:
    """Copy files in their order: the last one completes the model."""
    for file in files:
        stage(f"Sending {file.name}")
        place.inside(file.name).put(file)


def _check_free(place: Place, files: Sequence[Path]) -> None:
    """Refuse a folder that holds more than an interrupted export of these files left.

    Raises:
        SpecError: it does.
    """
    left = {file.name for file in files[:-1]}
    if any(place.name_of(entry) not in left for entry in place.entries()):
        raise _taken(place.shown)


def _taken(shown: str) -> SpecError:
    return SpecError(
        "there is something here already, and a model is not written over it",
        where=shown,
        hint="name a new folder, or remove what is there",
    )
