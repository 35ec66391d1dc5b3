"""Muon with matrix products in a chosen precision.

`torch.optim.Muon` makes its products in bfloat16. A processor without instructions for bfloat16
takes some twenty times as long for them as for float32 (measured on AVX2: 27 times for 384 × 1536),
so that the optimizer would take longer than the model.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor


class Muon(torch.optim.Muon):
    """Muon (Jordan et al. 2024), as `torch.optim.Muon` makes it, with products of type `products`.

    Args:
        params: matrices.
        products: type of the products of the Newton-Schulz iteration. With bfloat16 the updates are
            those of torch, bit for bit.
        settings: of `torch.optim.Muon`.
    """

    def __init__(self, params: Iterable[Tensor], *, products: torch.dtype, **settings: Any) -> None:
        super().__init__(list(params), **settings)
        self._products = products

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Update the matrices by their gradients."""
        if closure is not None:
            raise ValueError("closures are not supported")
        for group in self.param_groups:
            for matrix in group["params"]:
                if matrix.grad is not None:
                    self._update(matrix, group)

    def _update(self, matrix: Tensor, group: dict[str, Any]) -> None:
        state, gradient = self.state[matrix], matrix.grad
        assert gradient is not None
        if "momentum_buffer" not in state:
            state["momentum_buffer"] = torch.zeros_like(gradient)
        momentum: Tensor = state["momentum_buffer"]
        momentum.lerp_(gradient, 1 - group["momentum"])
        nesterov = group["nesterov"]
        direction = gradient.lerp(momentum, group["momentum"]) if nesterov else momentum
        update = orthogonal(
            direction.to(self._products),
            coefficients=group["ns_coefficients"],
            steps=group["ns_steps"],
            eps=group["eps"],
        )
        rows, columns = matrix.shape
        rate = group["lr"] * math.sqrt(max(1, rows / columns))
        matrix.mul_(1 - group["lr"] * group["weight_decay"])
        matrix.add_(update, alpha=-rate)


def orthogonal(
    matrix: Tensor, *, coefficients: tuple[float, float, float], steps: int, eps: float
) -> Tensor:
    """A matrix [rows, columns] with its singular values moved near 1, in its own precision.

    Args:
        matrix: any of rank 1 or more.
        coefficients: of the polynomial of the Newton-Schulz iteration.
        steps: iterations.
        eps: least norm to divide by.
    """
    a, b, c = coefficients
    is_tall = matrix.size(0) > matrix.size(1)
    wide = matrix.T if is_tall else matrix
    wide = wide / wide.norm().clamp(min=eps)
    for _ in range(steps):
        gram = wide @ wide.T
        wide = torch.addmm(wide, torch.addmm(gram, gram, gram, beta=b, alpha=c), wide, beta=a)
    return wide.T if is_tall else wide
