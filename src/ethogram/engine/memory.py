"""How much memory there is, and how the C library keeps it. Knows the machine; knows no model."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from pathlib import Path

import psutil
import torch

#: Share of the free memory that the slots of a batch may take: the rest is for scores over the
#: vocabulary, for prompts being read, and for others.
SLOTS_SHARE = 0.5

#: mallopt parameters of glibc <malloc.h>.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_LARGEST = 2**31 - 1


def keep_large_blocks() -> bool:
    """Keep freed blocks instead of returning them to the kernel at each operation.

    glibc maps and unmaps every block above 32 MiB anew, and faulting its pages in costs more than
    the work on a [64, 50k] tensor itself: 3 to 4 times (measured on softmax and logsumexp).

    Returns:
        Whether the C library understood; False outside glibc.
    """
    try:
        libc = ctypes.CDLL("libc.so.6")
        done = [libc.mallopt(name, _LARGEST) for name in (_M_MMAP_THRESHOLD, _M_TRIM_THRESHOLD)]
    except (OSError, AttributeError):
        return False
    return all(done)


def available_bytes(device: torch.device) -> int:
    """Memory free for use: of a CUDA device, or of the machine and this process's groups."""
    if device.type == "cuda":
        free = torch.cuda.mem_get_info(device)[0]
        # What torch keeps for itself looks taken from outside.
        kept = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(free + kept)
    return min([int(psutil.virtual_memory().available), *_left_by_groups()])


def _left_by_groups(
    groups: Path = Path("/proc/self/cgroup"), root: Path = Path("/sys/fs/cgroup")
) -> Iterator[int]:
    """What each control group of Linux that limits this process leaves it: a container has one.

    Cached files that the kernel would drop count as free, as in the machine's own figure.
    """
    try:
        lines = groups.read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            names = ("memory.max", "memory.current", "inactive_file")
            yield from _left(root, path, *names)
        elif "memory" in controllers.split(","):
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
            yield from _left(root / "memory", path, *names)


def _left(mount: Path, path: str, limit: str, usage: str, cached: str) -> Iterator[int]:
    """Of a group and all above it; inside a container its own group is mounted at the top."""
    folder = mount / path.strip("/")
    for group in (folder, *folder.parents):
        if not group.is_relative_to(mount):
            return
        try:
            most = int((group / limit).read_text(encoding="utf-8"))  # Or the word `max`.
            used = int((group / usage).read_text(encoding="utf-8"))
            counts = (group / "memory.stat").read_text(encoding="utf-8").splitlines()
        except (OSError, ValueError):
            continue
        dropped = sum(int(row.split()[1]) for row in counts if row.startswith(f"{cached} "))
        yield max(0, most - used + dropped)


def is_out_of_memory(error: Exception) -> bool:
    """Whether an error says that memory is short, in one of the ways in which torch says it."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and "can't allocate memory" in str(error)
