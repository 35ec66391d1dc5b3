"""llama.cpp by its Python binding: one stream; rows come one after another."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from benchmarks.peers.common import Row, Running, longest, serve, unsupported_settings

KNOWN = ("temperature", "top_k", "top_p", "min_p", "repetition_penalty")


def start(job: dict[str, Any]) -> Running:
    """Load the bf16 GGUF file made from the same weights."""
    import llama_cpp

    context = longest(job["case"])
    llm = llama_cpp.Llama(
        model_path=job["model"]["gguf"],
        n_ctx=context,
        n_threads=job["threads"],
        n_threads_batch=job["threads"],
        last_n_tokens_size=context,  # The penalty sees all tokens, as elsewhere.
        verbose=False,
    )

    def generate(rows: Sequence[Row], new_tokens: int) -> list[list[int]]:
        outputs = []
        for row in rows:
            llm.set_seed(row.seed)
            stream = llm.generate(row.token_ids, **_settings(row))
            outputs.append(list(itertools.islice(stream, new_tokens)))
        return outputs

    return Running(
        generate,
        packages=("llama-cpp-python",),
        settings={"weights": "bf16 GGUF", "threads": job["threads"], "streams": 1},
        unsupported=[
            *unsupported_settings(job["case"], KNOWN),
            "the order of steps: temperature comes last",
        ],
    )


def _settings(row: Row) -> dict[str, Any]:
    return {
        "temp": row.decoding["temperature"],
        "top_k": int(row.decoding.get("top_k", 0)),
        "top_p": row.decoding.get("top_p", 1.0),
        "min_p": row.decoding.get("min_p", 0.0),
        "repeat_penalty": row.decoding.get("repetition_penalty", 1.0),
    }


if __name__ == "__main__":
    serve(start)
