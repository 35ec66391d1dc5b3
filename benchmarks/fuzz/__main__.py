"""Fuzz one target, or all: an input is accepted or refused in one line, soon, in little memory.

Anything else is a finding: another exception, more than five seconds of computing, more than 1 GB.
Findings are printed once for each place in the source, and their inputs are kept.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import resource
import signal
import sys
import tempfile
import time
import traceback
import warnings
from pathlib import Path
from types import FrameType
from typing import NoReturn

from benchmarks.fuzz.mutate import mutated
from benchmarks.fuzz.targets import TARGETS, Target, target

_SECONDS = 5
_MEMORY = 2**30


class HangError(BaseException):
    """An input took too long; no handler of errors catches it."""


def main() -> None:
    """Run the fuzzer; exit 1 where something was found."""
    parser = argparse.ArgumentParser(prog="benchmarks.fuzz", description=__doc__)
    parser.add_argument("target", choices=[*TARGETS, "all"])
    parser.add_argument("--minutes", type=float, default=10.0, help="of each target")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="folder for inputs that break something")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    names = list(TARGETS) if options.target == "all" else [options.target]
    found = 0
    for name in names:
        with tempfile.TemporaryDirectory(prefix="ethogram-fuzz-") as folder:
            made = target(name, Path(folder))
            found += fuzz(name, made, options.minutes * 60, options.seed, options.keep)
    sys.exit(1 if found else 0)


def fuzz(name: str, made: Target, seconds: float, seed: int, keep: Path | None) -> int:
    """Fuzz one target for some seconds; returns how many places in the source broke."""
    signal.signal(signal.SIGPROF, _stop)
    chance, seen = random.Random(f"{name}:{seed}"), dict[str, int]()
    for each in made.seeds:
        with contextlib.suppress(Exception):
            made.read(each)  # What is loaded once takes memory and time of its own.
    _limit_memory()
    count, until = 0, time.monotonic() + seconds
    while time.monotonic() < until:
        data = mutated(made.seeds, chance)
        problem = _problem(made, data)
        count += 1
        if problem is None:
            continue
        seen[problem] = seen.get(problem, 0) + 1
        if seen[problem] == 1:
            print(f"{name}: {problem}\n  {data[:200]!r}", flush=True)
            if keep is not None:
                keep.mkdir(parents=True, exist_ok=True)
                (keep / f"{name}-{len(seen)}").write_bytes(data)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    print(f"{name}: {count} inputs, {len(seen)} findings, at most {peak} MiB", flush=True)
    return len(seen)


def _problem(made: Target, data: bytes) -> str | None:
    """What is wrong with how an input is read."""
    signal.setitimer(signal.ITIMER_PROF, _SECONDS)
    try:
        made.read(data)
    except made.refusals as error:
        signal.setitimer(signal.ITIMER_PROF, 0)
        return None if "\n" not in str(error) else f"several lines: {type(error).__name__}"
    except (Exception, HangError) as error:
        signal.setitimer(signal.ITIMER_PROF, 0)
        return f"{type(error).__name__}: {str(error)[:100]!r} at {_place(error)}"
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return None


def _place(error: BaseException) -> str:
    """The last line of our own source that an error passed."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [each for each in frames if "/ethogram/" in each.filename] or frames
    return f"{Path(own[-1].filename).name}:{own[-1].lineno}"


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    raise HangError(f"takes more than {_SECONDS} s")


def _limit_memory() -> None:
    """One GB more than what is in use, where the system counts it."""
    status = Path("/proc/self/statm")
    if status.is_file():
        used = int(status.read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + _MEMORY, resource.RLIM_INFINITY))


if __name__ == "__main__":
    main()
