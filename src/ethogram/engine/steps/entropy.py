"""Truncations that weigh surprise against entropy. Knows scores only; never looks at history.

Each keeps exactly the tokens that the transformers warper of its name keeps, ties and rounding
included. Surprise and entropy are in nats.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ethogram.engine.steps.history import History
from ethogram.engine.steps.settle import DOUBT, settle

#: Top-H looks at no more than this many best tokens (transformers `TopHLogitsWarper`).
_TOP_H_TOKENS = 100


def entropy(scores: Tensor) -> Tensor:
    """[rows, 1] entropy of softmax(scores), by the steps of `torch.distributions.Categorical`."""
    log_probs, probabilities = _distribution(scores)
    log_probs = log_probs.clamp(min=torch.finfo(scores.dtype).min)  # 0 * -inf is 0 here
    return -(log_probs * probabilities).sum(-1, keepdim=True)


def _distribution(scores: Tensor) -> tuple[Tensor, Tensor]:
    """Log-probabilities and probabilities of each row, rounded as `Categorical` rounds them."""
    log_probs = scores - scores.logsumexp(-1, keepdim=True)
    return log_probs, log_probs.softmax(-1)


def typical_p(scores: Tensor, mass: float, history: History) -> Tensor:
    """Keep the tokens whose surprise is nearest the entropy until they have this mass.

    Source: Meister et al. 2022. It can drop the most probable token; tokens as far from the
    entropy as the last one kept stay too.
    """
    return settle(
        scores,
        lambda rows, look: _typical_cut(rows, mass, look),
        lambda rows: typical_p_sorted(rows, mass),
    )


def _typical_cut(scores: Tensor, mass: float, look: int) -> tuple[Tensor, Tensor]:
    """Cut each row as far as its `look` most typical tokens tell.

    Ties need no care: all that tie with the token that reaches the mass are kept, in whichever
    order they are summed.
    """
    distance = _distance(scores)
    nearest, ids = distance.topk(look, largest=False)  # [rows, look], ascending
    below = scores.softmax(-1).gather(1, ids).double().cumsum(-1)
    last = (below < mass).sum(-1, keepdim=True).clamp(max=look - 1)
    kept = scores.masked_fill(distance > nearest.gather(1, last), -torch.inf)
    return kept, (below[:, -1] > mass) & ((below - mass).abs() > DOUBT).all(-1)


def _distance(scores: Tensor) -> Tensor:
    """How far the surprise of each token is from the entropy of its row; [rows, vocab]."""
    log_probs = scores.log_softmax(-1)
    return (-log_probs + (log_probs * log_probs.exp()).nansum(-1, keepdim=True)).abs_()


def typical_p_sorted(scores: Tensor, mass: float) -> Tensor:
    """Typical sampling by a full sort: the plain version, and the judge of doubtful rows."""
    distance = _distance(scores)
    ascending, ids = distance.sort(descending=False)
    below = scores.gather(1, ids).softmax(-1).cumsum(-1)
    last = (below < mass).sum(-1, keepdim=True).clamp(max=scores.shape[1] - 1)
    return scores.masked_fill(distance > ascending.gather(1, last), -torch.inf)


def top_h(scores: Tensor, share: float, history: History) -> Tensor:
    """Keep the best tokens while their part of the entropy is at most this share of it.

    Source: Baghaei Potraghloo et al. 2025. As in transformers, distribution and entropy are those
    of the 100 best tokens, and the best one always stays.
    """
    values, ids = scores.topk(min(_TOP_H_TOKENS, scores.shape[1]))
    _, probabilities = _distribution(values)
    parts = -probabilities * probabilities.log()
    is_in = parts.cumsum(-1) <= entropy(values) * share
    is_in[:, 0] = True
    kept = torch.full_like(scores, -torch.inf)
    return kept.scatter_(1, ids, values.masked_fill(~is_in, -torch.inf))
