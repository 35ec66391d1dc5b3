"""`make bench-train`: tokens per CPU-second beside plain trainers, in turns; the worst turn counts.

One thread each, so that a figure is CPU time and other programs hardly disturb the ratio; then ours
once more with the threads that its probe chooses, for the time on the clock.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from typing import Any, Self

from benchmarks.train.rows import Row, rows

#: Least share of the matrix-product peak, of the faster number format, that pretraining reaches.
MFU_BAR = 0.55
#: The bars are for processors whose bfloat16 products are this much faster than those of float32:
#: elsewhere a default Trainer is already too near the peak.
HALF_PAYS = 1.5


@dataclass
class Running:
    """A contender's process.

    Attributes:
        name: of the contender.
        tokens: of a step.
        flop: of a token.
        turns: tokens per CPU-second, and per second, of each turn.
    """

    name: str
    threads: int = 1
    tokens: float = 0.0
    flop: float = 0.0
    peak_bytes: float = 0.0
    turns: list[tuple[float, float]] = field(default_factory=list)

    def __enter__(self) -> Self:
        environment = os.environ | {"OMP_NUM_THREADS": str(self.threads)}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.train.contender", self.name, str(self.threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
        )
        about = self._read()
        self.tokens, self.flop = about["tokens"], about["flop"]
        self._read()  # The first step.
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(60)

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout
        for line in self._process.stdout:
            if line.startswith("@"):
                found: dict[str, Any] = json.loads(line[1:])
                return found
        raise RuntimeError(f"{self.name} ended with code {self._process.wait()}")

    def turn(self, steps: int) -> None:
        """Take some steps and note their speed."""
        assert self._process.stdin
        self._process.stdin.write(f"{steps}\n")
        self._process.stdin.flush()
        spent = self._read()
        tokens = steps * self.tokens
        self.turns.append((tokens / spent["cpu_seconds"], tokens / spent["seconds"]))
        self.peak_bytes = spent["peak_bytes"]


def compare(row: Row, steps: int, turns: int, peak: float) -> dict[str, Any]:
    """Run the two contenders of a row in turns."""
    with Running(row.theirs) as theirs, Running(row.ours) as ours:
        for _ in range(turns):
            theirs.turn(steps)
            ours.turn(steps)
    ratios = [mine[0] / other[0] for mine, other in zip(ours.turns, theirs.turns, strict=True)]
    speed = min(mine[0] for mine in ours.turns)
    return {
        "row": row.name,
        "ratio": min(ratios),
        "ratios": ratios,
        "bar": row.bar,
        "ours": speed,
        "theirs": max(other[0] for other in theirs.turns),
        "wall_ratio": min(m[1] / o[1] for m, o in zip(ours.turns, theirs.turns, strict=True)),
        "mfu": speed * ours.flop / peak,
        "peak_bytes": ours.peak_bytes,
        "their_peak_bytes": theirs.peak_bytes,
    }


def peak_flops(dtype: str) -> float:
    """The matrix-product peak of one thread in a number format of torch."""
    code = (
        "import torch; torch.set_num_threads(1); from ethogram.train.fast.peak import gemm_peak; "
        f"print(gemm_peak(torch.{dtype}, seconds=2))"
    )
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    printed = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environment
    )
    return float(printed.stdout)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=8, help="of a turn")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--only", default="", help="rows whose name begins so")
    wanted = parser.parse_args()
    half, full = peak_flops("bfloat16"), peak_flops("float32")
    peak, passed, barred = max(half, full), True, half >= HALF_PAYS * full
    print(
        f"matrix products, 1 thread: bfloat16 {half / 1e9:.0f}, float32 {full / 1e9:.0f} GFLOP/s"
        + ("" if barred else "; bfloat16 does not pay here, so ratios have no bar")
    )
    print(f"{'row':<38}{'ratio':>7}{'bar':>6}{'wall':>7}{'tok/CPU-s':>11}{'MFU':>6}{'GiB':>6}")
    for row in rows()[0]:
        if not row.name.startswith(wanted.only):
            continue
        found = compare(row, wanted.steps, wanted.turns, peak)
        bar = f"{row.bar:.2f}" if barred and row.bar is not None else ""
        print(
            f"{row.name:<38}{found['ratio']:>7.2f}{bar:>6}{found['wall_ratio']:>7.2f}"
            f"{found['ours']:>11,.0f}{found['mfu']:>6.0%}{found['peak_bytes'] / 2**30:>6.1f}",
            flush=True,
        )
        passed &= not barred or row.bar is None or found["ratio"] >= row.bar
        passed &= row.ours != "pretrain" or found["mfu"] >= MFU_BAR
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    with Running("pretrain", threads=cores or 1) as ours:
        for _ in range(wanted.turns):
            ours.turn(wanted.steps)
    wall = max(turn[1] for turn in ours.turns)
    print(f"pretrain with {cores} threads: {wall:,.0f} tokens/s on the clock (no bar)")
    print("every bar that applies is met" if passed else "a bar is not met")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
