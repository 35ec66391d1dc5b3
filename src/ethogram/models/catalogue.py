"""Which models are available, their folders and their identities. Loads nothing."""

from __future__ import annotations

import difflib
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ethogram.cache import build_once
from ethogram.errors import ModelError
from ethogram.models import hub, transfer
from ethogram.models.builtin import BUILT_INS, ENCODERS, BuiltIn, BuiltInEncoder, ensure
from ethogram.models.checkpoint import check_model_folder, folder_digest, read_json
from ethogram.models.gguf import CONVERSION, check_gguf, conversion_of, convert, gguf_digest
from ethogram.models.reference import ModelReference, looks_local
from ethogram.objects import is_address


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A line of `ethogram models`.

    Attributes:
        name: what to write as `model:`, or as `scoring: {encoder: …}`.
        kind: built-in, built-in encoder, or in the local hub cache.
        ready: whether it can be loaded without a network.
        origin: where it comes from.
        path: its folder; None if it is not downloaded.
        sha256: pinned digest of the published file, of built-ins.
        licence: SPDX name, of built-ins.
    """

    name: str
    kind: Literal["built-in", "encoder", "hub"]
    ready: bool
    origin: str
    path: str | None = None
    sha256: str | None = None
    licence: str | None = None

    def __str__(self) -> str:
        state = "ready" if self.ready else f"not downloaded: ethogram pull {self.name}"
        return f"{self.name}  {self.kind}, {state}  ({self.origin})"


def available() -> list[ModelInfo]:
    """Built-in models, fetched or not, and the hub models in the local cache."""
    built_ins: list[BuiltIn | BuiltInEncoder] = [*BUILT_INS.values(), *ENCODERS.values()]
    infos = [
        ModelInfo(
            name=model.name,
            kind="built-in" if model.name in BUILT_INS else "encoder",
            ready=model.path.is_dir(),
            origin=model.origin,
            path=str(model.path) if model.path.is_dir() else None,
            sha256=model.sha256,
            licence=model.licence,
        )
        for model in built_ins
    ]
    infos += [
        ModelInfo(model.name, "hub", True, f"commit {model.path.name[:12]}", str(model.path))
        for model in hub.cached()
    ]
    return infos


def pull(name: str, revision: str | None = None, *, to: str | Path | None = None) -> Path:
    """Fetch a model, verify it, and make it ready to load.

    Args:
        name: a built-in's name, a hub id, or an address of object storage (`s3://…`).
        revision: branch, tag or commit of a hub model.
        to: for an address, the new folder, or for a GGUF file the folder that it goes into;
            default `models/NAME` of the study in the current folder.

    Returns:
        Its folder; its file, if it is a GGUF file at an address.

    Raises:
        ModelError: it cannot be fetched, or is damaged.
        BackendError: the object storage cannot be read.
        MissingExtraError: an address without the extra `objects`.
    """
    if is_address(name):
        if revision is not None:
            raise ModelError("an address has no revisions", where="--revision")
        return transfer.fetch(name, None if to is None else Path(to))
    if to is not None:
        raise ModelError(
            f"{name} is not an address; built-in and hub models are kept in the cache",
            where="--to",
            hint="leave it out",
        )
    built_in = BUILT_INS.get(name) or ENCODERS.get(name)
    if built_in is not None:
        return ensure(built_in)
    if looks_local(name):
        return locate(ModelReference(name))
    if not hub.is_hub_id(name):
        raise _unknown(name)
    folder = hub.fetch(name, revision, suggestion=_near_built_in(name))
    check_model_folder(folder)
    return folder


def locate(reference: ModelReference) -> Path:
    """The folder to load a reference's model from; built-ins are fetched, GGUF files converted.

    Raises:
        ModelError: it is not downloaded, or damaged.
    """
    name = reference.model
    built_in = BUILT_INS.get(name) or ENCODERS.get(name)
    if built_in is not None:
        folder = ensure(built_in)
    elif reference.is_local:
        path = Path(name).expanduser()
        if path.suffix == ".gguf":
            folder = build_once(
                f"gguf-{gguf_digest(path)[:16]}-c{CONVERSION}", lambda target: convert(path, target)
            )
        else:
            folder = path
    else:
        folder = _hub_folder(name, reference.revision)
    check_model_folder(folder)
    return folder


def locate_adapter(reference: ModelReference) -> Path | None:
    """The folder of a reference's LoRA adapter, if it has one.

    Raises:
        ModelError: it is not downloaded.
    """
    if reference.adapter is None:
        return None
    if looks_local(reference.adapter):
        folder = Path(reference.adapter).expanduser()
        if not folder.is_dir():
            raise ModelError("adapter folder not found", where=str(folder))
        return folder
    return hub.snapshot(reference.adapter, None)


def identity(reference: ModelReference) -> str:
    """The key of a model's generations: equal strings mean equal weights and tokenizer.

    Built-ins need not be fetched. A hub model is identified by its commit, a local folder or file
    by the digest of its content, so a model trained again under the same path is another one.

    Raises:
        ModelError: the model is not on this machine.
    """
    parts = [weights_identity(reference), reference.dtype]
    adapter = locate_adapter(reference)
    if adapter is not None:
        parts.append(f"adapter:{folder_digest(adapter, stem='adapter_model')}")
    return "+".join(parts)


def weights_identity(reference: ModelReference) -> str:
    """Identity of a model's weights, independent of the number format that they run in.

    Raises:
        ModelError: the model is not on this machine.
    """
    name = reference.model
    built_in = BUILT_INS.get(name) or ENCODERS.get(name)
    if built_in is not None:
        return built_in.identity
    if reference.is_local:
        path = Path(name).expanduser()
        if path.suffix == ".gguf":
            return f"gguf:{gguf_digest(path)}#c{conversion_of(path)}"
        check_model_folder(path)
        return f"local:{folder_digest(path)}"
    revision = reference.revision or ""
    if len(revision) == hashlib.sha1().digest_size * 2 and hub.is_hub_id(name):
        return f"hub:{name}@{revision}"  # A whole commit needs no look at the cache.
    return f"hub:{name}@{_hub_folder(name, reference.revision).name}"


def chat_template(reference: ModelReference) -> str:
    """The source of a model's chat template, read without loading its tokenizer.

    Returns:
        Empty where it has none, and of built-ins, whose templates are known to be plain.

    Raises:
        ModelError: the model's files cannot be read.
    """
    name = reference.model
    if name in BUILT_INS or name in ENCODERS:
        return ""
    path = Path(name).expanduser()
    if not reference.is_local:
        try:
            path = _hub_folder(name, reference.revision)
        except ModelError:
            return ""  # Not on this machine: its stored outputs can be read all the same.
    if path.suffix == ".gguf":
        return str(check_gguf(path).get("tokenizer.chat_template", ""))
    file = path / "chat_template.jinja"
    if file.is_file():
        return file.read_text(encoding="utf-8", errors="replace")
    settings = path / "tokenizer_config.json"
    return str(read_json(settings).get("chat_template") or "") if settings.is_file() else ""


def _hub_folder(name: str, revision: str | None) -> Path:
    if not hub.is_hub_id(name):
        raise _unknown(name)
    return hub.snapshot(name, revision, suggestion=_near_built_in(name))


def _near_built_in(name: str) -> str:
    close = difflib.get_close_matches(name, [*BUILT_INS, *ENCODERS], n=1)
    return f" (did you mean the built-in {close[0]}?)" if close else ""


def _unknown(name: str) -> ModelError:
    return ModelError(
        f"{name!r} is not a built-in model, an existing path or a hub id",
        where="model",
        hint=f"built-in models: {', '.join([*BUILT_INS, *ENCODERS])}",
    )
