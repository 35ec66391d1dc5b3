"""Runs all layers of a fused model, and its head, in one call of the compiled kernels."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ethogram.engine.forward.kv_cache import Pairs
from ethogram.engine.forward.shared_prefixes import PrefixReads, addresses
from ethogram.engine.native.layer_kernels import (
    KINDS,
    LayerKernels,
    LayerWeights,
    ModelWeights,
    Pass,
    strides,
)

if TYPE_CHECKING:
    from ethogram.engine.forward.fused import FusedLlama

_ALIGNED = 64  # bytes


class CompiledLayers:
    """The layers of a fused model whose products are our own.

    Args:
        fused: the model; its weights stay where they are.
        kernels: for its type of number.

    Attributes:
        seconds: where set, the time of each kind of work (`KINDS`) is added to it.
    """

    def __init__(self, fused: FusedLlama, kernels: LayerKernels) -> None:
        self._kernels, self._fused = kernels, fused
        self.seconds: ctypes.Array[ctypes.c_double] | None = None
        layers = [
            LayerWeights(
                layer.attention_norm.data_ptr(),
                *layer.qkv.addresses,
                *layer.output.addresses,
                layer.mlp_norm.data_ptr(),
                *layer.gate_up.addresses,
                *layer.down.addresses,
            )
            for layer in fused.layers
        ]
        self._layers = (LayerWeights * len(layers))(*layers)
        self._model = ModelWeights(
            self._layers,
            len(layers),
            fused.embedding.shape[1],
            *(fused.heads, fused.kv_heads, fused.dim, fused.layers[0].down.inputs),
            fused.head.outputs,
            fused.norm.data_ptr(),
            *fused.head.addresses,
            *(fused.epsilon, fused.scale, fused.dtype == torch.bfloat16),
        )

    def watch(self) -> dict[str, float]:
        """Begin to time the kinds of work; returns the seconds of each since the last call."""
        spent = dict(zip(KINDS, self.seconds or [0.0] * len(KINDS), strict=True))
        self.seconds = (ctypes.c_double * len(KINDS))()
        return spent

    def run(
        self,
        residual: Tensor,
        positions: Tensor,
        slots: Pairs,
        first: int,
        *,
        same_slot: bool,
        prefixes: PrefixReads | None,
        threads: int,
        logits: Tensor | None = None,
    ) -> Tensor:
        """Run rows through all layers.

        Args:
            residual: [rows, hidden] embeddings, which the layers add to in place.
            positions: [rows] int64, the position of each in its slot.
            slots: keys and values of each layer.
            first: slot of the first row; the others follow it.
            same_slot: whether all rows share that slot.
            prefixes: where the rows read their first positions; None for each its own.
            threads: how many compute; no bit depends on it.
            logits: [rows, vocab], to be filled, or None.

        Returns:
            The normed output [rows, hidden] of the last layer.

        Raises:
            MemoryError: not enough memory for attention scores or panels of weights.
        """
        rows, lengths, normed = len(residual), positions + 1, torch.empty_like(residual)
        model = ctypes.byref(self._model)
        size = self._kernels.layers_scratch(model, rows)
        scratch = torch.empty(size + _ALIGNED, dtype=torch.uint8)
        steps = [side.stride() for side in slots[0]]
        offsets = [first * step[0] * residual.element_size() for step in steps]
        to_addresses = ctypes.c_void_p * len(slots)
        made = Pass(
            rows,
            *(residual.data_ptr(), positions.data_ptr(), lengths.data_ptr()),
            *(self._fused.cosines.data_ptr(), self._fused.sines.data_ptr()),
            *(to_addresses(*(pair[i].data_ptr() + offsets[i] for pair in slots)) for i in (0, 1)),
            *(strides(0 if same_slot else step[0], *step[1:3]) for step in steps),
            *addresses(prefixes),
            normed.data_ptr(),
            None if logits is None else logits.data_ptr(),
            -(-scratch.data_ptr() // _ALIGNED) * _ALIGNED,
            same_slot,
        )
        if self._kernels.run_layers(model, ctypes.byref(made), threads, self.seconds):
            raise MemoryError("not enough memory for attention scores or panels of weights")
        return normed
