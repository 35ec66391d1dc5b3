"""Batch sizes at which a matrix product gives a row the same bits."""

from __future__ import annotations

import pytest
import torch
from tests.engine import tiny

from ethogram.engine.forward.batch_invariance import CANDIDATES, BatchSizes, invariant_batch_sizes


def test_invariant_batch_sizes_hold_on_this_machine() -> None:
    """Whatever the range is, the counts in it give equal bits."""
    model = tiny.loaded("gpt2").model
    found = invariant_batch_sizes(model.modules())
    assert found.allowed is not None
    assert 64 in found.allowed
    assert set(found.allowed) <= set(CANDIDATES)
    layer = model.transformer.h[0].mlp.c_fc
    rows = torch.randn(192, layer.weight.shape[0], generator=torch.Generator().manual_seed(9))
    among = torch.cat([layer(part) for part in rows.split(64)])
    for count in found.allowed:
        assert torch.equal(layer(rows[:count]), among[:count])


def test_a_product_that_differs_by_batch_size_narrows_the_sizes() -> None:
    class Odd(torch.nn.Linear):
        """Rounds differently below 32 and above 96 rows."""

        def forward(self, rows: torch.Tensor) -> torch.Tensor:
            out = super().forward(rows)
            return out if 32 <= len(rows) <= 96 else out * (1 + 2**-20)

    Odd.__name__ = "Linear"
    torch.manual_seed(0)
    found = invariant_batch_sizes([Odd(24, 40)])
    assert found.allowed is not None
    assert min(found.allowed) >= 32
    assert max(found.allowed) == found.largest <= 96


@pytest.mark.parametrize(("first", "most"), [(64, 64), (100, 96), (160, 160), (191, 176)])
def test_rows_beyond_the_reference_are_compared_too(first: int, most: int) -> None:
    """A product that rounds differently from some row on, which the first 64 never show."""

    class Late(torch.nn.Linear):
        def forward(self, rows: torch.Tensor) -> torch.Tensor:
            out = super().forward(rows)
            out[first:] *= 1 + 2**-20
            return out

    Late.__name__ = "Linear"
    torch.manual_seed(0)
    found = invariant_batch_sizes([Late(24, 40)])
    assert found.allowed is not None
    assert found.largest <= most
    assert 64 in found.allowed


@pytest.mark.parametrize(("rows", "fed"), [(1, 4), (4, 4), (5, 16), (64, 64)])
def test_rows_are_padded_to_the_next_allowed_size(rows: int, fed: int) -> None:
    assert BatchSizes((4, 16, 64), 64).padded(rows) == fed
    assert BatchSizes(None, 64).padded(rows) == rows
