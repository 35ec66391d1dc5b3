"""How many processor cores this process may use, and how long its threads wait for them.

A container or `taskset` may allow fewer cores than the machine has; threads beyond those only wait
for each other.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path

from ethogram.errors import SpecError

#: Overrides the number of threads of every computation.
VARIABLE = "ETHOGRAM_THREADS"
_CGROUPS = Path("/sys/fs/cgroup")
_TASKS = Path("/proc/self/task")


def threads_to_use() -> int:
    """Threads that a computation may use: `ETHOGRAM_THREADS`, or the cores allowed.

    Raises:
        SpecError: the variable is not a whole number of at least 1.
    """
    wanted = os.environ.get(VARIABLE, "").strip()
    if not wanted:
        return allowed_cores()
    if not wanted.isascii() or not wanted.isdecimal() or int(wanted) < 1:
        raise SpecError(
            f"{wanted!r} is not a number of threads", where=VARIABLE, hint="set it to 1 or more"
        )
    return int(wanted)


def allowed_cores() -> int:
    """Cores of the affinity mask (`taskset`), or of the CPU quota of a container if that is less.

    A quota of 1.5 cores counts as 2: two threads use it up, one cannot.
    """
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:  # macOS and Windows have no mask to ask for.
        cores = os.cpu_count() or 1
    quota = _quota(_CGROUPS, _own_cgroup())
    return max(1, min(cores, math.ceil(quota))) if quota else max(1, cores)


def _own_cgroup() -> str:
    """This process's group below the root of version 2; "" where there is none."""
    try:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return ""
    return next((line[3:].lstrip("/") for line in lines if line.startswith("0::")), "")


def _quota(root: Path, group: str) -> float | None:
    """The smallest quota, in cores, on the way from a group up to the root; None without one."""
    quotas = []
    folder = root / group if ".." not in group.split("/") else root
    for place in (folder, *folder.parents):
        if place != root and root not in place.parents:
            break
        if (limit := _read_pair(place / "cpu.max")) is not None:
            quotas.append(limit)
    old = root / "cpu"  # Version 1.
    if not quotas and (limit := _read_v1(old)) is not None:
        quotas.append(limit)
    return min(quotas, default=None)


def _read_pair(file: Path) -> float | None:
    try:
        quota, period = file.read_text().split()
        return None if quota == "max" else int(quota) / int(period)
    except (OSError, ValueError, ZeroDivisionError):
        return None


def _read_v1(folder: Path) -> float | None:
    try:
        quota = int((folder / "cpu.cfs_quota_us").read_text())
        period = int((folder / "cpu.cfs_period_us").read_text())
        return quota / period if quota > 0 else None
    except (OSError, ValueError, ZeroDivisionError):
        return None


@dataclass
class Contention:
    """How long this process's threads wait for a core that another program holds.

    Read from the scheduler's own accounts (`/proc/PID/task/TID/schedstat`, Linux); elsewhere the
    share is always 0.
    """

    _ran: int = 0
    _waited: int = 0

    def __post_init__(self) -> None:
        self._ran, self._waited = _times()

    def share(self) -> float:
        """Waiting as a share of waiting and running, since the last call or the beginning."""
        ran, waited = _times()
        more_ran, more_waited = max(0, ran - self._ran), max(0, waited - self._waited)
        self._ran, self._waited = ran, waited
        whole = more_ran + more_waited
        return more_waited / whole if whole else 0.0


def _times() -> tuple[int, int]:
    """Nanoseconds that all threads ran, and were ready but did not run."""
    ran = waited = 0
    try:
        for task in _TASKS.iterdir():
            numbers = (task / "schedstat").read_text().split()
            ran, waited = ran + int(numbers[0]), waited + int(numbers[1])
    except (OSError, ValueError, IndexError):
        return ran, waited
    return ran, waited
