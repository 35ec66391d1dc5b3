"""Output: the finished model in `models/NAME`, written whole or not at all."""

from __future__ import annotations

import importlib.metadata
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ethogram.files import system_errors
from ethogram.models.reference import ModelReference
from ethogram.train.job import Job, Prepared

RECORD = "training.json"
#: Libraries whose releases can change the weights that a training yields.
LIBRARIES = ("torch", "transformers", "trl", "peft", "accelerate", "datasets", "tokenizers")


def library_versions() -> dict[str, str]:
    """The installed releases of the libraries that train."""
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def read_record(folder: Path) -> dict[str, Any] | None:
    """`training.json` of a model folder; None where there is none."""
    try:
        read = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return read if isinstance(read, dict) else None


def write_model(
    job: Job,
    prepared: Prepared,
    model: Any,
    *,
    key: str,
    parent_identity: str | None,
    result: Mapping[str, Any],
) -> None:
    """Write the folder of a model: weights, tokenizer, generation settings, recipe and record.

    Args:
        job: the training.
        prepared: for the tokenizer and what was read.
        model: with float32 weights.
        key: of the training.
        parent_identity: of the model that it started from.
        result: what else the record says: steps, times, last values.

    Raises:
        WriteError: it cannot be written; a model that was there stays.
    """
    folder = job.folder
    # A fixed name, so that what a killed process left is found and removed.
    unfinished = folder.with_name(f".{folder.name}.unfinished")
    with system_errors(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir()
        try:
            _fill(unfinished, job, prepared, model)
            record = _record(job, prepared, key, parent_identity) | dict(result)
            (unfinished / RECORD).write_text(
                json.dumps(record, ensure_ascii=False, indent=2) + "\n", encoding="utf-8"
            )
            for file in unfinished.iterdir():
                file.chmod(0o644)  # safetensors writes for its owner alone.
            _put(unfinished, folder)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)


def _fill(folder: Path, job: Job, prepared: Prepared, model: Any) -> None:
    if model.can_generate():
        model.generation_config = _generation_config(prepared)
    model.save_pretrained(folder, safe_serialization=True)
    prepared.tokenizer.save_pretrained(folder)
    shutil.copyfile(job.path, folder / "recipe.yaml")


def _generation_config(prepared: Prepared) -> Any:
    """Ends at the model's end tokens, else at the tokenizer's; padding is another token, or none.

    A saved configuration whose padding ends outputs makes other programs write nothing.
    """
    from transformers import GenerationConfig

    own, words = prepared.model.generation_config, prepared.tokenizer
    end = words.eos_token_id if own.eos_token_id is None else own.eos_token_id
    ends = [end] if isinstance(end, int) else list(end or ())
    pad = words.pad_token_id
    start = own.decoder_start_token_id
    return GenerationConfig(
        eos_token_id=end,
        pad_token_id=None if pad in ends else pad,
        **({} if start is None else {"decoder_start_token_id": start}),
    )


def _record(job: Job, prepared: Prepared, key: str, parent_identity: str | None) -> dict[str, Any]:
    reference: ModelReference | None = job.parent
    return {
        "key": key,
        "kind": job.recipe.kind,
        "seed": job.seed,
        "parent": job.recipe.parent,
        "parent_model": None if reference is None else parent_identity,
        "data": list(job.recipe.data.train or job.recipe.data.votes),
        "data_digest": prepared.fingerprint,
        "libraries": library_versions(),
        "recipe": job.recipe.model_dump(mode="json"),
    }


def _put(unfinished: Path, folder: Path) -> None:
    """Give a written folder its name, in the place of an older one."""
    old = folder.with_name(f".{folder.name}.old")
    if folder.exists():
        shutil.rmtree(old, ignore_errors=True)
        folder.rename(old)
    unfinished.rename(folder)
    shutil.rmtree(old, ignore_errors=True)
