"""OpenVINO GenAI's continuous batching pipeline: a generation configuration for each request."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.peers.common import (
    Row,
    Running,
    is_greedy,
    kv_cache_bytes,
    serve,
    unsupported_settings,
)

KNOWN = ("temperature", "top_k", "top_p", "min_p", "repetition_penalty")
#: OpenVINO's block of cached tokens on CPUs.
BLOCK = 32
MOST_TOKENS_A_STEP = 2048


def start(job: dict[str, Any]) -> Running:
    """Compile the model: bf16 where the CPU has it, which is what the plug-in chooses itself."""
    import openvino as ov
    import openvino_genai as genai

    most = min(len(job["case"]["rows"]), job["options"]["max_num_seqs"])
    scheduler = genai.SchedulerConfig()
    scheduler.max_num_seqs = most
    scheduler.max_num_batched_tokens = MOST_TOKENS_A_STEP
    scheduler.enable_prefix_caching = True
    scheduler.cache_size = -(-kv_cache_bytes(job, most + 8, block=BLOCK) // (1 << 30))
    properties = {
        "INFERENCE_NUM_THREADS": job["threads"],
        "PERFORMANCE_HINT": "LATENCY",
        **job["options"].get("properties", {}),
    }
    folder = exported(Path(job["model"]["float32"]), Path(job["cache"]))
    pipe = genai.ContinuousBatchingPipeline(str(folder), scheduler, "CPU", properties)

    def generate(rows: Sequence[Row], new_tokens: int) -> list[list[int]]:
        groups = _requests(rows)
        found = pipe.generate(
            [ov.Tensor(_ids(rows[group[0]])) for group in groups],
            [_config(rows[group[0]], new_tokens, len(group)) for group in groups],
        )
        outputs: list[list[int]] = [[] for _ in rows]
        for group, result in zip(groups, found, strict=True):
            for index, ids in zip(group, result.m_generation_ids, strict=True):
                outputs[index] = list(ids)
        return outputs

    return Running(
        generate,
        packages=("openvino-genai", "openvino", "optimum-intel"),
        settings={
            "properties": properties,
            "precision": _precision(folder),
            "max_num_seqs": most,
            "max_num_batched_tokens": MOST_TOKENS_A_STEP,
            "prefix_caching": True,
            "samples": "one request with num_return_sequences for the samples of one prompt",
        },
        unsupported=[
            *unsupported_settings(job["case"], KNOWN),
            *job["options"].get("approximations", []),
        ],
    )


def exported(source: Path, cache: Path) -> Path:
    """The model as OpenVINO IR, made once by optimum-intel from the float32 weights."""
    folder = cache / "openvino-ir"
    if not (folder / "openvino_model.xml").is_file():
        command = Path(sys.executable).parent / "optimum-cli"
        subprocess.run(
            [
                *(command, "export", "openvino", "--model", source),
                *("--task", "text-generation-with-past", "--weight-format", "fp32", folder),
            ],
            check=True,
        )
    return folder


def _precision(folder: Path) -> str:
    """What the plug-in computes in, as it says itself."""
    import openvino as ov

    compiled = ov.Core().compile_model(str(folder / "openvino_model.xml"), "CPU")
    return str(compiled.get_property("INFERENCE_PRECISION_HINT").to_string())


def _requests(rows: Sequence[Row]) -> list[list[int]]:
    """Rows of one prompt and one decoding make one request; greedy ones cannot be several."""
    groups: dict[tuple[Any, ...], list[int]] = {}
    for index, row in enumerate(rows):
        apart = index if is_greedy(row) else None
        key = (tuple(row.token_ids), tuple(sorted(row.decoding.items())), apart)
        groups.setdefault(key, []).append(index)
    return list(groups.values())


def _ids(row: Row) -> Any:
    import numpy as np

    return np.array([row.token_ids], dtype=np.int64)


def _config(row: Row, new_tokens: int, samples: int) -> Any:
    import openvino_genai as genai

    settings: dict[str, Any] = {name: row.decoding[name] for name in KNOWN if name in row.decoding}
    if is_greedy(row):
        settings.pop("temperature")
    else:
        settings |= {
            "do_sample": True,
            "rng_seed": row.seed,
            "num_return_sequences": samples,
        }
    return genai.GenerationConfig(
        max_new_tokens=new_tokens, ignore_eos=True, apply_chat_template=False, **settings
    )


if __name__ == "__main__":
    serve(start)
