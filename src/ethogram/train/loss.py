"""Next-token loss of the learned tokens only, without the logits of all others.

The head multiplies hidden states of learned positions, some thousand at a time, and the gradient is
made in the same pass: no logits are kept for the backward pass, and none are computed twice.
"""

from __future__ import annotations

import functools
import types
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional
from transformers.utils import ModelOutput

#: Logits made at a time, so that they fill at most 64 MB in float32.
_LOGITS = 16 * 1024 * 1024
#: Fields of a configuration that change the logits after the head.
_CHANGES = (
    "final_logit_softcapping",
    "logit_scale",
    "output_multiplier",
    "lm_head_multiplier",
    "logits_scaling",
)


@dataclass
class LearnedOutput(ModelOutput):  # type: ignore[misc]
    """Output of a patched model.

    Attributes:
        nll: negative log-likelihood of all learned tokens, summed; nats.
        correct: how many of them have the largest logit.
        count: how many there are.
    """

    nll: Any = None
    correct: Any = None
    count: Any = None


def can_patch(model: Any) -> bool:
    """Whether a causal model's logits are its head's output as it is."""
    config = model.config.get_text_config()
    plain = all(getattr(config, name, None) is None for name in _CHANGES)
    return plain and not getattr(config, "output_router_logits", False)


def patch(model: Any) -> None:
    """Let `model(..., labels=labels, learned_only=True)` return a `LearnedOutput`.

    The forward method is patched, rather than a function called beside it, so that what wraps the
    model (DDP, autocast) sees a forward pass.

    Args:
        model: a causal model of transformers, without the wrapper of an adapter.
    """
    original = model.forward

    @functools.wraps(original)
    def forward(self: Any, *args: Any, learned_only: bool = False, **kwargs: Any) -> Any:
        if not learned_only:
            return original(*args, **kwargs)
        labels = kwargs.pop("labels")
        hidden = self.base_model(*args, **{**kwargs, "use_cache": False}).last_hidden_state
        # The state of a token predicts the next one.  # [rows, tokens - 1]
        learned = labels[:, 1:] != -100
        nll, correct = learned_nll(
            hidden[:, :-1][learned], labels[:, 1:][learned], self.get_output_embeddings()
        )
        return LearnedOutput(nll=nll, correct=correct, count=learned.sum())

    model.forward = types.MethodType(forward, model)


def learned_nll(hidden: Any, targets: Any, head: Any) -> tuple[Any, Any]:
    """Negative log-likelihood of targets, summed, and how many have the largest logit.

    Args:
        hidden: [n, width] states that predict.
        targets: [n] ids.
        head: module from states to logits.
    """
    trained = [weight for weight in head.parameters() if weight.requires_grad]
    nll, correct = _HeadLoss.apply(hidden, targets, head, *trained)  # type: ignore[no-untyped-call]
    return nll, correct


class _HeadLoss(torch.autograd.Function):
    """Loss and its gradient, chunk by chunk."""

    @staticmethod
    def forward(ctx: Any, hidden: Any, targets: Any, head: Any, *trained: Any) -> Any:
        # Inside `forward` gradients are off; the inputs say whether the caller wants any.
        wanted = hidden.requires_grad or any(weight.requires_grad for weight in trained)
        total = torch.zeros((), dtype=torch.float32, device=hidden.device)
        correct = torch.zeros((), dtype=torch.long, device=hidden.device)
        grad_hidden = torch.empty_like(hidden) if wanted else None
        grads = [torch.zeros_like(weight) for weight in trained] if wanted else []
        size = max(1, _LOGITS // head.weight.shape[0])
        for start in range(0, len(hidden), size):
            some = slice(start, start + size)
            with torch.set_grad_enabled(wanted):
                states = hidden[some].detach().requires_grad_(wanted)
                logits = head(states).float()  # [chunk, vocab]
                loss = functional.cross_entropy(logits, targets[some], reduction="sum")
            if wanted:
                first, *rest = torch.autograd.grad(loss, [states, *trained])
                assert grad_hidden is not None
                grad_hidden[some] = first
                for grad, part in zip(grads, rest, strict=True):
                    grad += part
            total += loss.detach()
            correct += (logits.detach().argmax(-1) == targets[some]).sum()
        ctx.save_for_backward(*([grad_hidden, *grads] if wanted else []))
        ctx.mark_non_differentiable(correct)
        return total, correct

    @staticmethod
    def backward(ctx: Any, grad_total: Any, _: Any) -> Any:
        hidden, *rest = (grad * grad_total for grad in ctx.saved_tensors)
        return hidden, None, None, *rest
