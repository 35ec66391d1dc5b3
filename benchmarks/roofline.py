"""What torch's matrix products alone allow: each one of the model's layers, timed in bf16.

Rows a second if nothing but these products took time: no attention, no norms, no sampling.
Run as a program, so that it has a process of its own as each peer has.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

#: Batches that are tried: an engine may split its rows as it likes, so the best one counts.
BATCHES = (1, 8, 48, 96, 192, 256, 384, 768)
#: A pass over all layers is repeated until this long has gone, at least thrice.
SECONDS = 2.0


def shapes(config: dict[str, Any]) -> list[tuple[int, int]]:
    """(in, out) of the products of one layer, those with the same input joined."""
    width, heads = config["hidden_size"], config["num_attention_heads"]
    head = config.get("head_dim") or width // heads
    inner = config["intermediate_size"]
    return [
        (width, (heads + 2 * config["num_key_value_heads"]) * head),
        (heads * head, width),
        (width, 2 * inner),
        (inner, width),
    ]


def measure(config: dict[str, Any], rows: int) -> float:
    """Seconds of one pass of this many rows: all layers with weights of their own, and the head."""
    import torch

    made = torch.bfloat16
    layer_shapes = shapes(config) * config["num_hidden_layers"]
    all_shapes = [*layer_shapes, (config["hidden_size"], config["vocab_size"])]
    weights = [torch.randn(out, wide, dtype=made) for wide, out in all_shapes]
    inputs = {wide: torch.randn(rows, wide, dtype=made) for wide, _ in all_shapes}
    times: list[float] = []
    with torch.inference_mode():
        while len(times) < 4 or sum(times) < SECONDS:
            begun = time.perf_counter()
            for weight in weights:
                torch.nn.functional.linear(inputs[weight.shape[1]], weight)
            times.append(time.perf_counter() - begun)
    return min(times)


def main() -> None:
    """Measure each batch up to the most rows of the job; write tokens a second by rows."""
    import torch

    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    torch.set_num_threads(job["threads"])
    config = json.loads((Path(job["model"]["bfloat16"]) / "config.json").read_text("utf-8"))
    most = max(job["sizes"])
    batches = sorted({rows for rows in BATCHES if rows <= most} | set(job["sizes"]))
    rates = {str(rows): rows / measure(config, rows) for rows in batches}
    Path(sys.argv[2]).write_text(json.dumps(rates), encoding="utf-8")


def best(rates: dict[str, float], rows: int) -> float:
    """The best rate of a batch that this many rows can fill."""
    return max(rate for batch, rate in rates.items() if int(batch) <= rows)


if __name__ == "__main__":
    main()
