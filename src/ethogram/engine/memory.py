"""How much memory there is, and how the C library keeps it. Knows the machine; knows no model."""

from __future__ import annotations

import ctypes

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
    """Memory that is free for use, of the machine or of a CUDA device."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return int(psutil.virtual_memory().available)


def is_out_of_memory(error: Exception) -> bool:
    """Whether an error says that memory is short, in one of the ways in which torch says it."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and "can't allocate memory" in str(error)
