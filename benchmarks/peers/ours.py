"""Ethogram's own engine, by its public interface."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmarks.peers.common import Row, Running, is_greedy, serve
from ethogram.engine import Engine
from ethogram.models import ModelReference, load
from ethogram.spec import Decoding, Request


def start(job: dict[str, Any]) -> Running:
    """Load the model in bf16; `options.engine` goes to the engine as it is."""
    import torch

    torch.set_num_threads(job["threads"])
    options = job["options"].get("engine", {})
    loaded = load(ModelReference(job["model"]["float32"], dtype="bfloat16"))
    engine = Engine(loaded, **options)

    def generate(rows: Sequence[Row], new_tokens: int) -> list[list[int]]:
        requests = [_request(row, str(number), new_tokens) for number, row in enumerate(rows)]
        found = {made.identity: made for made in engine.generate(requests)}
        for number, row in enumerate(rows):
            if list(found[str(number)].prompt_token_ids) != row.token_ids:
                raise ValueError(f"row {number} was tokenised in another way than for the peers")
        return [list(found[str(number)].token_ids) for number in range(len(rows))]

    return Running(
        generate,
        packages=("ethogram", "torch", "transformers"),
        settings={"dtype": "bfloat16", "end_of_sequence": "masked by min_new_tokens", **options},
        computed=lambda: (
            engine.work.computed_tokens + engine.work.prefills - engine.work.extra_beams
        ),
        memory=lambda: {
            "budget_bytes": engine.work.memory_budget,
            "slots_bytes": engine.work.slots_bytes,
        },
    )


def _request(row: Row, identity: str, new_tokens: int) -> Request:
    decoding = Decoding(
        max_new_tokens=new_tokens,
        min_new_tokens=new_tokens,
        **row.decoding,
    )
    key = None if is_greedy(row) else row.seed
    return Request(identity, identity, row.sample, row.text, decoding, key)


if __name__ == "__main__":
    serve(start)
