"""vLLM on the CPU: continuous batching, sampling parameters for each request.

Requests have no seeds of their own: with them vLLM draws row by row, which is slower.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.peers.common import (
    Row,
    Running,
    kv_cache_bytes,
    longest,
    serve,
    unsupported_settings,
)

KNOWN = ("temperature", "top_k", "top_p", "min_p", "repetition_penalty")
#: vLLM's block of cached tokens on CPUs (`vllm/platforms/cpu.py`).
BLOCK = 128


def start(job: dict[str, Any]) -> Running:
    """Load the model in bf16; prefix caching is on, as by default."""
    from vllm import LLM, SamplingParams

    most = min(len(job["case"]["rows"]), job["options"]["max_num_seqs"])
    llm = LLM(
        model=job["model"]["bfloat16"],
        dtype="bfloat16",
        max_model_len=longest(job["case"]),
        max_num_seqs=most,
        kv_cache_memory_bytes=kv_cache_bytes(job, most + 8, block=BLOCK),
    )

    def generate(rows: Sequence[Row], new_tokens: int) -> list[list[int]]:
        prompts = [{"prompt_token_ids": row.token_ids} for row in rows]
        params = [
            SamplingParams(
                max_tokens=new_tokens,
                ignore_eos=True,
                detokenize=False,
                **{name: value for name, value in row.decoding.items() if name in KNOWN},
            )
            for row in rows
        ]
        found = llm.generate(prompts, params, use_tqdm=False)
        return [list(output.outputs[0].token_ids) for output in found]

    return Running(
        generate,
        packages=job["options"]["packages"],
        settings={
            "dtype": "bfloat16",
            "max_num_seqs": most,
            "prefix_caching": True,
            "environment": {
                name: value
                for name, value in os.environ.items()
                if name in ("VLLM_CPU_OMP_THREADS_BIND", "VLLM_ENABLE_V1_MULTIPROCESSING")
            },
            "preloaded": [Path(p).name for p in os.environ.get("LD_PRELOAD", "").split(":") if p],
        },
        unsupported=unsupported_settings(job["case"], KNOWN),
    )


if __name__ == "__main__":
    serve(start)
