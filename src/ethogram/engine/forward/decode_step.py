"""Runs one decode step of all slots in use, in parts of an allowed batch size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from ethogram.engine.forward.batch_invariance import BatchSizes
from ethogram.engine.forward.passes import ForwardPass


class DecodeOutput(NamedTuple):
    """The result of a decode step.

    Attributes:
        logits: [slots, vocab].
        padding: rows added to the slots.
        states: [slots, width] last hidden states, where the forward pass keeps them.
    """

    logits: Tensor
    padding: int
    states: Tensor | None


def decode_step(
    forward: ForwardPass, sizes: BatchSizes, tokens: Sequence[int], positions: Sequence[int]
) -> DecodeOutput:
    """Run one token of each of the first slots.

    Args:
        forward: the model and its slots.
        sizes: allowed batch sizes.
        tokens: the id that each slot runs, from slot 0 on.
        positions: its position in the slot.
    """
    used, padded = len(tokens), 0
    logits: list[Tensor] = []
    states: list[Tensor] = []
    for start in range(0, used, sizes.largest):
        stop = min(start + sizes.largest, used)
        padding = sizes.padded(stop - start) - (stop - start)
        padded += padding
        ids = [*tokens[start:stop], *[0] * padding]
        at = [*positions[start:stop], *[0] * padding]
        logits.append(forward.decode(ids, at, first=start)[: stop - start])
        if forward.states is not None:
            states.append(forward.states[: stop - start])
    return DecodeOutput(_joined(logits), padded, _joined(states) if states else None)


def _joined(parts: Sequence[Tensor]) -> Tensor:
    return parts[0] if len(parts) == 1 else torch.cat(list(parts))
