"""Truncates rows by a look at their foremost tokens where that is certain. Knows no rule.

A sum over the sorted vocabulary decides top-p and typical sampling, yet almost always it is decided
among a few hundred tokens. A row whose answer they do not settle beyond doubt is sorted in full.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

#: Numbers of foremost tokens that are looked at before everything is sorted.
LOOKS = (256, 2048)
#: Distance of a mass from its bound below which fp32 sums may fall on either side, so that only
#: the same fp32 sort and sum as transformers can tell. fp32 sums of a 50k softmax err by about
#: 1e-7.
DOUBT = 4e-6

#: `(rows, look)` to the rows with -inf where they are cut, and [rows] bool: beyond doubt or not.
Cut = Callable[[Tensor, int], tuple[Tensor, Tensor]]


def settle(scores: Tensor, cut: Cut, judge: Callable[[Tensor], Tensor]) -> Tensor:
    """Cut each row by the first look that is certain of it, and the others by the judge.

    Args:
        scores: [rows, vocab].
        cut: the answer from a look.
        judge: the answer from a full sort, [rows, vocab] to [rows, vocab].
    """
    kept, open_rows = scores, torch.arange(scores.shape[0], device=scores.device)
    for look in LOOKS:
        if look >= scores.shape[1] or not len(open_rows):
            break
        if len(open_rows) == len(scores):  # saves copies of [rows, vocab]
            kept, is_certain = cut(scores, look)
        else:
            answer, is_certain = cut(scores[open_rows], look)
            kept[open_rows[is_certain]] = answer[is_certain]
        open_rows = open_rows[~is_certain]
    if len(open_rows) == len(scores):
        return judge(scores)
    if len(open_rows):
        kept[open_rows] = judge(scores[open_rows])
    return kept
