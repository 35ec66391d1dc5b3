"""The command line in a process that meets a fault: armed.py FAULTS WORDS….

FAULTS are separated by commas; none is "". Each is `MODULE:NAME:NUMBER:SIGNAL`: at this call of a
function the process gets a signal, before the function does anything. NAME may have a dot, for a
method. `clock` lets the clock of stored times jump by days, also backwards; `memory:BYTES` limits
the address space once the imports are done.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
from datetime import UTC, datetime, timedelta
from typing import Any


def arm(module: str, name: str, number: int, which: int) -> None:
    """Send this process a signal at a call of a function."""
    owner: Any = importlib.import_module(module)
    *path, last = name.split(".")
    for part in path:
        owner = getattr(owner, part)
    function, calls = getattr(owner, last), 0

    def called(*arguments: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == number:
            os.kill(os.getpid(), which)
        return function(*arguments, **options)

    setattr(owner, last, called)


def jumping_clock() -> None:
    """Stored times go back and forth by days; so does the clock of the system's library."""
    import time

    from ethogram.store import rows, store

    calls, real = 0, time.time

    def jump() -> int:
        nonlocal calls
        calls += 1
        return (-1) ** calls * calls * 86_400

    def now() -> str:
        return (datetime.now(UTC) + timedelta(seconds=jump())).isoformat(timespec="seconds")

    time.time = lambda: real() + jump()
    for module in (rows, store):
        module.now = now  # type: ignore[attr-defined]


def little_memory(more: int) -> None:
    """Let this process have so many more bytes than it has now."""
    import resource

    import torch  # noqa: F401  # Before the limit: what fails is the work, not the imports.
    import transformers  # noqa: F401

    import ethogram.engine

    assert ethogram.engine
    with open("/proc/self/statm") as file:
        now = int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    resource.setrlimit(resource.RLIMIT_AS, (now + more, now + more))


def main() -> None:
    """Arm the faults, then run the command."""
    from ethogram.study import measure, record

    # Small studies too are stored in several parts.
    record.COMMIT_ROWS, measure.BATCH = 4, 8
    for fault in filter(None, sys.argv[1].split(",")):
        if fault == "clock":
            jumping_clock()
        elif fault.startswith("memory:"):
            little_memory(int(fault.partition(":")[2]))
        else:
            module, name, number, which = fault.split(":")
            arm(module, name, int(number), getattr(signal, which))
    del sys.argv[1]
    from ethogram.cli import main

    main()


if __name__ == "__main__":
    main()
