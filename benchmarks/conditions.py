"""Machines that do other things too: busy processes beside the engine, fewer cores, a quota.

Each condition is set up before a measurement and undone after it. Busy processes have the priority
of everything else and a session of their own, as another program has.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

_CGROUPS = Path("/sys/fs/cgroup")
#: Microseconds over which the system counts a quota; its own default.
_PERIOD = 100_000


class ConditionUnavailableError(Exception):
    """This machine cannot be put into a condition; the message says why in one line."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What the machine is like while an engine is measured.

    Attributes:
        name: as chosen by `--conditions`.
        title: as written in the table.
        busy: processes beside the engine, each of which wants a whole core.
        cores: how many the engine may use; None for all.
        quota: processor time that it may use, in cores; None for all.
        runs: how many of the engine run at once; their rates are added.
    """

    name: str
    title: str
    busy: int = 0
    cores: int | None = None
    quota: float | None = None
    runs: int = 1

    def threads(self, most: int) -> int:
        """Threads that an engine is given: as many as it can run at a time."""
        return most if self.cores is None else min(most, self.cores)


QUIET = Condition("quiet", "alone")
CONDITIONS = (
    QUIET,
    Condition("busy1", "beside 1 busy process", busy=1),
    Condition("busy2", "beside 2 busy processes", busy=2),
    Condition("core", "pinned to one core", cores=1),
    Condition("quota", "with a quota of 1.5 CPUs", quota=1.5),
    Condition("two", "two runs side by side, together", runs=2),
)


def chosen(names: str | None) -> list[Condition]:
    """Conditions by names with commas between them; the quiet one is always among them.

    Raises:
        ValueError: there is none of a name.
    """
    if names is None:
        return list(CONDITIONS)
    wanted = {name.strip() for name in names.split(",") if name.strip()}
    known = [condition.name for condition in CONDITIONS]
    if unknown := sorted(wanted - set(known)):
        raise ValueError(f"no condition is called {unknown[0]!r}; there are {', '.join(known)}")
    return [c for c in CONDITIONS if c is QUIET or c.name in wanted]


@contextlib.contextmanager
def set_up(condition: Condition) -> Iterator[Callable[[], None] | None]:
    """Put the machine into a condition for as long as it lasts.

    Yields:
        What the process of the engine calls first, if anything.

    Raises:
        ConditionUnavailableError: this machine cannot.
    """
    with contextlib.ExitStack() as stack:
        group = None if condition.quota is None else stack.enter_context(_group(condition.quota))
        for _ in range(condition.busy):
            stack.enter_context(_busy_process())

        def enter() -> None:
            if condition.cores is not None:
                os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: condition.cores])
            if group is not None:
                (group / "cgroup.procs").write_text(str(os.getpid()))

        # Nothing where nothing is needed: threads that fork better call no Python.
        yield None if condition.cores is None and group is None else enter


@contextlib.contextmanager
def _busy_process() -> Iterator[None]:
    command = (sys.executable, "-S", "-c", "while True: pass")
    with subprocess.Popen(command, start_new_session=True) as process:
        try:
            yield
        finally:
            process.kill()


@contextlib.contextmanager
def _group(cores: float) -> Iterator[Path]:
    """A control group with a quota, of version 2 or 1, whichever the system has."""
    name, quota = f"ethogram-bench-{os.getpid()}", int(cores * _PERIOD)
    is_new = "cpu" in _text(_CGROUPS / "cgroup.controllers").split()
    folder = (_CGROUPS if is_new else _CGROUPS / "cpu") / name
    try:
        if is_new:
            (_CGROUPS / "cgroup.subtree_control").write_text("+cpu")
        folder.mkdir()
        if is_new:
            (folder / "cpu.max").write_text(f"{quota} {_PERIOD}")
        else:
            (folder / "cpu.cfs_period_us").write_text(str(_PERIOD))
            (folder / "cpu.cfs_quota_us").write_text(str(quota))
    except OSError as error:
        raise ConditionUnavailableError(f"no control group with a quota: {error}") from error
    try:
        yield folder
    finally:
        with contextlib.suppress(OSError):
            folder.rmdir()


def _text(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:
        return ""
