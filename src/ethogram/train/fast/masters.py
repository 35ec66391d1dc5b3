"""MasterWeights: an optimizer that keeps float32 weights beside the model's own.

A bfloat16 weight has 8 bits of precision, so that most updates of training would round to nothing.
The updates are made to float32 copies, and the model's weights are these copies, rounded. Weights
that are float32 are their own masters, so one class serves both precisions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor

from ethogram.train.fast.muon import Muon

#: Learning rate of matrices under Muon, as a multiple of the rate of AdamW (0.02 beside 0.002).
MUON_RATE = 10.0
_MOMENTUM = 0.95
_BETAS = (0.9, 0.95)


class MasterWeights(torch.optim.Optimizer):
    """AdamW, and Muon where a group asks for it, on float32 masters of a model's weights.

    Args:
        groups: each with `params`, `lr`, `weight_decay`, and `algorithm`: "adamw" or "muon".
        originals: float32 values of weights that were rounded before, taken over as masters;
            masters of other weights are copies.
    """

    def __init__(
        self,
        groups: Iterable[dict[str, Any]],
        *,
        originals: Mapping[Tensor, Tensor] | None = None,
    ) -> None:
        super().__init__(list(groups), {"lr": 1e-3, "weight_decay": 0.0, "algorithm": "adamw"})
        known = originals or {}
        #: Gradients are multiplied by it at the next step, in float32: the share that clipping
        #: leaves of them.
        self.gradient_scale = 1.0
        self.masters: dict[Tensor, Tensor] = {
            weight: _master(weight, known.get(weight))
            for group in self.param_groups
            for weight in group["params"]
        }
        self._inner = [self._optimizer(group) for group in self.param_groups]

    def _optimizer(self, group: Mapping[str, Any]) -> torch.optim.Optimizer:
        masters = [self.masters[weight] for weight in group["params"]]
        settings = {"lr": group["lr"], "weight_decay": group["weight_decay"]}
        if group["algorithm"] == "muon":
            # bfloat16 was chosen where its products are fast: see `precision`.
            half = any(weight.dtype == torch.bfloat16 for weight in group["params"])
            products = torch.bfloat16 if half else torch.float32
            return Muon(masters, products=products, momentum=_MOMENTUM, **settings)
        return torch.optim.AdamW(masters, betas=_BETAS, fused=True, **settings)

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Update the masters by the gradients of the weights, and round them into the weights."""
        if closure is not None:
            raise ValueError("closures are not supported")
        for group, inner in zip(self.param_groups, self._inner, strict=True):
            for own in inner.param_groups:
                own["lr"], own["weight_decay"] = group["lr"], group["weight_decay"]
            for weight in group["params"]:
                self._lend_gradient(weight)
            inner.step()
            for weight in group["params"]:
                master = self.masters[weight]
                if master is not weight:
                    weight.copy_(master)
                    master.grad = None
        self.gradient_scale = 1.0

    def _lend_gradient(self, weight: Tensor) -> None:
        master, gradient = self.masters[weight], weight.grad
        if gradient is None:
            master.grad = None
            return
        if master is weight:
            if self.gradient_scale != 1:
                gradient.mul_(self.gradient_scale)
            return
        master.grad = gradient.float().mul_(self.gradient_scale)

    def state_dict(self) -> dict[str, Any]:
        """Masters and the state of the inner optimizers, by the position of each weight."""
        return {
            "param_groups": [
                {name: value for name, value in group.items() if name != "params"}
                for group in self.param_groups
            ],
            "masters": [
                [None if self.masters[w] is w else self.masters[w] for w in group["params"]]
                for group in self.param_groups
            ],
            "inner": [inner.state_dict()["state"] for inner in self._inner],
        }

    @torch.no_grad()
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take the state that `state_dict` returned, of an optimizer over the same weights.

        Raises:
            ValueError: it is of other weights.
        """
        groups = state_dict["param_groups"]
        if len(groups) != len(self.param_groups):
            raise ValueError("the state is of an optimizer with other groups")
        for group, stored, masters in zip(
            self.param_groups, groups, state_dict["masters"], strict=True
        ):
            group.update(stored)
            for weight, master in zip(group["params"], masters, strict=True):
                if master is not None:
                    self.masters[weight].copy_(master)
        for inner, state in zip(self._inner, state_dict["inner"], strict=True):
            # Loaded through their own method, which moves each tensor to its weight's device.
            inner.load_state_dict({**inner.state_dict(), "state": state})


def _master(weight: Tensor, original: Tensor | None) -> Tensor:
    if weight.dtype == torch.float32:
        return weight
    exact = weight if original is None else original
    return exact.detach().to(weight.device, torch.float32)
