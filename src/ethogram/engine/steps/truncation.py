"""Steps that reshape or truncate the distribution. Knows scores only; never looks at history.

Each keeps exactly the tokens that the transformers warper of its name keeps, ties and rounding
included, but sorts the whole vocabulary only where a cheaper look cannot certify the answer.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ethogram.engine.native import sort_values
from ethogram.engine.steps.history import History
from ethogram.engine.steps.settle import DOUBT, settle


def temperature(scores: Tensor, value: float, history: History) -> Tensor:
    """Divide the scores by the temperature."""
    return scores / value


def top_k(scores: Tensor, k: float, history: History) -> Tensor:
    """Keep the k best tokens and all that tie with the k-th."""
    kth = scores.topk(min(int(k), scores.shape[1])).values[:, -1:]
    return scores.masked_fill(scores < kth, -torch.inf)


def min_p(scores: Tensor, share: float, history: History) -> Tensor:
    """Keep tokens with at least `share` of the best token's probability (Nguyen et al. 2024)."""
    probabilities = scores.softmax(-1)
    floor = share * probabilities.amax(-1, keepdim=True)
    return scores.masked_fill(probabilities < floor, -torch.inf)


def top_p(scores: Tensor, p: float, history: History) -> Tensor:
    """Keep the smallest set of best tokens whose mass reaches p (Holtzman et al. 2020).

    Equal to cutting where the ascending cumulative probability is at most 1 - p: a token stays
    if the mass above it is below p. The cut is certified among the best few hundred tokens; rows
    where it lies deeper, within rounding of p or between tied tokens are sorted in full.
    """
    return settle(scores, lambda rows, look: _cut(rows, p, look), lambda rows: _judge(rows, p))


def _judge(scores: Tensor, p: float) -> Tensor:
    """Cut rows as `top_p_sorted` does, from their values alone where they are quicker to sort.

    The same values in the same order give the same sums. Only which of several equal scores at the
    cut stay is a matter of ids: such rows, and all where there is no kernel, go to torch.
    """
    ascending = sort_values(scores)
    if ascending is None:
        return top_p_sorted(scores, p)
    out = ascending.softmax(-1).cumsum(-1) <= 1 - p
    out[:, -1] = False
    count = out.sum(-1, keepdim=True)  # the lowest ones, as the sums ascend
    lowest, last_out = ascending.gather(1, count), ascending.gather(1, (count - 1).clamp(min=0))
    kept = scores.masked_fill(scores < lowest, -torch.inf)
    is_tied = ((count > 0) & (lowest == last_out)).squeeze(1)
    if bool(is_tied.any()):
        kept[is_tied] = top_p_sorted(scores[is_tied], p)
    return kept


def _cut(scores: Tensor, p: float, look: int) -> tuple[Tensor, Tensor]:
    """Cut each row where its kept tokens end, judged from its `look` best.

    Which of several tied tokens are kept depends on how torch's unstable sort arranges them, so a
    cut between them is always in doubt.
    """
    values, ids = scores.topk(look)  # [rows, look], descending
    mass = scores.softmax(-1).gather(1, ids).double()
    above = mass.cumsum(-1) - mass
    count = (above < p).sum(-1, keepdim=True).clamp(1, look - 1)
    lowest, first_out = values.gather(1, count - 1), values.gather(1, count)
    is_clear = (above[:, -1:] > p) & ((above - p).abs() > DOUBT).all(-1, keepdim=True)
    is_certain = (is_clear & (lowest > first_out)).squeeze(1)
    return scores.masked_fill(scores < lowest, -torch.inf), is_certain


def top_p_sorted(scores: Tensor, p: float) -> Tensor:
    """Top-p by a full sort: the plain version, as transformers has it."""
    ascending, ids = scores.sort(descending=False)
    out = ascending.softmax(-1).cumsum(-1) <= 1 - p
    out[:, -1] = False
    return scores.masked_fill(out.scatter(1, ids, out), -torch.inf)
