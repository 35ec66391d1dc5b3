"""Steps that reshape or truncate the distribution. Knows scores only; never looks at history.

Each keeps exactly the tokens that the transformers warper of its name keeps, ties and rounding
included, but sorts the whole vocabulary only where a cheaper look cannot certify the answer.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ethogram.engine.steps.history import History

#: Numbers of top tokens that top-p looks at before it sorts everything.
_LOOKS = (256, 2048)
#: Distance of a mass from p below which fp32 sums may fall on either side, so that only the same
#: fp32 sort and sum as transformers can tell. fp32 sums of a 50k softmax err by about 1e-7.
_DOUBT = 4e-6


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
    probabilities = scores.softmax(-1)
    kept, open_rows = scores, torch.arange(scores.shape[0], device=scores.device)
    for look in _LOOKS:
        if look >= scores.shape[1] or not len(open_rows):
            break
        everything = len(open_rows) == len(scores)  # saves copies of [rows, vocab]
        rows = scores if everything else scores[open_rows]
        mass = probabilities if everything else probabilities[open_rows]
        lowest, is_certain = _cut(rows, mass, p, look)
        cut = rows.masked_fill(rows < lowest, -torch.inf)
        if everything:
            kept = cut
        else:
            kept[open_rows[is_certain]] = cut[is_certain]
        open_rows = open_rows[~is_certain]
    if len(open_rows) == len(scores):
        return top_p_sorted(scores, p)
    if len(open_rows):
        kept[open_rows] = top_p_sorted(scores[open_rows], p)
    return kept


def _cut(scores: Tensor, probabilities: Tensor, p: float, look: int) -> tuple[Tensor, Tensor]:
    """Where the kept tokens of each row end, judged from its `look` best.

    Returns:
        [rows, 1] lowest kept score, and [rows] bool whether it is beyond doubt. Which of several
        tied tokens are kept depends on how torch's unstable sort arranges them, so a cut between
        them is always in doubt.
    """
    values, ids = scores.topk(look)  # [rows, look], descending
    mass = probabilities.gather(1, ids).double()
    above = mass.cumsum(-1) - mass
    count = (above < p).sum(-1, keepdim=True).clamp(1, look - 1)
    lowest, first_out = values.gather(1, count - 1), values.gather(1, count)
    is_clear = (above[:, -1:] > p) & ((above - p).abs() > _DOUBT).all(-1, keepdim=True)
    return lowest, (is_clear & (lowest > first_out)).squeeze(1)


def top_p_sorted(scores: Tensor, p: float) -> Tensor:
    """Top-p by a full sort: the plain version, and the judge of rows that the fast one doubts."""
    ascending, ids = scores.sort(descending=False)
    out = ascending.softmax(-1).cumsum(-1) <= 1 - p
    out[:, -1] = False
    return scores.masked_fill(out.scatter(1, ids, out), -torch.inf)
