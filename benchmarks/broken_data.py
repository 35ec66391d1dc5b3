"""A broken data file through `ethogram data inspect`: `python -m benchmarks.broken_data`.

Prints time and peak memory of the command at each size. Memory that grows by no more than a few
bytes a row shows that rows are read one at a time.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

_MIB = 2**20
#: Shares of lines in Latin-1, in UTF-16 without a mark, and cut off inside their JSON.
_LATIN, _WIDE, _CUT = 0.10, 0.05, 0.15


def write_broken(path: Path, size: int, *, seed: int = 1) -> list[int]:
    """Write JSON lines in mixed encodings, some of them cut off; returns the bad lines' numbers.

    Args:
        path: file to write.
        size: bytes at least.
        seed: of the words and of which lines are bad.
    """
    rng = random.Random(seed)
    words = [f"word{number}" for number in range(5000)]
    faults: list[int] = []
    written = number = 0
    with path.open("wb") as file:
        while written < size:
            number += 1
            text = " ".join(rng.choices(words, k=80))
            row = {"instruction": text[:60], "output": f"café {text}"}
            line = json.dumps(row, ensure_ascii=False)
            kind = rng.random()
            if kind < _LATIN:
                data = line.encode("latin-1")
            elif kind < _LATIN + _WIDE:
                data = line.encode("utf-16-le")
            elif kind < _LATIN + _WIDE + _CUT:
                # At least one byte stays, and the closing brace never does.
                data = line.encode()[: rng.randrange(1, len(line))]
            else:
                data = line.encode()
            if kind < _LATIN + _WIDE + _CUT:
                faults.append(number)
            written += file.write(data + b"\n")
    return faults


def measure(path: Path) -> tuple[float, float, int]:
    """Seconds, peak MiB and bad rows of `ethogram data inspect --json` in its own process."""
    began = time.perf_counter()
    program = "from ethogram.cli import main; main()"
    command = [sys.executable, "-c", program, "data", "inspect", str(path), "--json"]
    with tempfile.TemporaryFile() as out:
        process = subprocess.Popen(command, stdout=out)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - began
        out.seek(0)
        [survey] = json.load(out)
    mib = 1024 if sys.platform == "linux" else _MIB
    return seconds, usage.ru_maxrss / mib, survey["bad_total"]


def main() -> None:
    """Print one line for each size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--mib", type=int, nargs="+", default=[10, 50, 100], help="sizes of files")
    sizes = parser.parse_args().mib
    with tempfile.TemporaryDirectory(prefix="ethogram-bench-") as folder:
        for size in sizes:
            path = Path(folder) / "broken.jsonl"
            faults = write_broken(path, size * _MIB)
            seconds, peak, bad = measure(path)
            print(f"{size} MiB: {seconds:.1f} s, peak {peak:.0f} MiB, {bad:,} bad rows")
            if bad != len(faults):
                sys.exit(f"{len(faults):,} lines were broken, {bad:,} are reported")


if __name__ == "__main__":
    main()
