"""Encoder attention: all positions of a text at once.

transformers calls it through its registry of attention functions. Torch computes what the compiled
kernel does not support (other devices and types, grouped heads, a bias, causal masks).
"""

from __future__ import annotations

import ctypes
from typing import Any

import torch
from torch import Tensor
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from ethogram.engine import native
from ethogram.engine.forward.decode_attention import configs_of_torch_attention
from ethogram.engine.native.layer_kernels import DTYPES, strides

#: Name in the registry of transformers.
NAME = "ethogram_full"


def full_attention(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *,
    scaling: float | None = None,
    dropout: float = 0.0,
    **others: Any,
) -> tuple[Tensor, None]:
    """Attend over the positions that the mask allows; the signature is that of the registry.

    Args:
        module: the attention layer.
        query: [texts, heads, positions, dim].
        key: like `query`; other shapes are left to torch.
        value: like `key`.
        attention_mask: bool [texts, 1, positions, positions], True where it may attend; None for
            everywhere.
        scaling: of the scores; default 1 / sqrt(dim).
        dropout: of the weights; 0 outside of training.
        others: further arguments of an architecture.

    Returns:
        [texts, positions, heads, dim], and no weights.

    Raises:
        MemoryError: not enough memory for one head of one text per thread.
    """
    library = native.library() if _is_known(module, query, key, attention_mask, others) else None
    if library is None or dropout:
        made, weights = sdpa_attention_forward(
            module,
            query,
            key,
            value,
            attention_mask,
            scaling=scaling,
            dropout=dropout,
            **others,
        )
        return made, weights
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    return attend_texts(library, query, key, value, attention_mask, scale), None


def _is_known(
    module: Any, query: Tensor, key: Tensor, mask: Tensor | None, others: dict[str, Any]
) -> bool:
    """Whether the kernel supports this."""
    if not query.is_cpu or query.dtype not in DTYPES or query.shape != key.shape:
        return False
    if others.get("position_bias") is not None or others.get("softcap") is not None:
        return False
    if mask is not None:
        return mask.dtype == torch.bool and mask.shape[1] == 1
    causal = others.get("is_causal")
    # As transformers' own function has it: without a mask a causal layer means a causal one.
    return not (getattr(module, "is_causal", True) if causal is None else causal)


def attend_texts(
    library: ctypes.CDLL,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None,
    scale: float,
) -> Tensor:
    """Call the compiled kernel; shapes as in `full_attention`.

    Raises:
        MemoryError: not enough memory for one head of one text per thread.
    """
    texts, heads, length, dim = query.shape
    query, key, value = (
        each if each.stride(-1) == 1 else each.contiguous() for each in (query, key, value)
    )
    out = query.new_empty((texts, length, heads, dim))
    seen = None if mask is None else mask.expand(texts, 1, length, length)[:, 0]
    if seen is not None and seen.stride(-1) != 1:
        seen = seen.contiguous()
    failed = getattr(library, f"attend_texts_{DTYPES[query.dtype]}")(
        *(ctypes.c_void_p(each.data_ptr()) for each in (query, key, value)),
        ctypes.c_void_p(None if seen is None else seen.data_ptr()),
        ctypes.c_void_p(out.data_ptr()),
        *(ctypes.c_int64(size) for size in (texts, heads, length, dim)),
        *(strides(*each.stride()[:3]) for each in (query, key, value)),
        strides(*((0, 0) if seen is None else seen.stride()[:2])),
        ctypes.c_float(scale),
        ctypes.c_int(torch.get_num_threads()),
    )
    if failed:
        raise MemoryError("not enough memory for attention scores")
    return out


def use_full_attention(model: Any) -> None:
    """Switch the layers of a model that use torch's attention to `full_attention`."""
    AttentionInterface.register(NAME, full_attention)
    AttentionMaskInterface.register(NAME, sdpa_mask)
    for config in configs_of_torch_attention(model):
        config._attn_implementation = NAME
