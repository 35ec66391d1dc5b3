"""Row sums that are batch-invariant: the same bits whatever other rows there are."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def by_row(reduce: Callable[[Tensor], Tensor], values: Tensor) -> Tensor:
    """Reduce each row, to the same bits among any number of rows.

    torch splits the sum of a single long row among its threads, and so rounds it otherwise than
    the same row among others. A row is therefore never summed alone.

    Args:
        reduce: from [n, vocab] to [n, ...], each row by itself.
        values: [rows, vocab].
    """
    if len(values) == 1:
        return reduce(torch.cat([values, values]))[:1]
    return reduce(values)


def row_sums(values: Tensor) -> Tensor:
    """[rows, vocab] to [rows, 1]."""
    return by_row(lambda some: some.sum(-1, keepdim=True), values)


def log_totals(scores: Tensor) -> Tensor:
    """[rows, vocab] to [rows, 1]: log-sum-exp."""
    return by_row(lambda some: some.logsumexp(-1, keepdim=True), scores)
