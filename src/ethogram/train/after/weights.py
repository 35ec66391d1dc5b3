"""Weights: tensors that training left as they were."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ethogram.train.after.values import warning
from ethogram.train.job import Finding

if TYPE_CHECKING:
    import torch


def checksums(weights: Mapping[str, torch.Tensor]) -> dict[str, float]:
    """A number of each tensor that changes where the tensor does."""
    import torch

    found = {}
    for name, weight in weights.items():
        flat = weight.detach().double().flatten()
        slope = torch.linspace(1, 2, flat.numel(), dtype=torch.float64, device=flat.device)
        found[name] = float(flat @ slope)
    return found


def unchanged_weights(before: Mapping[str, float], after: Mapping[str, float]) -> list[Finding]:
    """Trained tensors that did not change; all of them, if none did."""
    same = sorted(name for name in after if before.get(name) == after[name])
    if not same:
        return []
    message = f"{len(same)} of {len(after)} trained tensors did not change, such as {same[0]}"
    if len(same) == len(after):
        message = "no weight changed"
    return [warning("weights_unchanged", message, "check the learning rate and what is learned")]
