"""ModelReference: the weights that a version names. Opens no file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True)
class ModelReference:
    """The model that a version names.

    Attributes:
        model: a built-in's name, a local folder, a GGUF file, or a hub id.
        revision: branch, tag or commit of a hub model; None means its main branch.
        adapter: a LoRA adapter on top: a local folder or a hub id.
        dtype: number format of the weights while running. float32 by default, the format in which
            results agree with the reference implementation token for token.
    """

    model: str
    revision: str | None = None
    adapter: str | None = None
    dtype: Literal["float32", "bfloat16"] = "float32"

    @classmethod
    def parse(
        cls, name: str, *, dtype: Literal["float32", "bfloat16"] = "float32"
    ) -> ModelReference:
        """A model named by one string: `org/name@revision` names a revision of a hub model."""
        model, at, revision = name.rpartition("@")
        if not at or looks_local(model) or Path(name).exists():
            return cls(name, dtype=dtype)
        return cls(model, revision=revision or None, dtype=dtype)

    @property
    def is_local(self) -> bool:
        """Whether `model` is a path of this machine."""
        return looks_local(self.model)


def looks_local(name: str) -> bool:
    """Whether a name is a path: it exists, or no hub id could look like it."""
    is_path = name.startswith(("/", "./", "../", "~")) or name.count("/") > 1
    return is_path or name.endswith((".gguf", ".safetensors")) or Path(name).exists()
