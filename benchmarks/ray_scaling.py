"""Ray: generation with one worker and with two, each with a core and a thread of its own.

    python -m benchmarks.ray_scaling --repeats 3

Workers are started and their models loaded before the clock runs. Efficiency is the time of one
worker, divided by the workers and by their time. It is given by the clock, and by processor time:
that of one worker, divided by the workers and by the most that one of them took. The second also
holds on a machine that does other things meanwhile. Outputs are compared token for token.
"""

from __future__ import annotations

import argparse
import json
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import psutil

from benchmarks.machine import commit, describe
from benchmarks.prompts import SHORT
from ethogram.backends.ray_backend import RayBackend, Setup
from ethogram.cluster import Placement, connected
from ethogram.models import ModelReference, identity
from ethogram.spec import Request, Suite, SuitePrompt, Version, make_requests
from ethogram.study.pools import Pool, pool_backend

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results" / "ray.json"
MODEL = "smollm2-135m-instruct"


def main() -> None:
    options = _options()
    requests = requests_of(options.outputs, options.tokens)
    record: dict[str, Any] = {"machine": describe(), "commit": commit(ROOT)}
    record |= {"model": MODEL, "outputs": options.outputs, "tokens": options.tokens}
    times: dict[int, list[float]] = {count: [] for count in (1, options.workers)}
    busiest: dict[int, list[float]] = {count: [] for count in times}
    outputs: dict[int, dict[str, tuple[int, ...]]] = {}
    for _ in range(options.repeats):
        for count in times:
            seconds, cpu, made = timed(count, requests, options.rows)
            busiest[count].append(round(cpu, 3))
            times[count].append(round(seconds, 3))
            outputs[count] = made
            print(f"{count} workers: {seconds:.2f} s, busiest {cpu:.2f} s of CPU", flush=True)
    one, many = (median(times[count]) for count in times)
    one_cpu, most_cpu = (median(busiest[count]) for count in times)
    record |= {
        "rows": options.rows,
        "workers": options.workers,
        "seconds": {
            str(count): [round(each, 3) for each in found] for count, found in times.items()
        },
        "tokens_per_second": sum(map(len, outputs[1].values())) / one,
        "efficiency": one / options.workers / many,
        "busiest_cpu_seconds": {str(count): found for count, found in busiest.items()},
        "efficiency_by_cpu": one_cpu / options.workers / most_cpu,
        "same_tokens": outputs[1] == outputs[options.workers],
    }
    print(
        json.dumps(
            {name: record[name] for name in ("efficiency", "efficiency_by_cpu", "same_tokens")}
        )
    )
    options.output.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--outputs", type=int, default=384)
    parser.add_argument("--tokens", type=int, default=32)
    parser.add_argument("--rows", type=int, default=48, help="outputs in progress, each worker")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--output", type=Path, default=RESULTS)
    return parser.parse_args()


def requests_of(outputs: int, tokens: int) -> list[Request]:
    """Sampled requests; several samples of each prompt."""
    texts = [f"{text} number {i}" for i in range(1, 13) for text in SHORT]
    version = Version(decoding={"strategy": "sample", "temperature": 0.8, "max_new_tokens": tokens})
    suite = Suite(prompts=tuple(SuitePrompt(id=str(i), text=text) for i, text in enumerate(texts)))
    samples = -(-outputs // len(texts))
    weights = identity(ModelReference(MODEL))
    return make_requests(version, suite, samples=samples, seed=1, model_identity=weights)[:outputs]


def timed(
    workers: int, requests: list[Request], rows: int
) -> tuple[float, float, dict[str, tuple[int, ...]]]:
    """Seconds of generation, processor time of the busiest worker, tokens of each request."""
    from ethogram import __version__

    reference = ModelReference(MODEL)
    make = partial(pool_backend, rows, Pool(reference, None, "engine"))
    weights = [(partial(identity, reference), MODEL, identity(reference))]
    with connected(Placement(None, workers=workers, threads=1)) as cluster:
        backend = RayBackend(cluster, Setup(make, weights, __version__))
        try:
            for _ in backend.generate(requests[: 16 * workers]):
                pass  # Loads the models and compiles what is compiled once.
            generations = backend.generate(requests)  # Checked by now.
            before, started = cpu_seconds(), time.perf_counter()
            made = {each.identity: each.token_ids for each in generations}
            seconds, after = time.perf_counter() - started, cpu_seconds()
            return seconds, max(after[pid] - before.get(pid, 0.0) for pid in after), made
        finally:
            backend.close()


def cpu_seconds() -> dict[int, float]:
    """Processor time of each worker so far."""
    found = {}
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error, IndexError):
            if process.cmdline()[0].startswith("ray::Worker"):
                times = process.cpu_times()
                found[process.pid] = times.user + times.system
    return found


if __name__ == "__main__":
    main()
