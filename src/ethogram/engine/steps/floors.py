"""Truncations by a floor under probability or score.

`epsilon_cutoff` and `eta_cutoff` keep exactly the tokens that the transformers warper of their
name keeps; `top_n_sigma` follows llama.cpp.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ethogram.engine.steps.entropy import entropy
from ethogram.engine.steps.history import History
from ethogram.engine.steps.registry import step
from ethogram.engine.steps.rows import row_sums


@step
def epsilon_cutoff(scores: Tensor, epsilon: float, history: History) -> Tensor:
    """Keep tokens with at least this probability, and always the best (Hewitt et al. 2022)."""
    return _drop_below(scores, epsilon)


@step
def eta_cutoff(scores: Tensor, epsilon: float, history: History) -> Tensor:
    """Keep tokens of probability min(epsilon, sqrt(epsilon) * exp(-entropy)) or more.

    Source: Hewitt et al. 2022; the best token always stays.
    """
    bound = torch.tensor(epsilon, device=scores.device)  # fp32, as in transformers
    return _drop_below(scores, torch.minimum(bound, bound.sqrt() * (-entropy(scores)).exp()))


def _drop_below(scores: Tensor, floor: float | Tensor) -> Tensor:
    is_out = (scores.softmax(-1) < floor) & (scores < scores.amax(-1, keepdim=True))
    return scores.masked_fill(is_out, -torch.inf)


@step
def top_n_sigma(scores: Tensor, n: float, history: History) -> Tensor:
    """Keep scores within n standard deviations of the best (Tang et al. 2024).

    As in llama.cpp, the deviation is that of the population of tokens that are still in.
    """
    lowest = scores.amax(-1, keepdim=True).double() - n * deviation(scores)
    return scores.masked_fill(scores < lowest, -torch.inf)


def deviation(scores: Tensor) -> Tensor:
    """[rows, 1] fp64 standard deviation of the population of the tokens that are still in."""
    is_in = scores > -torch.inf
    count = is_in.sum(-1, keepdim=True).clamp(min=1)
    # fp64: a sum of 50k fp32 squares is off by more than the gap between neighbouring scores.
    values = scores.double().masked_fill_(~is_in, 0.0)  # [rows, vocab]
    mean = row_sums(values) / count
    squares = (values - mean).masked_fill_(~is_in, 0.0).square_()
    return (row_sums(squares) / count).sqrt_()
