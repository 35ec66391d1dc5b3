"""The kernels of a decoder layer, bound for one type of number.

Arguments are addresses and sizes, not tensors: a step of one row makes some 300 of these calls, and
what Python does for each of them counts.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable

import torch

_POINTER, _SIZE, _COUNT, _FLOAT = ctypes.c_void_p, ctypes.c_int64, ctypes.c_int, ctypes.c_float
_STRIDES = ctypes.POINTER(ctypes.c_int64)
_SIGNATURES: dict[str, tuple[type, ...]] = {
    "linear": (*[_POINTER] * 4, *[_SIZE] * 4, _COUNT),
    "norm": (*[_POINTER] * 4, *[_SIZE] * 2, _FLOAT, _COUNT),
    "rotate": (*[_POINTER] * 7, *[_STRIDES] * 2, *[_SIZE] * 4, _COUNT),
    "activate": (*[_POINTER] * 2, *[_SIZE] * 2, _COUNT),
    "attend": (
        *[_POINTER] * 5,
        _SIZE,
        *[_POINTER] * 4,
        *[_SIZE] * 4,
        *[_STRIDES] * 2,
        _FLOAT,
        _COUNT,
    ),
}
#: Types that the kernels are compiled for.
DTYPES = {torch.float32: "float32", torch.bfloat16: "bfloat16"}


class LayerKernels:
    """Functions of the compiled library for one type; each is documented beside its source.

    Args:
        library: the compiled kernels.
        dtype: one of `DTYPES`.
    """

    def __init__(self, library: ctypes.CDLL, dtype: torch.dtype) -> None:
        def bound(name: str) -> Callable[..., int]:
            # By index, since functions got as attributes are shared with other callers.
            function = library[f"{name}_{DTYPES[dtype]}"]
            function.argtypes = _SIGNATURES[name]
            return function

        self.linear, self.norm, self.rotate = bound("linear"), bound("norm"), bound("rotate")
        self.activate, self.attend = bound("activate"), bound("attend")


def strides(*steps: int) -> ctypes.Array[ctypes.c_int64]:
    """Distances between rows, heads and positions, in elements, as the kernels take them."""
    return (ctypes.c_int64 * len(steps))(*steps)
