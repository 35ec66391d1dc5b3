"""Mirostat 2: steers the surprisal of a text to a target. Knows scores and each row's limit.

Source: Basu et al. 2021 (arXiv 2007.14966) and their repository; as in llama.cpp. Surprisal and
limits are in bits. A row's limit is a pure function of its own draws: it starts at twice the
target, and after each draw moves against the error by the learning rate.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ethogram.engine.steps.history import History
from ethogram.engine.steps.registry import step
from ethogram.engine.steps.rows import log_totals
from ethogram.spec.groups import Mirostat

_BITS = 1 / math.log(2)  # per nat


@step
def mirostat(scores: Tensor, settings: Mirostat, history: History) -> Tensor:
    """Drop tokens whose surprisal is above their row's limit; the best and its ties always stay."""
    limits = torch.tensor(history.surprisal_limits, dtype=scores.dtype, device=scores.device)
    is_out = -_BITS * scores.log_softmax(-1) > limits.unsqueeze(1)
    return scores.masked_fill(is_out & (scores < scores.amax(-1, keepdim=True)), -torch.inf)


def surprisal(scores: Tensor, tokens: Tensor) -> list[float]:
    """Surprisal of each row's token, bits, under the distribution that it was drawn from.

    Args:
        scores: [rows, vocab] after all steps.
        tokens: [rows] int64.
    """
    drawn = scores.gather(1, tokens.unsqueeze(1)).squeeze(1)
    nats = log_totals(scores.double()).squeeze(1) - drawn
    return [_BITS * value for value in nats.tolist()]


def first_limit(settings: Mirostat) -> float:
    """The limit of a row that has drawn nothing yet, bits."""
    return 2 * settings.tau


def next_limit(limit: float, surprisal: float, settings: Mirostat) -> float:
    """The limit after a draw of this surprisal, bits."""
    return limit - settings.eta * (surprisal - settings.tau)
