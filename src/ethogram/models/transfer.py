"""Transfer: the files that make a local model, and a model fetched from object storage.

What a storage lists is not trusted: only plain names of the kinds that loading reads are fetched,
nothing is unpickled or run, and a model gets its name once all of it has arrived and was checked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ethogram.errors import ModelError
from ethogram.files import new_folder, replacing
from ethogram.models.builtin import BUILT_INS, ENCODERS
from ethogram.models.checkpoint import (
    check_adapter_folder,
    check_model_folder,
    check_safetensors,
    weight_files,
)
from ethogram.models.gguf import check_gguf, gguf_parts
from ethogram.models.reference import ModelReference, looks_local
from ethogram.objects import Entry, Place, opened
from ethogram.spec.study import STUDY_FILE
from ethogram.stages import stage

_WEIGHTS = (".safetensors", ".gguf")
#: Configuration, chat template, vocabularies, and the record of a training.
_BESIDE_WEIGHTS = (".json", ".txt", ".jinja", ".model", ".spm", ".codes")
KINDS = (*_WEIGHTS, *_BESIDE_WEIGHTS)
_PLAIN = re.compile(r"\w[\w.+ -]{0,199}")
#: The file without which a folder is not a model, or an adapter. It is copied last, so that a copy
#: that was interrupted is not taken for a whole one.
_MODEL_LAST, _ADAPTER_LAST = "config.json", "adapter_config.json"
#: Where a study keeps its models.
_MODELS = "models"


def local_files(reference: ModelReference) -> dict[str, list[Path]]:
    """The files that loading a local model reads, with the record of its training.

    Returns:
        Those of the `model` and of the `adapter`, where either is local; of each, the file that
        completes it is the last.

    Raises:
        ModelError: neither is local, a file is missing or damaged, or a link leads out of the
            folder.
    """
    found: dict[str, list[Path]] = {}
    name = reference.model
    if reference.is_local and name not in BUILT_INS and name not in ENCODERS:
        path = Path(name).expanduser()
        found["model"] = _gguf_files(path) if path.suffix == ".gguf" else _model_files(path)
    if reference.adapter is not None and looks_local(reference.adapter):
        folder = Path(reference.adapter).expanduser()
        weights = check_adapter_folder(folder)
        found["adapter"] = _with_others(folder, weights, _ADAPTER_LAST)
    if not found:
        raise ModelError(
            "it is named by id, not a folder or file of this machine, so there is nothing to copy",
            where=f"model {name}",
            hint=f"elsewhere, write `model: {name}` too",
        )
    return found


def _model_files(folder: Path) -> list[Path]:
    check_model_folder(folder)
    return _with_others(folder, weight_files(folder), _MODEL_LAST)


def _gguf_files(file: Path) -> list[Path]:
    parts = gguf_parts(file)
    for part in parts:
        _check_source(part)
    return parts


def _with_others(folder: Path, weights: Sequence[Path], last: str) -> list[Path]:
    """The weights, what is beside them, and the file that completes the folder."""
    beside = [
        file
        for file in sorted(folder.iterdir())
        if file.suffix in _BESIDE_WEIGHTS and not file.name.startswith(".") and file.is_file()
    ]
    files = [*weights, *(file for file in beside if file.name != last), folder / last]
    for file in files:
        _check_source(file)
    return files


def _check_source(file: Path) -> None:
    """Refuse a file that is outside its folder, or that could not be fetched again.

    Raises:
        ModelError: a link leads out of the folder, or its name is not plain.
    """
    if not file.resolve().is_relative_to(file.parent.resolve()):
        raise ModelError(
            "it is a link that leads out of its folder, and is not followed",
            where=str(file),
            hint="copy the model's files to a folder of their own",
        )
    refused = _refused(file.name)
    if refused:
        raise ModelError(refused, where=str(file), hint="rename it")


def _refused(name: str) -> str | None:
    """Why a name is not that of a file that loading reads; None if it is."""
    shown = repr(name[:100])
    if not _PLAIN.fullmatch(name):
        return f"{shown} is not a plain file name"
    if not name.endswith(KINDS):
        return f"{shown} is not a file that loading a model reads"
    return None


def fetch(address: str, to: Path | None = None) -> Path:
    """Fetch a model folder, an adapter folder or a GGUF file from object storage.

    Args:
        address: of the folder or file.
        to: the new folder, or for a single GGUF file the folder that it goes into; default
            `models/NAME` of the study in the current folder.

    Returns:
        What to write as `model:` or `adapter:`: the folder, or the GGUF file.

    Raises:
        ModelError: nothing is there, a name is not plain or of another kind, a file is damaged,
            or the target exists. Nothing is left then.
        EthogramError: as `objects.opened` and `objects.Place.fetch`.
        WriteError: the target cannot be written.
    """
    place = opened(address)
    found = place.look()
    if found is None:
        raise ModelError("nothing is at this address", where=place.shown, hint="check it")
    if found.is_file and place.name.endswith(".gguf"):
        return _fetch_file(place, found, to)
    if not found.is_folder:
        raise ModelError(
            "it is neither a folder nor a GGUF file",
            where=place.shown,
            hint="name the folder that holds the model's files",
        )
    return _fetch_folder(place, to)


def _fetch_file(place: Place, found: Entry, to: Path | None) -> Path:
    refused = _refused(place.name)
    if refused:
        raise ModelError(refused, where=place.shown, hint="rename it there")
    target = _free(_target(place, None) if to is None else to / place.name)
    with replacing(target) as temporary, _named_by_address(place, temporary):
        stage(f"Fetching {place.name}")
        place.fetch(temporary, found.size)
        parts = int(check_gguf(temporary).get("split.count", 1))
        if parts > 1:
            raise ModelError(
                f"it is one of {parts} parts",
                where=place.shown,
                hint="put all parts into a folder there, and fetch that",
            )
    return target


def _fetch_folder(place: Place, to: Path | None) -> Path:
    listed = _accepted(place)
    target = _free(_target(place, to))
    with new_folder(target) as folder, _named_by_address(place, folder):
        for name, entry in listed.items():
            stage(f"Fetching {name}")
            place.inside(name).fetch(folder / name, entry.size)
        named = _checked(folder)
    return target if named is None else target / named


def _accepted(place: Place) -> dict[str, Entry]:
    """The files of a folder by name.

    Raises:
        ModelError: one is not a plain file of a kind that loading reads.
    """
    listed: dict[str, Entry] = {}
    for entry in place.entries():
        name = place.name_of(entry)
        refused = _refused(name)
        if refused is None and not entry.is_file:
            refused = f"{name!r} is a link or a folder, not a file"
        if refused is None and name in listed:
            refused = f"{name!r} is listed twice"
        if refused:
            raise ModelError(
                refused,
                where=place.shown,
                hint=f"keep only a model's files there ({', '.join(KINDS)})",
            )
        listed[name] = entry
    return listed


def _checked(folder: Path) -> str | None:
    """Check the files of a folder that was fetched.

    Returns:
        The GGUF file to name, where the folder is not what is named itself.

    Raises:
        ModelError: a file is missing or damaged.
    """
    for file in sorted(folder.glob("*.safetensors")):
        check_safetensors(file)
    models = sorted(folder.glob("*.gguf"))
    for file in models:
        gguf_parts(file)
    if not (folder / _MODEL_LAST).is_file():
        if (folder / _ADAPTER_LAST).is_file():
            check_adapter_folder(folder)
            return None
        if models:
            return models[0].name
    check_model_folder(folder)
    return None


def _target(place: Place, to: Path | None) -> Path:
    """Where a folder goes.

    Raises:
        ModelError: that is not known.
    """
    if to is not None:
        return to
    if not Path(STUDY_FILE).is_file():
        raise ModelError(
            f"the current folder is not a study (it has no {STUDY_FILE}), so it is unknown where "
            "to put the model",
            where=place.shown,
            hint="name a folder with --to",
        )
    if not _PLAIN.fullmatch(place.name):
        raise ModelError(
            "the address gives no name for the model",
            where=place.shown,
            hint=f"name a folder with --to {_MODELS}/NAME",
        )
    return Path(_MODELS, place.name)


def _free(target: Path) -> Path:
    """A path at which nothing is yet.

    Raises:
        ModelError: something is.
    """
    if target.exists() or target.is_symlink():
        raise ModelError(
            "it exists already, and is not replaced",
            where=str(target),
            hint="remove it, or name another folder with --to",
        )
    return target


@contextmanager
def _named_by_address(place: Place, temporary: Path) -> Iterator[None]:
    """Errors of checks name the address, not the temporary file or folder."""
    try:
        yield
    except ModelError as error:
        where = (error.where or "").replace(str(temporary), place.shown)
        raise ModelError(error.what, where=where, hint=error.hint) from None
