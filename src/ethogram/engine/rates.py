"""Rates: how fast this machine multiplies matrices, in the number formats of models."""

from __future__ import annotations

import time
from typing import Any

#: Rows and columns of the matrices: larger than a cache, as the weights of a model are.
SIZE = 1024
#: Seconds for each format; the first product, which warms up, is not counted.
SECONDS = 0.25


def matrix_rates() -> dict[str, float]:
    """Floating-point operations per second by dtype, on the device that models run on."""
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    found = {}
    for name in ("float32", "bfloat16"):
        square = torch.ones(SIZE, SIZE, dtype=getattr(torch, name), device=device)
        _product(square)
        times = [_timed(square)]
        while sum(times) < SECONDS:
            times.append(_timed(square))
        found[name] = 2 * SIZE**3 / min(times)  # Other programs make products slower only.
    return found


def _timed(square: Any) -> float:
    started = time.perf_counter()
    _product(square)
    return time.perf_counter() - started


def _product(square: Any) -> None:
    import torch

    torch.mm(square, square)
    if torch.cuda.is_available():
        torch.cuda.synchronize()
