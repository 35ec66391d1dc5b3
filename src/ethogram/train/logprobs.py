"""Log-probabilities of learned tokens: the head is applied to no other position.

TRL's own head on a CPU multiplies the states of prompts and padding, too.
"""

from __future__ import annotations

import functools
import types
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils.checkpoint import checkpoint
from transformers.utils import ModelOutput

from ethogram.train.loss import can_patch

#: Logits made at a time: at most 64 MB in float32. More are made again for the backward pass.
_LOGITS = 16 * 1024 * 1024


@dataclass
class TokenLogprobs(ModelOutput):  # type: ignore[misc]
    """Output of a patched model.

    Attributes:
        logprobs: [n] log-probability of each learned token in nats, row by row.
        correct: [n] whether it has the largest logit.
        learned: [rows, width - 1] where they are; entry t is of token t + 1.
    """

    logprobs: Any = None
    correct: Any = None
    learned: Any = None


def patch(model: Any) -> None:
    """Let `model(..., labels=labels, token_logprobs=True)` return `TokenLogprobs`.

    The forward method is patched, rather than a function called beside it, so that what wraps the
    model (DDP, an adapter) sees a forward pass.

    Args:
        model: a causal model of transformers, without the wrapper of an adapter.
    """
    original, plain = model.forward, can_patch(model)

    @functools.wraps(original)
    def forward(self: Any, *args: Any, token_logprobs: bool = False, **kwargs: Any) -> Any:
        if not token_logprobs:
            return original(*args, **kwargs)
        labels = kwargs.pop("labels")
        learned = labels[:, 1:] != -100  # The state of a token predicts the next one.
        targets = labels[:, 1:][learned]
        kwargs["use_cache"] = False
        if plain:
            hidden = self.base_model(*args, **kwargs).last_hidden_state[:, :-1][learned]
            logprobs, correct = _logprobs(hidden, targets, self.get_output_embeddings())
        else:
            logits = original(*args, **kwargs).logits[:, :-1][learned]
            logprobs, correct = _of_logits(logits, targets)
        return TokenLogprobs(logprobs=logprobs, correct=correct, learned=learned)

    model.forward = types.MethodType(forward, model)


def _logprobs(hidden: Any, targets: Any, head: Any) -> tuple[Any, Any]:
    """[n, width] states and [n] ids to [n] log-probabilities and whether each is the largest."""
    size = max(1, _LOGITS // head.weight.shape[0])
    if len(hidden) <= size:
        return _chunk(hidden, targets, head)
    parts = [
        checkpoint(
            _chunk,
            hidden[start : start + size],
            targets[start : start + size],
            head,
            use_reentrant=False,
        )
        for start in range(0, len(hidden), size)
    ]
    logprobs, correct = zip(*parts, strict=True)
    return torch.cat(logprobs), torch.cat(correct)


def _chunk(hidden: Any, targets: Any, head: Any) -> tuple[Any, Any]:
    return _of_logits(head(hidden), targets)


def _of_logits(logits: Any, targets: Any) -> tuple[Any, Any]:
    """[n, vocab] logits and [n] ids to [n] log-probabilities, and whether each is the largest."""
    logprobs = torch.log_softmax(logits.float(), -1).gather(-1, targets[:, None]).squeeze(-1)
    return logprobs, logits.detach().argmax(-1) == targets
