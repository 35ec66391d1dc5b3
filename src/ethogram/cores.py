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


def is_number_set() -> bool:
    """Whether `ETHOGRAM_THREADS` sets the number of threads."""
    return bool(os.environ.get(VARIABLE, "").strip())


def use_allowed_threads() -> int:
    """Keep torch's threads within the cores that this process may use; returns their number.

    torch counts the cores of the affinity mask and overlooks the CPU quota of a container; threads
    beyond it only wait. `ETHOGRAM_THREADS` sets the number itself. Compiled kernels take theirs
    from torch, so one number holds for engine, encoder and classifiers, and it changes no output.

    Raises:
        SpecError: the variable is not a number of threads.
    """
    import torch

    threads = threads_to_use()
    if is_number_set() or threads < torch.get_num_threads():
        torch.set_num_threads(threads)
    return torch.get_num_threads()


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
    quota = _quota(_CGROUPS, *_own_groups())
    return max(1, min(cores, math.ceil(quota))) if quota else max(1, cores)


def _own_groups() -> tuple[str, str]:
    """This process's control groups of version 2 and of version 1's `cpu`; "" for the root."""
    try:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return "", ""
    found = {}
    for line in lines:
        _, controllers, path = line.split(":", 2)
        for name in controllers.split(","):
            found[name] = path.lstrip("/")
    return found.get("", ""), found.get("cpu", "")


def _quota(root: Path, group: str, old_group: str = "") -> float | None:
    """The smallest quota, in cores, on the way from a group up to the root; None without one."""
    quotas = [_read_pair(folder / "cpu.max") for folder in _way_up(root, group)]
    quotas += [_read_v1(folder) for folder in _way_up(root / "cpu", old_group)]
    return min((quota for quota in quotas if quota is not None), default=None)


def _way_up(root: Path, group: str) -> list[Path]:
    """A group's folder and those above it, down to the root's."""
    parts = group.split("/") if group and ".." not in group.split("/") else []
    return [root.joinpath(*parts[:count]) for count in range(len(parts), -1, -1)]


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
