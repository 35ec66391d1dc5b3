"""The rate of matrix products that this machine reaches, to which a training's rate is compared."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch

#: Side of the square matrices: large enough that nothing but the product counts.
_SIDE = 1024


def gemm_peak(
    dtype: torch.dtype,
    *,
    device: str = "cpu",
    seconds: float = 0.25,
    clock: Callable[[], float] = time.perf_counter,
) -> float:
    """The best rate of a square matrix product with the present number of threads, in FLOP/s.

    Args:
        dtype: number format of the matrices.
        device: name of a torch device.
        seconds: measured for so long; the best product counts.
        clock: seconds.
    """
    left = torch.randn(_SIDE, _SIDE, dtype=torch.float32).to(device, dtype)
    out = torch.empty_like(left)
    best, ends = float("inf"), clock() + seconds
    while clock() < ends:
        began = clock()
        torch.matmul(left, left, out=out)
        if left.device.type == "cuda":
            torch.cuda.synchronize()
        best = min(best, clock() - began)
    return 2 * _SIDE**3 / best
