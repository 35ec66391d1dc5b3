"""Lets a model that transformers runs use our own kernels. Knows modules; knows no architecture."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor

from ethogram.engine import native
from ethogram.engine.forward.encoder_attention import use_full_attention
from ethogram.engine.forward.linear import Linear, has_own_kernel
from ethogram.engine.native.layer_kernels import DTYPES, LayerKernels

#: Rows that are multiplied at a time: few enough to stay in the second-level cache while every
#: panel of weights goes over them.
_CHUNK = 384


def quicken(model: Any) -> int:
    """Give a model our own products and attention, where they are faster than torch's.

    For models that transformers runs and the fused fused does not know, such as a sentence encoder.
    Results differ from torch's by rounding.

    Returns:
        How many layers were changed: none without a compiler, on AMX and on other devices.
    """
    library = native.library()
    changed = 0
    for part in model.modules():
        if library is None or type(part) is not torch.nn.Linear or not part.weight.is_cpu:
            continue
        dtype = part.weight.dtype
        if dtype in DTYPES and has_own_kernel(dtype):
            bias = None if part.bias is None else part.bias.detach()
            product = Linear(part.weight.detach(), bias, LayerKernels(library, dtype))
            part.forward = partial(_multiply, product)  # type: ignore[method-assign]
            changed += 1
    if changed:
        use_full_attention(model)
    return changed


def _multiply(product: Linear, given: Tensor) -> Tensor:
    rows = given.reshape(-1, product.inputs).contiguous()
    out = rows.new_empty((len(rows), product.outputs))
    for start in range(0, len(rows), _CHUNK):
        product(rows[start : start + _CHUNK], out[start : start + _CHUNK])
    return out.view(*given.shape[:-1], product.outputs)
