"""Checks that the files of a model folder are complete, and hashes them. Loads nothing.

The header of a safetensors file gives its length, so a truncated download is found before any
weight is read.
"""

from __future__ import annotations

import hashlib
import json
import operator
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ethogram.cache import cache_folder
from ethogram.errors import ModelError

#: Files beside the weights that can change what a model writes.
_BEHAVIOUR_FILES = (
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "tokenizer.model",
    "spiece.model",
    "vocab.json",
    "merges.txt",
    "special_tokens_map.json",
    "added_tokens.json",
    "chat_template.jinja",
)
#: Vocabularies that are read where tokenizer.json is missing.
_OTHER_VOCABULARIES = (
    "sentencepiece.bpe.model",
    "source.spm",
    "target.spm",
    "vocab.txt",
    "bpe.codes",
    "tekken.json",
)
#: One of these holds the vocabulary.
_TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model", "spiece.model", "vocab.json")
_LONGEST_HEADER = 100_000_000  # the limit of the safetensors library


def check_model_folder(folder: Path) -> None:
    """Refuse a model folder that cannot be loaded, naming the file.

    Raises:
        ModelError: a file is missing, truncated or in a format that is not loaded.
    """
    if not folder.is_dir():
        raise ModelError(
            "model folder not found",
            where=str(folder),
            hint="check the path; `ethogram models` lists the available models",
        )
    config = read_json(folder / "config.json")
    _check_sources(folder, config)
    if not any((folder / name).is_file() for name in _TOKENIZER_FILES):
        raise ModelError(
            "the folder has no tokenizer",
            where=str(folder),
            hint=f"add one of {', '.join(_TOKENIZER_FILES)} from where the model came from",
        )
    for file in weight_files(folder):
        check_safetensors(file)


def check_adapter_folder(folder: Path) -> list[Path]:
    """Refuse an adapter folder that cannot be loaded, naming the file.

    Returns:
        The files of its weights.

    Raises:
        ModelError: a file is missing, truncated or in a format that is not loaded.
    """
    if not folder.is_dir():
        raise ModelError("adapter folder not found", where=str(folder))
    read_json(folder / "adapter_config.json")
    files = weight_files(folder, stem="adapter_model")
    for file in files:
        check_safetensors(file)
    return files


def _check_sources(folder: Path, config: Mapping[str, Any]) -> None:
    """Refuse a folder from which transformers would read other weights than those that are hashed.

    It adds an adapter that it finds beside a model, where peft is installed, and prefers files that
    config.json names and distributed checkpoints.
    """
    if (folder / "adapter_config.json").is_file():
        raise ModelError(
            "it contains both a model and an adapter, so it is unclear which is meant",
            where=str(folder),
            hint="move the adapter's files to a folder of their own and name it as `adapter:`",
        )
    if config.get("transformers_weights") or any(folder.glob("shard-*-model-*.safetensors")):
        raise ModelError(
            "it has other weights besides model.safetensors (transformers_weights, or "
            "distributed shards)",
            where=str(folder),
            hint="save the model again: model.save_pretrained(folder)",
        )


def weight_files(folder: Path, stem: str = "model") -> list[Path]:
    """The safetensors files that hold a folder's weights.

    Args:
        folder: a model or adapter folder.
        stem: "model", or "adapter_model" for LoRA adapters.

    Raises:
        ModelError: there are none, one that the index names is missing, or the index names other
            files than the single one that is beside it.
    """
    index, single = folder / f"{stem}.safetensors.index.json", folder / f"{stem}.safetensors"
    files = [single]
    if index.is_file():
        names = sorted(set(read_json(index).get("weight_map", {}).values()))
        files = [folder / Path(name).name for name in names]
        if single.is_file() and single not in files:
            # transformers reads the single file, vLLM the ones of the index.
            raise ModelError(
                f"{single.name} and {index.name} both exist and name different weights",
                where=str(folder),
                hint="remove the one that is out of date",
            )
    for file in files:
        if not file.is_file():
            raise _missing(file)
    return files


def _missing(file: Path) -> ModelError:
    pickled = sorted(file.parent.glob("*.bin")) + sorted(file.parent.glob("*.pt"))
    if pickled:
        return ModelError(
            f"{file.name} is missing, and {pickled[0].name} is a pickle, which is never loaded",
            where=str(file.parent),
            hint="save the model as safetensors: model.save_pretrained(folder)",
        )
    return ModelError(
        f"{file.name} is missing",
        where=str(file.parent),
        hint="fetch the model again, or copy the file from where it came from",
    )


def check_safetensors(file: Path) -> list[str]:
    """Check that a safetensors file has the length that its header gives.

    Returns:
        The names of its tensors.

    Raises:
        ModelError: it is truncated or not a safetensors file.
    """
    size = file.stat().st_size
    with file.open("rb") as stream:
        start = stream.read(8)
        length = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
        if not 2 <= length <= _LONGEST_HEADER:
            raise _damaged(file, "it is not a safetensors file")
        raw = stream.read(length)
    try:
        header = json.loads(raw)
        places = [spec["data_offsets"] for name, spec in header.items() if name != "__metadata__"]
        ends = [operator.index(end) for _, end in places]
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
        damage = "it is truncated" if len(raw) < length else "its header is damaged"
        raise _damaged(file, damage) from None
    expected = 8 + length + max(ends, default=0)
    if size != expected:
        raise _damaged(file, f"it has {size:,} bytes and should have {expected:,}")
    return [name for name in header if name != "__metadata__"]


def _damaged(file: Path, what: str) -> ModelError:
    return ModelError(what, where=str(file), hint="fetch the model again")


def read_json(file: Path) -> dict[str, Any]:
    """An object of a JSON file.

    Raises:
        ModelError: the file is missing or holds no JSON object.
    """
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise _missing(file) from None
    except RecursionError:
        raise _damaged(file, "it is nested too deep") from None
    except (ValueError, OSError) as error:
        raise _damaged(file, f"it cannot be read ({error})") from None
    if not isinstance(data, dict):
        raise _damaged(file, "it holds no JSON object")
    return data


def folder_digest(folder: Path, stem: str = "model") -> str:
    """SHA-256 over all files of a folder that can change what the model writes."""
    files = [*weight_files(folder, stem)]
    names = [*_BEHAVIOUR_FILES]
    if not (folder / "tokenizer.json").is_file():
        names += _OTHER_VOCABULARIES
    files += [folder / name for name in names if (folder / name).is_file()]
    if stem == "adapter_model":
        files.append(folder / "adapter_config.json")
    joined = hashlib.sha256()
    for file in files:
        joined.update(f"{file.name}:{file_digest(file)}\n".encode())
    return joined.hexdigest()


def file_digest(file: Path) -> str:
    """SHA-256 of a file, remembered by path, size and time of change."""
    stat = file.stat()
    key = hashlib.sha256(f"{file.resolve()}:{stat.st_size}:{stat.st_mtime_ns}".encode()).hexdigest()
    note = cache_folder() / "digests" / key
    if note.is_file():
        known = note.read_text()
        if len(known) == 64:
            return known
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    try:
        note.parent.mkdir(parents=True, exist_ok=True)
        note.write_text(digest)
    except OSError:
        pass  # The next command hashes it again.
    return digest
