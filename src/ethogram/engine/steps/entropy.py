"""Truncations that weigh surprisal against entropy. Knows scores only; never looks at history.

Each keeps the tokens that the transformers warper of its name keeps; of equal scores at the cut of
top-h the lowest ids stay. Surprisal and entropy are in nats.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ethogram.engine.steps.history import History
from ethogram.engine.steps.registry import step
from ethogram.engine.steps.rows import log_totals, row_sums

#: Top-H looks at no more than this many best tokens (transformers `TopHLogitsWarper`).
_TOP_H_TOKENS = 100


def entropy(scores: Tensor) -> Tensor:
    """[rows, 1] entropy of softmax(scores), by the steps of `torch.distributions.Categorical`."""
    log_probs, probabilities = _distribution(scores)
    log_probs = log_probs.clamp(min=torch.finfo(scores.dtype).min)  # 0 * -inf is 0 here
    return -row_sums(log_probs * probabilities)


def _distribution(scores: Tensor) -> tuple[Tensor, Tensor]:
    """Log-probabilities and probabilities of each row, rounded as `Categorical` rounds them."""
    log_probs = scores - log_totals(scores)
    return log_probs, log_probs.softmax(-1)


@step
def typical_p(scores: Tensor, mass: float, history: History) -> Tensor:
    """Keep the tokens whose surprisal is nearest the entropy until they have this mass.

    Source: Meister et al. 2022. It can drop the most probable token; tokens as far from the
    entropy as the last one kept stay too.
    """
    log_probs = scores.log_softmax(-1)
    mean = row_sums((log_probs * log_probs.exp()).nan_to_num_(0.0))  # minus the entropy
    distance = (-log_probs + mean).abs_()
    nearest, ids = distance.sort(dim=-1)
    reached = scores.gather(1, ids).double().softmax(-1).cumsum(-1)
    last = (reached < mass).sum(-1, keepdim=True).clamp(max=scores.shape[1] - 1)
    return scores.masked_fill(distance > nearest.gather(1, last), -torch.inf)


@step
def top_h(scores: Tensor, share: float, history: History) -> Tensor:
    """Keep the best tokens while their part of the entropy is at most this share of it.

    Source: Baghaei Potraghloo et al. 2025. As in transformers, distribution and entropy are those
    of the 100 best tokens, and the best one always stays.
    """
    values, ids = scores.sort(dim=-1, descending=True, stable=True)
    values, ids = values[:, :_TOP_H_TOKENS], ids[:, :_TOP_H_TOKENS]
    log_probs = values.double().log_softmax(-1)
    parts = (-log_probs * log_probs.exp()).nan_to_num_(0.0)  # a token that is out has none
    reached = parts.cumsum(-1)
    is_in = (reached <= share * reached[:, -1:]) & (values > -torch.inf)
    is_in[:, 0] = True
    kept = torch.full_like(scores, -torch.inf)
    return kept.scatter_(1, ids, values.masked_fill(~is_in, -torch.inf))
