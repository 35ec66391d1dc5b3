"""Feeds the last tokens of slots, in parts of allowed size. Knows rows; knows no output."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from ethogram.engine.forward.batch_invariance import RowClass
from ethogram.engine.forward.passes import DecoderOnly


class Fed(NamedTuple):
    """What a decode step gave.

    Attributes:
        logits: [slots, vocab].
        padding: rows fed beside the slots.
        states: [slots, width] last hidden states, where the forward pass keeps them.
    """

    logits: Tensor
    padding: int
    states: Tensor | None


def feed(
    forward: DecoderOnly, rows: RowClass, tokens: Sequence[int], positions: Sequence[int]
) -> Fed:
    """One decode step of the first slots.

    Args:
        forward: the model and its slots.
        rows: how many rows a step may feed.
        tokens: the id that each slot feeds, from slot 0 on.
        positions: where it stands in its slot.
    """
    used, padded = len(tokens), 0
    logits: list[Tensor] = []
    states: list[Tensor] = []
    for start in range(0, used, rows.most):
        stop = min(start + rows.most, used)
        padding = rows.padded(stop - start) - (stop - start)
        padded += padding
        fed = [*tokens[start:stop], *[0] * padding]
        places = [*positions[start:stop], *[0] * padding]
        logits.append(forward.decode(fed, places, first=start)[: stop - start])
        if forward.states is not None:
            states.append(forward.states[: stop - start])
    return Fed(_joined(logits), padded, _joined(states) if states else None)


def _joined(parts: Sequence[Tensor]) -> Tensor:
    return parts[0] if len(parts) == 1 else torch.cat(list(parts))
