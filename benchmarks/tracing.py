"""What a trace costs: the same sweep with and without one, in turns.

    python -m benchmarks.tracing --sizes 48,192

Runs in bf16, whole runs by the clock, merging as in use; prints the ratio of the best of each.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence

from benchmarks.sampling import sweep_requests
from ethogram.engine import Engine
from ethogram.models import ModelReference, load
from ethogram.spec import Request


def main() -> None:
    """Print seconds without and with a trace, and what the trace adds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", default="48,192", help="outputs, with commas between")
    parser.add_argument("--new-tokens", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    loaded = load(ModelReference("smollm2-135m-instruct", dtype="bfloat16"), device="cpu")
    engine = Engine(loaded)
    for size in (int(size) for size in options.sizes.split(",")):
        requests = sweep_requests(loaded, size, options.new_tokens)
        _run(engine, requests, trace=True)  # Warms up.
        took: dict[bool, list[float]] = {False: [], True: []}
        for _ in range(options.repeats):
            for trace, seconds in took.items():
                seconds.append(_run(engine, requests, trace=trace))
        plain, traced = min(took[False]), min(took[True])
        more = traced / plain - 1
        print(f"{size} outputs: {plain:.2f} s, traced {traced:.2f} s: {more:+.1%}", flush=True)


def _run(engine: Engine, requests: Sequence[Request], *, trace: bool) -> float:
    begun = time.perf_counter()
    made = list(engine.generate(requests, trace=trace))
    seconds = time.perf_counter() - begun
    assert len(made) == len(requests)
    return seconds


if __name__ == "__main__":
    main()
