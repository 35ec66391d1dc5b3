"""What all peers share: reading the job, timing, memory, writing the result. Standard library only.

A peer is a module with a function `start(job) -> Running`, run as

    python -m benchmarks.peers.NAME JOB.json RESULT.json

by the Python of its own environment.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import resource
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

#: Warming up is for caches of kernels and pages, not for results: few rows, few tokens.
WARM_UP_ROWS = 4
WARM_UP_TOKENS = 8


@dataclass(frozen=True, slots=True)
class Row:
    """One output to make."""

    text: str
    token_ids: list[int]
    decoding: dict[str, float]
    sample: int
    seed: int


@dataclass(slots=True)
class Running:
    """A loaded engine.

    Attributes:
        generate: rows and a number of new tokens to the new token ids of each row, in order.
        packages: whose versions are recorded.
        settings: what was set, as recorded.
        unsupported: settings of the workload that the engine lacks or approximates.
        computed: rows that the model computed for the last call, if the engine counts them.
        memory: bytes that the last call's cache was allowed and took, if the engine says.
    """

    generate: Callable[[Sequence[Row], int], list[list[int]]]
    packages: Sequence[str]
    settings: dict[str, Any] = field(default_factory=dict)
    unsupported: list[str] = field(default_factory=list)
    computed: Callable[[], int | None] = lambda: None
    memory: Callable[[], dict[str, int] | None] = lambda: None


def serve(start: Callable[[dict[str, Any]], Running]) -> None:
    """Load, warm up, measure once, write the result."""
    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    begun = time.perf_counter()
    running = start(job)
    load_seconds = time.perf_counter() - begun
    result = measure(running, job)
    result["load_seconds"] = load_seconds
    Path(sys.argv[2]).write_text(json.dumps(result), encoding="utf-8")


def measure(running: Running, job: dict[str, Any]) -> dict[str, Any]:
    """Time the generation of a job's rows, and nothing else."""
    case = job["case"]
    rows, new_tokens = expand(case), case["new_tokens"]
    with PeakMemory() as memory:
        running.generate(warm_up_rows(case, rows), min(WARM_UP_TOKENS, new_tokens))
        _await_others(job)
        begun, worked = time.perf_counter(), time.process_time()
        outputs = running.generate(rows, new_tokens)
        seconds, cpu_seconds = time.perf_counter() - begun, time.process_time() - worked
    return {
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
        "rows_run": len(rows),
        "delivered_tokens": sum(len(ids) for ids in outputs),
        "computed_tokens": running.computed(),
        "first_token_seconds": _first_token(running, case, rows[0]) if len(rows) == 1 else None,
        "peak_memory_bytes": max(memory.peak_before, memory.peak),
        "loaded_memory_bytes": memory.resident_before,
        "generation_peak_bytes": memory.peak,
        "memory": running.memory(),
        "versions": versions(running.packages),
        "settings": running.settings,
        "unsupported": running.unsupported,
        "greedy": {str(r.seed): ids for r, ids in zip(rows, outputs, strict=True) if is_greedy(r)},
        "example": outputs[-1],
    }


def _await_others(job: dict[str, Any]) -> None:
    """Where several are measured at once, begin when all are ready: each leaves a file."""
    if "together" in job:
        folder = Path(job["together"]["folder"])
        (folder / str(os.getpid())).touch()
        while len(list(folder.iterdir())) < job["together"]["count"]:
            time.sleep(0.01)


def _first_token(running: Running, case: dict[str, Any], row: Row) -> float:
    """Seconds to the first token of another prompt of the same kind, which no cache has seen."""
    prompt = case["first_token"]
    fresh = Row(prompt["text"], prompt["token_ids"], *_rest(row))
    begun = time.perf_counter()
    running.generate([fresh], 1)
    return time.perf_counter() - begun


def _rest(row: Row) -> tuple[dict[str, float], int, int]:
    return row.decoding, row.sample, row.seed


def expand(case: dict[str, Any]) -> list[Row]:
    """The rows of a case, with their prompts and decodings in place."""
    return [
        Row(
            text=case["prompts"][row["prompt"]]["text"],
            token_ids=case["prompts"][row["prompt"]]["token_ids"],
            decoding=case["decodings"][row["decoding"]],
            sample=row["sample"],
            seed=row["seed"],
        )
        for row in case["rows"]
    ]


def warm_up_rows(case: dict[str, Any], rows: Sequence[Row]) -> list[Row]:
    """Rows with a prompt of their own and the decodings of the case."""
    prompt = case["warm_up"]
    chosen = rows[:: max(1, len(rows) // WARM_UP_ROWS)][:WARM_UP_ROWS]
    return [Row(prompt["text"], prompt["token_ids"], *_rest(row)) for row in chosen]


def is_greedy(row: Row) -> bool:
    """Whether the output is the same for every seed."""
    return row.decoding["temperature"] == 0


def unsupported_settings(case: dict[str, Any], known: Sequence[str]) -> list[str]:
    """Settings that some decoding of the case has and the engine does not know."""
    used = {name for decoding in case["decodings"] for name in decoding}
    return sorted(used - set(known))


def longest(case: dict[str, Any]) -> int:
    """Most tokens of prompt and output together."""
    prompts = [*case["prompts"], case["first_token"], case["warm_up"]]
    return max(len(prompt["token_ids"]) for prompt in prompts) + case["new_tokens"]


def kv_cache_bytes(job: dict[str, Any], rows: int, *, block: int) -> int:
    """What a bf16 cache needs for this many rows at their longest, in whole blocks."""
    config = json.loads(
        (Path(job["model"]["bfloat16"]) / "config.json").read_text(encoding="utf-8")
    )
    blocks = -(-longest(job["case"]) // block) + 1
    width = 2 * config["num_key_value_heads"] * config["head_dim"] * 2
    return int(rows * blocks * block * config["num_hidden_layers"] * width)


def versions(packages: Sequence[str]) -> dict[str, str]:
    """Of what was measured, as installed."""
    return {name: importlib.metadata.version(name) for name in packages}


class PeakMemory:
    """Resident memory of this process and its living children while a block runs.

    Linux resets the peak on request (proc_pid_clear_refs(5)); elsewhere memory is sampled. Pages
    that processes share are counted more than once.

    Attributes:
        resident_before: bytes at the start of the block.
        peak_before: the peak up to the start of the block.
        peak: the peak within the block.
    """

    #: Seconds between samples, shorter than a step of a large batch.
    interval = 0.01

    def __enter__(self) -> PeakMemory:
        self.resident_before, self.peak_before = memory_bytes("VmRSS"), memory_bytes("VmHWM")
        self.peak = self.resident_before
        self._stop = threading.Event()
        self._sampler: threading.Thread | None = None
        if not _forget_peaks():
            self._sampler = threading.Thread(target=self._sample, daemon=True)
            self._sampler.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        if self._sampler is None:
            self.peak = max(self.peak, memory_bytes("VmHWM"))
        else:
            self._sampler.join()

    def _sample(self) -> None:
        while True:
            self.peak = max(self.peak, memory_bytes("VmRSS"))
            if self._stop.wait(self.interval):
                return


def memory_bytes(field: str) -> int:
    """Resident memory now (VmRSS) or at its peak (VmHWM), of this process and living children.

    On other systems than Linux only the peak of this process is seen.
    """
    try:
        return sum(_memory_of(pid, field) for pid in _family())
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _forget_peaks() -> bool:
    """Whether the peaks of all these processes now are what they hold."""
    try:
        for pid in _family():
            Path(f"/proc/{pid}/clear_refs").write_text("5")
    except OSError:
        return False
    return True


def _family() -> list[int]:
    children: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(path.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        children.setdefault(parent, []).append(int(path.parent.name))
    own = int(Path("/proc/self").readlink().name)
    found, waiting = [], [own]
    while waiting:
        found.append(waiting.pop())
        waiting += children.get(found[-1], [])
    return found


def _memory_of(pid: int, field: str) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(field)), 0)
