"""Finds the batch sizes at which a model's matrix products are row-invariant on this machine.

A matrix product is computed in blocks that depend on its number of rows, so a row's result may
differ by rounding between a batch of 3 and one of 64. Libraries do not document where this changes,
and it differs by processor; so the model's own shapes are measured when it is loaded.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

#: Batch sizes measured, and the one to which the others are compared. Multiples of 16 from 64 to
#: 192 were measured to be equal for bf16 and fp32 on processors with and without AMX, smaller ones
#: only on some, and odd ones on none. One row is no candidate: it is a matrix-vector product,
#: another kernel, and differs in so few rows (4 of 64 of a bf16 layer of 1536 by 576) that
#: measuring it can miss it.
CANDIDATES = (2, 4, 8, 16, 32, 48, 64, 80, 96, 112, 128, 144, 160, 176, 192)
REFERENCE = 64


@dataclass(frozen=True, slots=True)
class BatchSizes:
    """Numbers of rows that a decode step may run.

    Attributes:
        allowed: ascending; None where any number up to `largest` will do.
        largest: the largest.
    """

    allowed: tuple[int, ...] | None
    largest: int

    def padded(self, rows: int) -> int:
        """The smallest allowed size that holds `rows`, which is at most `largest`."""
        if self.allowed is None:
            return rows
        return next(size for size in self.allowed if size >= rows)

    def slots(self, rows: int) -> int:
        """Slots for so many rows when they run `largest` at a time, padding included."""
        whole, rest = divmod(rows, self.largest)
        return whole * self.largest + (self.padded(rest) if rest else 0)


#: For those who need few sizes, as few CUDA graphs, but not the same bits.
FEW_SIZES = BatchSizes(CANDIDATES, CANDIDATES[-1])
#: For those whose rows are independent by construction, or need not be.
ANY_SIZE = BatchSizes(None, 1024)


def invariant_batch_sizes(parts: Iterable[Any]) -> BatchSizes:
    """Measure the shapes of a model's matrix products on this machine.

    Args:
        parts: the modules of a model, or the products of its fused model.

    Returns:
        The candidates at which a row has the bits that it has in a batch of 64.
    """
    generator = torch.Generator().manual_seed(0)
    equal = set(CANDIDATES)
    for layer in _distinct_products(parts):
        rows = torch.randn(CANDIDATES[-1], _inputs(layer), generator=generator)
        equal &= _equal_sizes(layer, rows.to(layer.weight.device, layer.weight.dtype))
    sizes = tuple(sorted(equal | {REFERENCE}))
    return BatchSizes(sizes, sizes[-1])


@torch.inference_mode()
def _equal_sizes(layer: Any, rows: Tensor) -> set[int]:
    """The candidates at which all rows come out as in batches of `REFERENCE`.

    Args:
        layer: the product.
        rows: [most candidates, inputs], a whole number of batches.
    """
    parts = torch.split(rows, REFERENCE)
    alone = [layer(part) for part in parts]
    for part, reference in zip(parts, alone, strict=True):
        if not torch.equal(layer(part.flip(0)).flip(0), reference):
            return {REFERENCE}  # Even a row's index in the batch matters: no size helps.
    # Of more rows than `REFERENCE`, each must equal what it is in its own batch of that size.
    among = torch.cat(alone)
    return {size for size in CANDIDATES if torch.equal(layer(rows[:size]), among[:size])}


def _distinct_products(parts: Iterable[Any]) -> Sequence[Any]:
    """One layer for each shape of matrix product among the parts."""
    found: dict[Any, Any] = {}
    for layer in parts:
        if type(layer).__name__ in ("Linear", "Conv1D"):
            key = (type(layer).__name__, tuple(layer.weight.shape), layer.bias is not None)
            found.setdefault(key, layer)
    return list(found.values())


def _inputs(layer: Any) -> int:
    """Width of a row: GPT-2's Conv1D keeps its weight transposed."""
    shape = layer.weight.shape
    return int(shape[0] if type(layer).__name__ == "Conv1D" else shape[1])
