"""Steps that reshape or truncate the distribution.

Each keeps the tokens that the transformers warper of its name keeps. Of equal scores at the cut of
top-p the lowest ids stay, where transformers leaves the choice to an unstable sort.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ethogram.engine.steps.history import History
from ethogram.engine.steps.registry import step


@step
def temperature(scores: Tensor, value: float, history: History) -> Tensor:
    """Divide the scores by the temperature."""
    return scores / value


@step
def top_k(scores: Tensor, k: float, history: History) -> Tensor:
    """Keep the k best tokens and all that tie with the k-th."""
    kth = scores.topk(min(int(k), scores.shape[1])).values[:, -1:]
    return scores.masked_fill(scores < kth, -torch.inf)


@step
def min_p(scores: Tensor, share: float, history: History) -> Tensor:
    """Keep tokens with at least `share` of the best token's probability (Nguyen et al. 2024)."""
    probabilities = scores.softmax(-1)
    floor = share * probabilities.amax(-1, keepdim=True)
    return scores.masked_fill(probabilities < floor, -torch.inf)


@step
def top_p(scores: Tensor, p: float, history: History) -> Tensor:
    """Keep the smallest set of best tokens whose mass reaches p (Holtzman et al. 2020).

    Equal to cutting where the ascending cumulative probability is at most 1 - p: a token stays
    if the mass above it is below p.
    """
    values, ids = scores.sort(dim=-1, descending=True, stable=True)
    weights = (values.double() - values[:, :1]).exp_()
    reached = weights.cumsum(-1)
    out = reached - weights >= p * reached[:, -1:]
    out[:, 0] = False
    return scores.masked_fill(out.scatter(1, ids, out), -torch.inf)
