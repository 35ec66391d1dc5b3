"""Feeds the last tokens of slots, in parts of allowed size. Knows rows; knows no output."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ethogram.engine.forward import DecoderOnly
from ethogram.engine.invariance import RowClass


def feed(
    forward: DecoderOnly, rows: RowClass, tokens: Sequence[int], positions: Sequence[int]
) -> tuple[Tensor, int]:
    """One decode step of the first slots.

    Args:
        forward: the model and its slots.
        rows: how many rows a step may feed.
        tokens: the id that each slot feeds, from slot 0 on.
        positions: where it stands in its slot.

    Returns:
        [slots, vocab] fp32 logits, and how many rows were fed beside them as padding.
    """
    used, made, padded = len(tokens), [], 0
    for start in range(0, used, rows.most):
        stop = min(start + rows.most, used)
        padding = rows.padded(stop - start) - (stop - start)
        padded += padding
        fed = [*tokens[start:stop], *[0] * padding]
        places = [*positions[start:stop], *[0] * padding]
        made.append(forward.decode(fed, places, first=start)[: stop - start])
    return (made[0] if len(made) == 1 else torch.cat(made)), padded
