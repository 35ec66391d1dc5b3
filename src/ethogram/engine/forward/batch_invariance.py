"""Which numbers of rows give each row the same bits. Knows matrix products; knows no request.

A matrix product is computed in blocks that depend on its number of rows, so a row's result may
differ by rounding between a batch of 3 and one of 64. Libraries do not say where the borders lie,
and they differ by processor; a model's own shapes are therefore tried out when it is taken up.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

#: Numbers of rows tried, and the one to which the others are compared. Multiples of 16 from 64 to
#: 192 were measured to be one class for bf16 and fp32 on processors with and without AMX, smaller
#: ones only on some, and odd ones on none. A single row is no candidate: it is a product with a
#: vector, another kernel, and differs in so few rows (4 of 64 of a bf16 layer of 1536 by 576) that
#: trying it out can miss it.
CANDIDATES = (2, 4, 8, 16, 32, 48, 64, 80, 96, 112, 128, 144, 160, 176, 192)
REFERENCE = 64


@dataclass(frozen=True, slots=True)
class RowClass:
    """Numbers of rows that a decode step may feed so that each row has the same bits.

    Attributes:
        counts: ascending; None where any number up to `most` will do.
        most: the largest.
    """

    counts: tuple[int, ...] | None
    most: int

    def padded(self, rows: int) -> int:
        """The smallest allowed number that is no less than `rows`, which is at most `most`."""
        if self.counts is None:
            return rows
        return next(count for count in self.counts if count >= rows)

    def slots(self, rows: int) -> int:
        """How many slots so many rows need when they are fed `most` at a time, padding included."""
        whole, rest = divmod(rows, self.most)
        return whole * self.most + (self.padded(rest) if rest else 0)


#: All numbers that are tried, for those who need few of them and not the same bits.
FEW_COUNTS = RowClass(CANDIDATES, CANDIDATES[-1])


def row_class(parts: Iterable[Any]) -> RowClass:
    """Try the shapes of a model's matrix products out on this machine.

    Args:
        parts: the modules of a model, or the products of its fused fused.

    Returns:
        The numbers among those tried that give a row the bits that it has among 64.
    """
    generator = torch.Generator().manual_seed(0)
    equal = set(CANDIDATES)
    for layer in _distinct_products(parts):
        rows = torch.randn(CANDIDATES[-1], _inputs(layer), generator=generator)
        equal &= _equal_counts(layer, rows.to(layer.weight.device, layer.weight.dtype))
    counts = tuple(sorted(equal | {REFERENCE}))
    return RowClass(counts, counts[-1])


@torch.inference_mode()
def _equal_counts(layer: Any, rows: Tensor) -> set[int]:
    """The candidate counts under which all rows come out as in batches of `REFERENCE`.

    Args:
        layer: the product.
        rows: [most candidates, inputs], a whole number of batches.
    """
    parts = torch.split(rows, REFERENCE)
    alone = [layer(part) for part in parts]
    for part, reference in zip(parts, alone, strict=True):
        if not torch.equal(layer(part.flip(0)).flip(0), reference):
            return {REFERENCE}  # Even a row's place among equally many matters: no number helps.
    # Of more rows than `REFERENCE`, each has to be what it is in a batch of that many of its own.
    among = torch.cat(alone)
    return {count for count in CANDIDATES if torch.equal(layer(rows[:count]), among[:count])}


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
