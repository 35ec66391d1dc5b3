"""One scoring of a file in a process of its own: `python -m benchmarks.measure_once JOB RESULT`."""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

from ethogram.metrics import score


def main() -> None:
    """Score and write seconds and peak memory."""
    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    began = time.perf_counter()
    table = score(job["file"], processes=job["processes"])
    seconds = time.perf_counter() - began
    mib = 1024 if sys.platform == "linux" else 2**20
    found = {
        "seconds": seconds,
        "scored": table.outputs,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / mib,
        "peak_child_mib": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / mib,
    }
    Path(sys.argv[2]).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
