"""Arrays whose memory the system gives a page at a time, when it is first written.

The slots of a server must be long enough for its longest request, and few requests are long. An
anonymous mapping reserves addresses only: its pages (4 KiB, 16 positions of a head of 64 numbers in
fp32) take memory once written, and can be given back. Nothing that reads the array knows of it.
"""

from __future__ import annotations

import math
import mmap
import sys
from collections.abc import Sequence

import torch
from torch import Tensor

#: Linux gives pages back at once, and reads what was given back as zeros.
IS_SUPPORTED = sys.platform == "linux"
#: Of <sys/mman.h>; `mmap` has it from Python 3.13 on. The kernel counts no page before it is used.
_NO_RESERVE = 0x4000


class PagedArray:
    """An array of zeros that takes memory by the page.

    Args:
        shape: [slots, …, positions, dim].
        dtype: of its numbers.

    Attributes:
        tensor: the array.

    Raises:
        OSError: the system has no addresses left.
    """

    def __init__(self, shape: Sequence[int], dtype: torch.dtype) -> None:
        # One page more for each head: at strides of a power of two all heads would compete for the
        # same sets of the caches.
        padding = max(1, mmap.PAGESIZE // (shape[-1] * dtype.itemsize))
        padded = [*shape[:-2], shape[-2] + padding, shape[-1]]
        self._slot_bytes = math.prod(padded[1:]) * dtype.itemsize
        flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | _NO_RESERVE
        self._memory = mmap.mmap(-1, padded[0] * self._slot_bytes, flags=flags)
        self._memory.madvise(mmap.MADV_NOHUGEPAGE)  # A huge page of 2 MiB would be a whole slot.
        whole = torch.frombuffer(self._memory, dtype=dtype).view(padded)
        self.tensor: Tensor = whole[..., : shape[-2], :]

    def release(self, slot: int) -> None:
        """Give back the memory of a slot; the pages that it shares with its neighbours stay."""
        start = -(-slot * self._slot_bytes // mmap.PAGESIZE) * mmap.PAGESIZE
        stop = (slot + 1) * self._slot_bytes // mmap.PAGESIZE * mmap.PAGESIZE
        if stop > start:
            self._memory.madvise(mmap.MADV_DONTNEED, start, stop - start)
