"""Decode attention: one new token per row over the slots of the KV cache.

transformers calls it through its registry of attention functions, so every architecture that uses
the registry gets it. Torch's own attention runs without a compiler, on other devices, and for calls
that are not decode steps over slots (a prompt, `generate`).
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from ethogram.engine import native
from ethogram.engine.forward.shared_prefixes import PrefixReads, addresses

#: Name in the registry of transformers.
NAME = "ethogram_slots"
_KERNELS = {torch.float32: "attend_float32", torch.bfloat16: "attend_bfloat16"}


@dataclass(frozen=True, slots=True)
class Lengths:
    """How many positions each row attends to, and where the first of them are read.

    Attributes:
        own: [rows] int64, of its own slot.
        source: [rows] int64, of its source.
        prefixes: rows whose first positions other rows may read as their own.
    """

    own: Tensor
    source: Tensor | None = None
    prefixes: PrefixReads | None = None


def slot_attention(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *,
    scaling: float | None = None,
    position_bias: Tensor | None = None,
    lengths: Lengths | None = None,
    **others: Any,
) -> tuple[Tensor, None]:
    """Attend over the first positions of each row's slot; the signature is that of the registry.

    Args:
        module: the attention layer; a causal one attends to its own slot, another to the source.
        query: [rows, heads, 1, dim].
        key: [rows, kv heads, positions, dim].
        value: like `key`.
        attention_mask: the same as `lengths`, for torch's attention.
        scaling: of the scores; default 1 / sqrt(dim).
        position_bias: [1, heads, 1, positions] to add to the scores, the same for all rows.
        lengths: positions to attend to; None outside of decode steps over slots.
        others: further arguments of an architecture.

    Returns:
        [rows, 1, heads, dim], and no weights.
    """
    library = native.library() if lengths is not None and query.is_cpu else None
    is_plain = value.shape[-1] == query.shape[-1]  # Values of latent attention are narrower.
    if library is None or lengths is None or query.dtype not in _KERNELS or not is_plain:
        made, weights = sdpa_attention_forward(
            module,
            query,
            key,
            value,
            attention_mask,
            scaling=scaling,
            position_bias=position_bias,
            **others,
        )
        return made, weights
    is_cross = lengths.source is not None and not getattr(module, "is_causal", True)
    attended = lengths.source if is_cross else lengths.own
    assert attended is not None
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    prefixes = None if is_cross else lengths.prefixes
    return attend(library, query, key, value, attended, scale, position_bias, prefixes), None


def attend(
    library: ctypes.CDLL,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    lengths: Tensor,
    scale: float,
    position_bias: Tensor | None = None,
    prefixes: PrefixReads | None = None,
) -> Tensor:
    """Call the compiled kernel; shapes as in `slot_attention`.

    Raises:
        MemoryError: not enough memory for the scores of one row per thread.
    """
    rows, heads, _, dim = query.shape
    query = query.contiguous()
    if key.stride(-1) != 1 or value.stride(-1) != 1:
        key, value = key.contiguous(), value.contiguous()
    out = torch.empty((rows, 1, heads, dim), dtype=query.dtype)
    bias = None if position_bias is None else position_bias[0, :, -1].float().contiguous()
    strides = ctypes.c_int64 * 3
    failed = getattr(library, _KERNELS[query.dtype])(
        ctypes.c_void_p(query.data_ptr()),
        ctypes.c_void_p(key.data_ptr()),
        ctypes.c_void_p(value.data_ptr()),
        ctypes.c_void_p(out.data_ptr()),
        ctypes.c_void_p(None if bias is None else bias.data_ptr()),
        ctypes.c_int64(0 if bias is None else bias.stride(0)),
        ctypes.c_void_p(lengths.data_ptr()),
        *map(ctypes.c_void_p, addresses(prefixes)),
        *(ctypes.c_int64(size) for size in (rows, heads, key.shape[1], dim)),
        strides(*key.stride()[:3]),
        strides(*value.stride()[:3]),
        ctypes.c_float(scale),
        ctypes.c_int(torch.get_num_threads()),
    )
    if failed:
        raise MemoryError("not enough memory for attention scores")
    return out


class AttentionSwitch:
    """Switches the layers of a model to `slot_attention` for the duration of a call.

    Only layers that use torch's attention are switched: others may do what neither it nor the
    kernel does, such as capping scores.
    """

    def __init__(self, model: Any) -> None:
        AttentionInterface.register(NAME, slot_attention)
        AttentionMaskInterface.register(NAME, sdpa_mask)
        self._configs = configs_of_torch_attention(model)

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """Switched inside the block and back after it: others may use the model too."""
        try:
            for config in self._configs:
                config._attn_implementation = NAME
            yield
        finally:
            for config in self._configs:
                config._attn_implementation = "sdpa"


def configs_of_torch_attention(model: Any) -> list[Any]:
    """The settings of all parts of a model that use torch's attention, each once."""
    found = {id(part.config): part.config for part in model.modules() if hasattr(part, "config")}
    return [
        config
        for config in found.values()
        if getattr(config, "_attn_implementation", None) == "sdpa"
    ]
