"""Free memory of the machine, its container or its GPU, and settings of the allocator."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psutil
import torch

#: Share of the free memory that the slots of a batch may take: the rest is for logits, for prompts
#: being prefilled, and for other programs.
SLOTS_SHARE = 0.5

#: mallopt parameters of glibc <malloc.h>.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_LARGEST = 2**31 - 1


def keep_large_blocks() -> bool:
    """Keep freed blocks instead of returning them to the kernel at each operation.

    glibc maps and unmaps every block above 32 MiB each time, and faulting its pages in costs 3 to 4
    times the work on a [64, 50k] tensor itself (measured on softmax and logsumexp).

    Returns:
        Whether the C library supports it; False outside glibc.
    """
    try:
        libc = ctypes.CDLL("libc.so.6")
        done = [libc.mallopt(name, _LARGEST) for name in (_M_MMAP_THRESHOLD, _M_TRIM_THRESHOLD)]
    except (OSError, AttributeError):
        return False
    return all(done)


def available_bytes(device: torch.device) -> int:
    """Free memory, of the machine and its container or of a CUDA device.

    Blocks that torch keeps for itself on a CUDA device, and has not handed out, count as free.
    """
    if device.type == "cuda":
        kept = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(torch.cuda.mem_get_info(device)[0]) + int(kept)
    free, limit = int(psutil.virtual_memory().available), container_free_bytes()
    return free if limit is None else min(free, limit)


class _Hierarchy(NamedTuple):
    """Where a version of control groups keeps its figures, and what it calls them."""

    mark: str  # of its lines in /proc/self/cgroup
    folder: str
    limit: str
    usage: str
    reclaimable: str


_HIERARCHIES = (
    _Hierarchy("0::", ".", "memory.max", "memory.current", "inactive_file"),
    _Hierarchy(
        ":memory:", "memory", "memory.limit_in_bytes", "memory.usage_in_bytes",
        "total_inactive_file",
    ),
)  # fmt: skip


def container_free_bytes(
    groups: Path = Path("/sys/fs/cgroup"), own: Path = Path("/proc/self/cgroup")
) -> int | None:
    """Bytes that the control groups of this process still allow; None where none sets a limit.

    Every group above the process's own may set one. File pages that nobody used lately count as
    free, since the kernel drops them first: loading weights leaves many.

    Args:
        groups: where the hierarchies of version 2 and 1 are mounted.
        own: lists the groups of the process.
    """
    try:
        lines = own.read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    frees = [
        found
        for hierarchy in _HIERARCHIES
        for line in lines
        if hierarchy.mark in line
        for folder in _upwards(groups / hierarchy.folder, line.split(":", 2)[2])
        if (found := _free_in(folder, hierarchy)) is not None
    ]
    return min(frees, default=None)


def _upwards(root: Path, group: str) -> Iterator[Path]:
    """The folder of a group and of all above it; within a container some of them are not shown."""
    parts = [part for part in group.split("/") if part not in ("", ".", "..")]
    for count in range(len(parts), -1, -1):
        yield root.joinpath(*parts[:count])


def _free_in(folder: Path, hierarchy: _Hierarchy) -> int | None:
    try:
        limit = (folder / hierarchy.limit).read_text(encoding="utf-8").strip()
        usage = int((folder / hierarchy.usage).read_text(encoding="utf-8"))
        stated = (folder / "memory.stat").read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return None
    if not limit.isdecimal():  # "max": none.
        return None
    figures = dict(line.split(" ", 1) for line in stated if " " in line)
    return max(0, int(limit) - usage + int(figures.get(hierarchy.reclaimable, 0)))


def is_out_of_memory(error: Exception) -> bool:
    """Whether an error means out of memory, in one of the forms that torch raises."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and "can't allocate memory" in str(error)
