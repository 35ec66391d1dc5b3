"""Gradients: adapters that one backward pass does not reach."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from ethogram.train.job import Finding

_ROWS = 4


def dead_adapters(trainer: Any) -> Finding | None:
    """Adapted layers none of whose matrices gets a gradient from the first rows.

    At the start one of the two matrices of a layer is zero, so the other one's gradient is zero
    too; a layer is alive if one of them has one.

    Args:
        trainer: whose model has an adapter, or not. Its weights and random state stay as they are.
    """
    import torch

    model = trainer.accelerator.unwrap_model(trainer.model)
    trained = {name: each for name, each in model.named_parameters() if each.requires_grad}
    layers: dict[str, list[Any]] = defaultdict(list)
    for name, weight in trained.items():
        layers[name.partition(".lora_")[0]].append(weight)
    if not any(".lora_" in name for name in trained):
        return None
    examples = [trainer.train_dataset[at] for at in range(min(_ROWS, len(trainer.train_dataset)))]
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        model.train()
        batch = trainer._prepare_inputs(trainer.data_collator(examples))
        trainer.compute_loss(trainer.model, batch).backward()
    dead = sorted(
        name for name, weights in layers.items() if all(_is_zero(each.grad) for each in weights)
    )
    model.zero_grad(set_to_none=True)
    _forget(trainer)
    if not dead:
        return None
    return Finding(
        "no_gradient",
        f"{len(dead)} of {len(layers)} adapted layers get no gradient, such as {dead[0]}",
        "the layer takes no part in the loss: name other layers in lora.targets",
    )


def _is_zero(grad: Any) -> bool:
    return grad is None or not bool(grad.abs().max() > 0)


def _forget(trainer: Any) -> None:
    """Metrics that TRL collected of this pass."""
    for mode in getattr(trainer, "_metrics", {}).values():
        mode.clear()
