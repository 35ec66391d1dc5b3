"""Decode steps of the fused model beside those of transformers, in one run, without sampling.

    python -m benchmarks.forward --dtype bfloat16 --rows 1,48,192 --context 100

Prints a table of steps, what the kernels took of one, and prompts; with `--generate` also the
rate of transformers' own `generate` for one greedy row.
"""

from __future__ import annotations

import argparse
import time
from statistics import median
from typing import Any

import torch

from ethogram.engine.forward.decoder_only import DecoderOnly
from ethogram.engine.forward.fused import FusedLlama, fuse
from ethogram.engine.memory import keep_large_blocks
from ethogram.engine.native.layer_kernels import KINDS
from ethogram.models import ModelReference, load

STEPS, WARM_UP = 6, 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="smollm2-135m-instruct")
    parser.add_argument("--dtype", default="bfloat16", choices=("bfloat16", "float32"))
    parser.add_argument("--rows", default="1,48,192")
    parser.add_argument("--context", type=int, default=100, help="tokens that each row has seen")
    parser.add_argument("--prompts", default="20,100,800", help="lengths of prompts to read")
    parser.add_argument("--generate", action="store_true")
    options = parser.parse_args()
    keep_large_blocks()
    loaded = load(ModelReference(options.model, dtype=options.dtype))
    fused = fuse(loaded.model)
    if fused is None:
        raise SystemExit("this model or processor has no fused form; see the log")
    with torch.inference_mode():
        _steps(loaded, fused, _numbers(options.rows), options.context)
        _prompts(loaded, fused, _numbers(options.prompts))
        if options.generate:
            _generate(loaded, options.context)


def _numbers(text: str) -> list[int]:
    return [int(number) for number in text.split(",")]


def _tokens(count: int) -> list[int]:
    generator = torch.Generator().manual_seed(count)
    return torch.randint(100, 40_000, (count,), generator=generator).tolist()


def _steps(loaded: Any, fused: FusedLlama, sizes: list[int], context: int) -> None:
    print("rows | fused ms | rows/s | transformers ms | ratio |", " | ".join(KINDS), "| rest")
    for rows in sizes:
        ours, theirs = _filled(loaded, fused, rows, context), _filled(loaded, None, rows, context)
        # Turn by turn, so that a slow moment of the machine strikes both.
        times: dict[str, list[float]] = {"ours": [], "theirs": []}
        for step in range(STEPS + WARM_UP):
            for name, forward in (("ours", ours), ("theirs", theirs)):
                times[name].append(_seconds(forward, rows, context + step))
        mine, other = (median(taken[WARM_UP:]) * 1e3 for taken in times.values())
        print(
            f"{rows} | {mine:.1f} | {rows / mine * 1e3:.0f} | {other:.1f} | {other / mine:.2f} |",
            _shares(fused, ours, rows, context + STEPS + WARM_UP),
            flush=True,
        )


def _shares(fused: FusedLlama, forward: DecoderOnly, rows: int, place: int) -> str:
    """Milliseconds of a step by kind of work, and what is left: Python and the embedding."""
    if not fused.is_row_independent:
        return "not watched where torch multiplies"
    fused.compiled.watch()
    total = _seconds(forward, rows, place)
    spent = fused.compiled.watch()
    fused.compiled.seconds = None
    rest = total - sum(spent.values())
    return " | ".join(f"{seconds * 1e3:.2f}" for seconds in (*spent.values(), rest))


def _filled(loaded: Any, fused: FusedLlama | None, rows: int, context: int) -> DecoderOnly:
    forward = DecoderOnly(loaded, rows, fused)
    prompt = forward.prefill(_tokens(context))
    for row in range(rows):
        forward.fill(row, prompt)
    return forward


def _seconds(forward: DecoderOnly, rows: int, place: int) -> float:
    begun = time.perf_counter()
    forward.decode(_tokens(rows), [place] * rows)
    return time.perf_counter() - begun


def _prompts(loaded: Any, fused: FusedLlama, lengths: list[int]) -> None:
    print("prompt tokens | fused ms | transformers ms | ratio")
    for length in lengths:
        ids, taken = _tokens(length), []
        for forward in (DecoderOnly(loaded, 1, fused), DecoderOnly(loaded, 1)):
            times = []
            for _ in range(3):
                begun = time.perf_counter()
                forward.prefill(ids)
                times.append(time.perf_counter() - begun)
            taken.append(min(times) * 1e3)
        print(f"{length} | {taken[0]:.1f} | {taken[1]:.1f} | {taken[1] / taken[0]:.2f}", flush=True)


def _generate(loaded: Any, context: int) -> None:
    ids = torch.tensor([_tokens(context)])
    settings = {"do_sample": False, "attention_mask": torch.ones_like(ids), "pad_token_id": 0}
    taken = {}
    for new in (2, 34):  # Two lengths, so that the prompt cancels out.
        begun = time.perf_counter()
        loaded.model.generate(ids, max_new_tokens=new, min_new_tokens=new, **settings)
        taken[new] = time.perf_counter() - begun
    print(f"transformers generate, one row: {32 / (taken[34] - taken[2]):.1f} tokens/s")


if __name__ == "__main__":
    main()
