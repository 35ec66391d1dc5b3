"""The loss of the next token, with its gradient taken in the same pass over the logits.

A plain loss holds the logits, their logarithms and gradients of both in float32 at once. Here a
float32 number lives as long as a processor's cache holds it, and only the gradient is kept, in the
format of the logits (as Hsu et al. 2024, "Liger Kernel", section 3.2, does on GPUs).
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from ethogram.engine.native.training import has_training_kernels, token_loss
from ethogram.train.blocks import IGNORED

#: Float32 numbers that torch handles at once: on a CPU they stay in the second-level cache, on a
#: GPU each part costs some launches.
_PART, _LARGE_PART = 1 << 18, 1 << 26


def next_token_loss(
    outputs: Any, labels: Tensor, num_items_in_batch: Tensor | int | None = None
) -> Tensor:
    """The mean cross-entropy of each next token, for `compute_loss_func` of a Trainer.

    Args:
        outputs: of a causal model; `outputs.logits`: [rows, tokens, vocabulary].
        labels: [rows, tokens]; a place's label is learned at the place before, `IGNORED` nowhere.
        num_items_in_batch: labels of the whole step; None for those given here.

    Returns:
        The sum of losses in nats, divided by the number of labels.
    """
    logits = outputs.logits
    shifted = torch.nn.functional.pad(labels[:, 1:], (0, 1), value=IGNORED).reshape(-1)
    count = (shifted != IGNORED).sum() if num_items_in_batch is None else num_items_in_batch
    found: Tensor = _MeanLoss.apply(  # type: ignore[no-untyped-call]
        logits.reshape(-1, logits.shape[-1]), shifted, float(count)
    )
    return found


class _MeanLoss(torch.autograd.Function):
    """Logits [n, vocabulary], labels [n] and their number to the mean loss, float32."""

    @staticmethod
    def forward(context: Any, logits: Tensor, labels: Tensor, count: float) -> Tensor:
        scale = 1 / count if count else math.nan  # As torch: no label, no loss.
        wanted = scale if context.needs_input_grad[0] else None
        losses = token_loss if has_training_kernels(logits) else _token_loss
        found, gradient = losses(logits, labels, scale=wanted)
        context.save_for_backward(gradient)
        return (found.sum() * scale).to(logits.device, torch.float32)

    @staticmethod
    @once_differentiable
    def backward(context: Any, scale: Tensor) -> tuple[Tensor, None, None]:
        (gradient,) = context.saved_tensors
        # Mostly there is nothing to do; to look is to wait for a GPU. The format stays, as a scale
        # has no dimension.
        is_done = scale.device.type == "cpu" and scale.item() == 1
        return (gradient if is_done else gradient * scale), None, None


def _token_loss(
    logits: Tensor, labels: Tensor, *, scale: float | None = None
) -> tuple[Tensor, Tensor | None]:
    """What the kernel computes, by torch: on a GPU, and without a compiler."""
    gradient = None if scale is None else torch.empty_like(logits)
    losses = torch.zeros(len(labels), dtype=torch.float64, device=logits.device)
    numbers = _PART if logits.device.type == "cpu" else _LARGE_PART
    size = max(1, numbers // logits.shape[-1])
    for start in range(0, len(labels), size):
        rows = slice(start, start + size)
        unlearned = (labels[rows] < 0).unsqueeze(1)
        chosen = labels[rows].unsqueeze(1).masked_fill(unlearned, 0)
        logarithms = torch.log_softmax(logits[rows], -1, dtype=torch.float32)
        losses[rows] = -logarithms.gather(1, chosen).masked_fill(unlearned, 0.0).squeeze(1).double()
        if gradient is not None:
            shares = logarithms.exp_()
            shares.scatter_add_(1, chosen, shares.new_full(chosen.shape, -1.0))
            gradient[rows] = shares.masked_fill_(unlearned, 0.0).mul_(scale or 0.0)
    return losses, gradient
