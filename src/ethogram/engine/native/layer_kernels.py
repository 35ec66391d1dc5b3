"""The kernels of a decoder layer, bound for one type of number.

Arguments are addresses and sizes, not tensors: what Python does for each call counts in a step of
one row.
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
#: What a pass spends its time on, in the order of `seconds`.
KINDS = ("norm", "qkv", "attention", "output", "gate and up", "down", "head")


class LayerWeights(ctypes.Structure):
    """The addresses of a layer's weights: `Layer` of `layers.cpp`."""

    _fields_ = [
        (name, _POINTER)
        for name in (
            *("attention_norm", "qkv", "qkv_bias", "output", "output_bias"),
            *("mlp_norm", "gate_up", "gate_up_bias", "down", "down_bias"),
        )
    ]


class ModelWeights(ctypes.Structure):
    """The addresses and sizes of a model: `Model` of `layers.cpp`."""

    _fields_ = [
        ("layers", ctypes.POINTER(LayerWeights)),
        *((n, _SIZE) for n in ("count", "hidden", "heads", "kv_heads", "dim", "inner", "vocab")),
        *((name, _POINTER) for name in ("norm", "head", "head_bias")),
        *(("epsilon", _FLOAT), ("scale", _FLOAT), ("is_bf16", ctypes.c_int32)),
    ]


class Pass(ctypes.Structure):
    """The rows of one pass and where they read and write: `Pass` of `layers.cpp`."""

    _fields_ = [
        ("rows", _SIZE),
        *((n, _POINTER) for n in ("residual", "positions", "lengths", "cosines", "sines")),
        *((name, ctypes.POINTER(_POINTER)) for name in ("keys", "values")),
        *((name, _STRIDES) for name in ("key_strides", "value_strides")),
        *((name, _POINTER) for name in ("prefix_rows", "prefix_lengths", "prefix_order")),
        *((name, _POINTER) for name in ("normed", "logits", "scratch")),
        ("same_slot", ctypes.c_int32),
    ]


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
        self.run_layers = library["run_layers"]
        self.run_layers.argtypes = (
            *(ctypes.POINTER(ModelWeights), ctypes.POINTER(Pass)),
            *(_COUNT, ctypes.POINTER(ctypes.c_double)),
        )
        self.layers_scratch = library["layers_scratch"]
        self.layers_scratch.argtypes = (ctypes.POINTER(ModelWeights), _SIZE)
        self.layers_scratch.restype = _SIZE


def strides(*steps: int) -> ctypes.Array[ctypes.c_int64]:
    """Distances between rows, heads and positions, in elements, as the kernels take them."""
    return (ctypes.c_int64 * len(steps))(*steps)
