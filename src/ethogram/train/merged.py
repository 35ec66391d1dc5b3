"""The model of a trainer as it is saved and served: float32, adapters merged."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import torch

from ethogram.train.arguments import sharded


@torch.no_grad()
def plain_copy(trainer: Any, *, merge: bool = True) -> Any:
    """A second copy of a trainer's weights in float32; drop it soon.

    Args:
        trainer: one with `FastTraining`.
        merge: merge an adapter into the weights under it.

    Returns:
        A transformers module in eval mode that the training does not change.
    """
    exact = trainer.exact_weights()
    if sharded():
        return _gathered(trainer, exact)
    model = copy.deepcopy(trainer.accelerator.unwrap_model(trainer.model)).float().eval()
    for module in model.modules():
        # Trainers patch `forward`, and a patch would go on calling the model that it was copied of.
        vars(module).pop("forward", None)
    frozen = _frozen(trainer)
    for name, weight in model.named_parameters():
        weight.grad = None
        if name in exact:
            weight.copy_(exact[name])
        elif (plain := _under_adapter(name)) in frozen:
            weight.copy_(frozen[plain])
    del exact, frozen
    if merge and hasattr(model, "merge_and_unload"):
        model = model.merge_and_unload()
    model.requires_grad_(False)
    model.config.use_cache = True
    if hasattr(model, "set_attn_implementation"):
        model.set_attn_implementation("sdpa")
    return model


def _gathered(trainer: Any, weights: Mapping[str, torch.Tensor]) -> Any:
    """A module of gathered weights; its weights are random where they are not all here."""
    module = trainer.accelerator.unwrap_model(trainer.model)
    model = type(module)(copy.deepcopy(module.config)).float().eval()
    if weights:
        model.load_state_dict(weights, strict=False)
        model.tie_weights()
    return model.requires_grad_(False)


def _frozen(trainer: Any) -> Mapping[str, torch.Tensor]:
    """The float32 weights under an adapter, where training rounded them."""
    from safetensors.torch import load_file

    file = getattr(trainer, "frozen_file", None)
    return load_file(file) if file is not None and file.is_file() else {}


def _under_adapter(name: str) -> str:
    """A weight's name without what peft adds to it."""
    return name.removeprefix("base_model.model.").replace(".base_layer.", ".")
