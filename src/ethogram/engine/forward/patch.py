"""Patches models that transformers runs with our own matrix products and attention."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor

from ethogram.engine import native
from ethogram.engine.forward.encoder_attention import use_full_attention
from ethogram.engine.forward.linear import Linear, has_own_kernel
from ethogram.engine.native.layer_kernels import DTYPES, LayerKernels

#: Rows multiplied at a time: few enough to stay in the second-level cache while they meet every
#: panel of weights.
_CHUNK = 384


def patch_model(model: Any) -> int:
    """Replace products and attention of a model by our own, where they are faster than torch's.

    For models that have no fused form, such as a sentence encoder. Results differ from torch's by
    rounding.

    Returns:
        How many layers were patched: none without a compiler, on AMX and on other devices.
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
