"""Times the sampler inside a running sweep: the compiled pass beside torch.

`python -m benchmarks.sampling` runs the first tokens of a sweep in bf16 twice, and prints how long
sampling took in a step either way. Histories are not merged, so every output has its own row.
"""

from __future__ import annotations

import argparse
import time
from statistics import median
from types import SimpleNamespace
from typing import Any

import torch

from benchmarks import workload
from ethogram.engine import Engine, native
from ethogram.engine import sampler as sampler_module
from ethogram.engine.sampler import Sampler
from ethogram.models import ModelReference, load
from ethogram.spec import Decoding, Request


def main() -> None:
    """Print the median milliseconds of a step by either way, and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=192, choices=sorted(workload.SHAPES))
    parser.add_argument("--new-tokens", type=int, default=12)
    options = parser.parse_args()
    loaded = load(ModelReference("smollm2-135m-instruct", dtype="bfloat16"), device="cpu")
    requests = sweep_requests(loaded, options.size, options.new_tokens)
    took = {}
    for way, kernels in (("compiled", native), ("torch", SimpleNamespace(library=lambda: None))):
        vars(sampler_module)["native"] = kernels
        took[way] = _times(Engine(loaded, merging=False), requests)
        print(f"{way}: median {took[way]:.1f} ms a step of {options.size} outputs")
    threads = torch.get_num_threads()
    print(f"torch / compiled: {took['torch'] / took['compiled']:.1f} on {threads} threads")


def sweep_requests(loaded: Any, size: int, new_tokens: int) -> list[Request]:
    case = workload.make_case(
        size, "short", new_tokens=new_tokens, encode=lambda text: loaded.tokenizer(text).input_ids
    )
    decodings = [Decoding(**one, max_new_tokens=new_tokens) for one in case["decodings"]]
    return [
        Request(
            str(number),
            f"p{row['prompt']}",
            row["sample"],
            case["prompts"][row["prompt"]]["text"],
            decodings[row["decoding"]],
            noise_key=row["seed"],
        )
        for number, row in enumerate(case["rows"])
    ]


def _times(engine: Engine, requests: list[Request]) -> float:
    """Median milliseconds of sampling in a decode step with all outputs in progress."""
    took: list[float] = []
    sample = Sampler.sample_tokens

    def timed(sampler: Sampler, groups: Any, rows: Any, logits: torch.Tensor) -> int:
        started = time.perf_counter()
        count = sample(sampler, groups, rows, logits)
        if count == len(requests) == len(logits):
            took.append(1000 * (time.perf_counter() - started))
        return count

    Sampler.sample_tokens = timed  # type: ignore[assignment, method-assign]
    try:
        list(engine.generate(requests))
    finally:
        Sampler.sample_tokens = sample  # type: ignore[method-assign]
    return median(took[1:])


if __name__ == "__main__":
    main()
