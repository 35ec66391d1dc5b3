"""The kernels of training, tensors in and tensors out. None of them is known to autograd."""

from __future__ import annotations

import ctypes
from functools import cache

import torch
from torch import Tensor

from ethogram.engine.native import library
from ethogram.engine.native.layer_kernels import DTYPES

_POINTER, _SIZE, _COUNT, _FLOAT = ctypes.c_void_p, ctypes.c_int64, ctypes.c_int, ctypes.c_float
_SIGNATURES: dict[str, tuple[type, ...]] = {
    "gelu": (*[_POINTER] * 2, _SIZE, _COUNT),
    "gelu_back": (*[_POINTER] * 3, _SIZE, _COUNT),
    "token_loss": (*[_POINTER] * 4, *[_SIZE] * 2, _FLOAT, _COUNT),
}


def has_training_kernels(tensor: Tensor) -> bool:
    """Whether the kernels take a tensor: on the CPU, float32 or bfloat16, and compiled."""
    return tensor.device.type == "cpu" and tensor.dtype in DTYPES and library() is not None


def gelu(x: Tensor) -> Tensor:
    """GELU by tanh, of any shape: 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x³)))."""
    x = x.contiguous()
    out = torch.empty_like(x)
    _bound("gelu", x.dtype)(x.data_ptr(), out.data_ptr(), x.numel(), torch.get_num_threads())
    return out


def gelu_back(x: Tensor, above: Tensor) -> Tensor:
    """The gradient of `x`, from that of `gelu(x)`."""
    x, above = x.contiguous(), above.contiguous()
    out = torch.empty_like(x)
    addresses = (each.data_ptr() for each in (x, above, out))
    _bound("gelu_back", x.dtype)(*addresses, x.numel(), torch.get_num_threads())
    return out


def token_loss(
    logits: Tensor, labels: Tensor, *, scale: float | None = None
) -> tuple[Tensor, Tensor | None]:
    """The losses of rows, and with a scale the gradient of their sum times it.

    Args:
        logits: [rows, vocabulary].
        labels: [rows], int64; below 0 where nothing is learned.
        scale: of the gradient.

    Returns:
        Losses in nats, [rows], float64; and the gradient, like the logits.

    Raises:
        IndexError: a label is outside the vocabulary.
        MemoryError: memory is short.
    """
    logits, labels = logits.contiguous(), labels.contiguous()
    rows, vocab = logits.shape
    if rows and int(labels.max()) >= vocab:
        raise IndexError(f"label {int(labels.max())} is outside the vocabulary of {vocab}")
    gradient = None if scale is None else torch.empty_like(logits)
    losses = torch.empty(rows, dtype=torch.float64)
    failed = _bound("token_loss", logits.dtype)(
        logits.data_ptr(),
        labels.data_ptr(),
        None if gradient is None else gradient.data_ptr(),
        losses.data_ptr(),
        *(rows, vocab),
        1.0 if scale is None else scale,
        torch.get_num_threads(),
    )
    if failed:
        raise MemoryError("no memory for the loss")
    return losses, gradient


@cache
def _bound(name: str, dtype: torch.dtype) -> ctypes._NamedFuncPointer:
    found = library()
    assert found is not None
    # By index, since functions got as attributes are shared with other callers.
    function = found[f"{name}_{DTYPES[dtype]}"]
    function.argtypes = _SIGNATURES[name]
    return function
