"""The mask of an output's form, and what happens where other steps rule out all that it lets in."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ethogram.engine.steps.history import History
from ethogram.engine.steps.registry import step


@step
def response_format(scores: Tensor, value: object, history: History) -> Tensor:
    """Rule out the tokens that each row's form does not let in (`engine/structure`)."""
    if not history.masks:
        return scores
    return scores.masked_fill(~_allowed(scores, history), -torch.inf)


def within_form(scores: Tensor, logits: Tensor, history: History) -> Tensor:
    """Scores after all steps; where nothing is left of a row, its logits within the form alone.

    Args:
        scores: [rows, vocab] fp32.
        logits: [rows, vocab] fp32, before any step.
        history: of the rows.
    """
    if not history.masks:
        return scores
    allowed = _allowed(scores, history)
    lost = ~(scores.amax(-1) > -torch.inf) | ~logits.logsumexp(-1).isfinite()
    if not bool(lost.any()):
        return scores
    plain = logits.masked_fill(~allowed, -torch.inf)
    dead = ~(plain.amax(-1) > -torch.inf) | ~logits.logsumexp(-1).isfinite()
    first = torch.full_like(plain, -torch.inf)
    first.scatter_(1, allowed.float().argmax(-1, keepdim=True), 0.0)
    plain = torch.where(dead.unsqueeze(1), first, plain)
    return torch.where(lost.unsqueeze(1), plain, scores)


def _allowed(scores: Tensor, history: History) -> Tensor:
    """[rows, vocab] whether each token is in its row's mask."""
    words = np.stack(list(history.masks)).view(np.uint8)
    bits = np.unpackbits(words, axis=1, bitorder="little", count=scores.shape[1])
    return torch.from_numpy(bits).to(scores.device).bool()
