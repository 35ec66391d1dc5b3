"""The truncations by their definitions, in fp64, and how near each token is to the other side.

Of equal scores at a cut the lowest ids stay. Implementations round, so two of them may differ about
a token whose margin is within rounding; about no other.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import Tensor

Mask = np.ndarray
#: A cumulative mass of fp32 numbers may be off by this (transformers sums in fp32).
ROUNDING = 1e-5


def truncate(name: str, value: Any, scores: np.ndarray) -> tuple[Mask, np.ndarray]:
    """Which tokens of a row are in, and the margin of each."""
    x = scores.astype(np.float64)
    alive = x > -np.inf
    p = np.where(alive, np.exp(x - x.max()), 0.0)
    p /= p.sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        surprisal = np.where(alive, -np.log(np.where(p > 0, p, 1.0)), np.inf)
        is_in, margin = _RULES[name](x, p, surprisal, value)
    return is_in & alive, np.where(alive, margin, np.inf)


def _top_k(x: Any, p: Any, surprisal: Any, k: int) -> tuple[Mask, np.ndarray]:
    return x >= np.sort(x)[::-1][min(int(k), len(x)) - 1], np.full(len(x), np.inf)


def _top_p(x: Any, p: Any, surprisal: Any, mass: float) -> tuple[Mask, np.ndarray]:
    order = np.argsort(-x, kind="stable")
    above = np.empty(len(x))
    above[order] = np.concatenate([[0.0], np.cumsum(p[order])[:-1]])
    return above < mass, np.abs(above - mass)


def _typical_p(x: Any, p: Any, surprisal: Any, mass: float) -> tuple[Mask, np.ndarray]:
    entropy = np.sum(p * np.where(p > 0, surprisal, 0.0))
    distance = np.abs(surprisal - entropy)
    order = np.argsort(distance, kind="stable")
    reached = np.cumsum(p[order])
    cut = distance[order][min(int((reached < mass).sum()), len(x) - 1)]
    nearer = np.empty(len(x))
    nearer[order] = np.concatenate([[0.0], reached[:-1]])
    return distance <= cut, np.minimum(np.abs(distance - cut), np.abs(nearer - mass))


def _floor(x: Any, p: Any, floor: float) -> tuple[Mask, np.ndarray]:
    return (p >= floor) | (x == x.max()), np.abs(np.log(p / floor))


def _eta(x: Any, p: Any, surprisal: Any, epsilon: float) -> tuple[Mask, np.ndarray]:
    entropy = np.sum(p * np.where(p > 0, surprisal, 0.0))
    return _floor(x, p, min(epsilon, np.sqrt(epsilon) * np.exp(-entropy)))


def _top_n_sigma(x: Any, p: Any, surprisal: Any, n: float) -> tuple[Mask, np.ndarray]:
    lowest = x.max() - n * x[x > -np.inf].std()
    return x >= lowest, np.abs(x - lowest)


def _top_h(x: Any, p: Any, surprisal: Any, share: float) -> tuple[Mask, np.ndarray]:
    best = np.argsort(-x, kind="stable")[:100]
    q = p[best] / p[best].sum()
    parts = np.where(q > 0, -q * np.log(np.where(q > 0, q, 1.0)), 0.0)
    reached = np.cumsum(parts)
    is_in, margin = np.zeros(len(x), bool), np.full(len(x), np.inf)
    is_in[best] = (reached <= share * reached[-1]) | (np.arange(len(best)) == 0)
    margin[best] = np.abs(reached - share * reached[-1])
    return is_in, margin


def _mirostat(x: Any, p: Any, surprisal: Any, limit: float) -> tuple[Mask, np.ndarray]:
    bits = surprisal / np.log(2)
    return (bits <= limit) | (x == x.max()), np.abs(bits - limit)


def _xtc(x: Any, p: Any, surprisal: Any, threshold: float) -> tuple[Mask, np.ndarray]:
    likely = p >= threshold
    least = x[likely].min() if likely.any() else np.inf
    # One token on the other side moves the least likely one for all.
    nearest = np.abs(np.log(p[p > 0] / threshold)).min()
    return x <= least, np.full(len(x), nearest)


_RULES: dict[str, Any] = {
    "top_k": _top_k,
    "top_p": _top_p,
    "min_p": lambda x, p, s, share: _floor(x, p, share * p.max()),
    "typical_p": _typical_p,
    "epsilon_cutoff": lambda x, p, s, floor: _floor(x, p, floor),
    "eta_cutoff": _eta,
    "top_n_sigma": _top_n_sigma,
    "top_h": _top_h,
    "mirostat": _mirostat,
    "xtc": _xtc,
}


def lowest_ids(mask: Mask, scores: np.ndarray) -> Mask:
    """The mask with as many tokens of each score, but the lowest ids of it."""
    fixed = mask.copy()
    values, group, counts = np.unique(scores, return_inverse=True, return_counts=True)
    inside = np.bincount(group[mask], minlength=len(values))
    for tied in np.flatnonzero((inside > 0) & (inside < counts)):
        ids = np.flatnonzero(group == tied)
        fixed[ids] = np.arange(len(ids)) < inside[tied]
    return fixed


def exceptions(name: str, value: Any, scores: Tensor, kept: Tensor, *, ties: bool = False) -> int:
    """Rows of which something other than the plain version's is kept, within rounding.

    Args:
        name: of the step.
        value: its setting, or one for each row in a list.
        scores: [rows, vocab] before it.
        kept: [rows, vocab] bool.
        ties: any tokens of equal score may stand for each other.

    Raises:
        AssertionError: they differ about a token that is not within rounding of the cut.
    """
    count = 0
    for row, (before, mask) in enumerate(zip(scores.numpy(), kept.numpy(), strict=True)):
        mine = value[row] if isinstance(value, list) else value
        expected, margin = truncate(name, mine, before)
        ours = lowest_ids(mask, before) if ties else mask
        wrong = ours != expected
        assert not wrong.any() or margin[wrong].max() < ROUNDING, (
            f"{name} {mine}, row {row}: tokens {np.flatnonzero(wrong)[:9]}, "
            f"margins {margin[wrong][:9]}"
        )
        count += bool(wrong.any())
    return count
