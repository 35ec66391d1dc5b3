"""Length: the win rate at equal output length.

AlpacaEval 2 (Dubois et al. 2024, arXiv:2404.04475): a logistic regression of who wins on the length
difference, read off where that difference is zero. Judges like long answers; the raw win rate
therefore rewards verbosity, and this one does not.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ethogram.stats.bootstrap import Indices
from ethogram.stats.interval import critical
from ethogram.stats.paired import FEWEST_EFFECTIVE_PROMPTS
from ethogram.stats.planning import FEWEST_PROMPTS

Array = np.ndarray[Any, np.dtype[np.float64]]

#: Half of this times the squared coefficients is added to the log-loss, summed over prompts: a
#: normal prior of variance 10 in log-odds. It keeps the fit finite where one side always wins, and
#: moves a win rate of 2 % over 805 prompts by 0.04 points.
RIDGE = 0.1
#: Where fewer pairs than this share have the longer output on one side, equal length lies at the
#: edge of what was seen.
FEWEST_OF_A_SIDE = 0.05
#: Newton's method on a concave function of few coefficients; it ends in under ten.
_STEPS = 100
_TOLERANCE = 1e-10
#: Influence values below this share of what they are sums of are rounding.
_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class LengthControlled:
    """A win rate with the influence of length taken out.

    Attributes:
        raw: the mean label, each prompt with the same weight.
        win_rate: the same if the lengths were equal; in [0, 1].
        low: lower bound of its interval; NaN with one prompt, or where all prompts are alike.
        high: upper bound.
        confidence: coverage aimed at.
        length_coefficient: log-odds that tanh(standardised length difference) = 1 adds.
        difficulty_coefficient: log-odds that a unit of difficulty adds; NaN without a difficulty.
        scale: the standard deviation that length differences were divided by.
        prompts: how many.
        warning: why it is unreliable; empty if it is not.
    """

    raw: float
    win_rate: float
    low: float
    high: float
    confidence: float
    length_coefficient: float
    difficulty_coefficient: float
    scale: float
    prompts: int
    warning: str


def length_controlled(
    labels: Array,
    length_differences: Array,
    *,
    prompts: Sequence[object] | None = None,
    difficulty: Array | None = None,
    ridge: float = RIDGE,
    resamples: int = 1999,
    seed: int = 0,
    confidence: float = 0.95,
) -> LengthControlled:
    """Fit P(after wins) = sigmoid(a + b tanh(d / sd) + c g) and set d to zero.

    d is a pair's length difference, sd its standard deviation over pairs (not centred: zero has to
    stay zero), g the difficulty of the instruction. Exchanging the two sides, lengths and labels,
    gives one minus the win rate.

    The interval is a symmetric studentised bootstrap over prompts (Hall 1988) of the win rate's
    log-odds, so it stays within 0 and 1. The scale sd is not drawn again.

    Args:
        labels: [pairs], how far the second side wins: 1, 0, 0.5 for a tie, or a probability.
        length_differences: [pairs], second minus first, in any unit.
        prompts: the prompt of each pair; pairs of one prompt are drawn together and weigh as much
            as one. Default: each pair is a prompt of its own.
        difficulty: [pairs], how easy each instruction makes it to win, in log-odds.
        ridge: strength of the L2 penalty on all coefficients.
        resamples: of the bootstrap.
        seed: of the bootstrap.
        confidence: coverage aimed at.

    Raises:
        ValueError: no pairs, shapes that do not fit, or labels outside [0, 1].
    """
    labels, lengths = (np.asarray(values, float) for values in (labels, length_differences))
    if labels.ndim != 1 or not len(labels) or labels.shape != lengths.shape:
        raise ValueError(
            f"labels and lengths must be 1-D arrays of equal length, got {labels.shape}"
        )
    if not ((labels >= 0) & (labels <= 1)).all() or not np.isfinite(lengths).all():
        raise ValueError("labels must be in [0, 1] and lengths finite")
    shape, scale = standardised(lengths)
    columns = [np.ones(len(labels)), shape]
    if difficulty is not None:
        columns.append(np.asarray(difficulty, float))
    features = np.stack(columns, axis=1)  # [pairs, k]
    of_prompt = np.unique(
        np.arange(len(labels)) if prompts is None else np.array([str(each) for each in prompts]),
        return_inverse=True,
    )[1]
    order = np.argsort(of_prompt, kind="stable")
    features, labels, lengths = features[order], labels[order], lengths[order]
    of_prompt = of_prompt[order]
    count = int(of_prompt[-1]) + 1
    shares = 1 / np.bincount(of_prompt)[of_prompt]  # [pairs], of each pair in its prompt
    fit = _Fit(features, labels, shares, of_prompt, ridge)
    coefficients, odds, error = (values[0] for values in fit.at(np.ones((1, count))))
    low, high = math.nan, math.nan
    if count > 1:
        drawn = np.random.default_rng(seed).multinomial(count, [1 / count] * count, size=resamples)
        _, others, errors = fit.at(drawn.astype(float), start=coefficients)
        margin = critical(np.abs(others - odds), errors, confidence)
        if np.isfinite(margin) and error > 0:
            low, high = (float(_sigmoid(odds + side * margin * error)) for side in (-1, 1))
    return LengthControlled(
        raw=float((shares * labels).sum() / count),
        win_rate=float(_sigmoid(odds)),
        low=low,
        high=high,
        confidence=confidence,
        length_coefficient=float(coefficients[1]),
        difficulty_coefficient=float(coefficients[2]) if difficulty is not None else math.nan,
        scale=scale,
        prompts=count,
        warning=_warning(labels, lengths, shares, count),
    )


def standardised(length_differences: Array) -> tuple[Array, float]:
    """tanh(d / sd) [pairs], which bounds the influence of a single very long output, and sd."""
    scale = float(np.std(length_differences, ddof=1)) if len(length_differences) > 1 else 0.0
    if scale == 0:  # All differ by as much: length explains nothing, and only its sign is left.
        return np.sign(length_differences).astype(float), scale
    return np.tanh(length_differences / scale), scale


class _Fit:
    """The regression at any weights of prompts, many resamples at once."""

    def __init__(
        self, features: Array, labels: Array, shares: Array, of_prompt: Indices, ridge: float
    ) -> None:
        self._features = features  # [pairs, k]
        self._labels = labels
        self._shares = shares
        self._of_prompt = of_prompt  # [pairs], in ascending order
        self._starts = np.flatnonzero(np.diff(of_prompt, prepend=-1))
        self._products = np.einsum("pk,pl->pkl", features, features).reshape(len(features), -1)
        self._ridge = ridge * np.eye(features.shape[1])
        self._level = features.copy()
        self._level[:, 1] = 0.0  # Equal lengths.

    def at(self, weights: Array, start: Array | None = None) -> tuple[Array, Array, Array]:
        """Coefficients [r, k], log-odds of the win rate [r] and their standard errors [r].

        Args:
            weights: [r, prompts], how often each prompt was drawn.
            start: [k], where Newton's method begins.
        """
        size = max(1, 2_000_000 // len(self._labels))  # Resamples at once, for bounded memory.
        parts = [self._chunk(weights[at : at + size], start) for at in range(0, len(weights), size)]
        coefficients, odds, errors = (np.concatenate(each) for each in zip(*parts, strict=True))
        return coefficients, odds, errors

    def _chunk(self, weights: Array, start: Array | None) -> tuple[Array, Array, Array]:
        width = self._features.shape[1]
        drawn = weights[:, self._of_prompt] * self._shares  # [r, pairs]
        found = np.tile(np.zeros(width) if start is None else start, (len(weights), 1))
        for _ in range(_STEPS):
            guess, hessian = self._hessian(found, drawn)
            pull = (drawn * (self._labels - guess)) @ self._features - found @ self._ridge
            step = np.linalg.solve(hessian, pull[..., None])[..., 0]
            # Far from the top a whole step can leave the concave part behind; four log-odds do not.
            step /= np.maximum(1, np.abs(step).max(axis=1, keepdims=True) / 4)
            found = found + step
            if np.abs(step).max() < _TOLERANCE:
                break
        guess, hessian = self._hessian(found, drawn)
        return found, *self._win_rate(found, weights, guess, hessian)

    def _hessian(self, found: Array, drawn: Array) -> tuple[Array, Array]:
        guess = _sigmoid(found @ self._features.T)
        width = len(self._ridge)
        curvature = (drawn * guess * (1 - guess)) @ self._products
        return guess, curvature.reshape(-1, width, width) + self._ridge

    def _win_rate(
        self, found: Array, weights: Array, guess: Array, hessian: Array
    ) -> tuple[Array, Array]:
        """The log-odds at equal length and, by the delta method, their standard error.

        Each prompt counts by its own level and by its score through the coefficients: the sandwich
        with prompts as clusters (Liang and Zeger 1986).
        """
        count = weights.shape[1]
        level = _sigmoid(found @ self._level.T)  # [r, pairs]
        of_prompts = self._by_prompt(level * self._shares)  # [r, prompts]
        rate = np.einsum("rp,rp->r", weights, of_prompts) / count
        slope = level * (1 - level)  # d rate / d log-odds of each pair
        gradient = (
            (weights[:, self._of_prompt] * self._shares * slope) @ self._level / count
        )  # [r, k]
        lean = np.linalg.solve(hessian, gradient[..., None])[..., 0]  # [r, k]
        score = self._shares * (self._labels - guess) * (lean @ self._features.T)  # [r, pairs]
        scores = self._by_prompt(score)  # [r, prompts]
        influence = (of_prompts - rate[:, None]) / count + scores
        influence = influence - np.einsum("rp,rp->r", weights, influence)[:, None] / count
        # Prompts that are all alike pull by nothing, whatever rounding leaves of it.
        scale = rate / count + np.abs(scores).max(axis=1)
        influence = np.where(np.abs(influence) <= _ROUNDING * scale[:, None], 0.0, influence)
        variance = np.einsum("rp,rp->r", weights, influence**2) * count / max(count - 1, 1)
        rate = np.clip(rate, 1e-12, 1 - 1e-12)
        return np.log(rate / (1 - rate)), np.sqrt(variance) / (rate * (1 - rate))

    def _by_prompt(self, values: Array) -> Array:
        """Sums over the pairs of each prompt: [r, pairs] to [r, prompts]."""
        return np.add.reduceat(values, self._starts, axis=1)


def _sigmoid(odds: Array) -> Array:
    """1 / (1 + exp(-x)) without overflow."""
    result: Array = np.exp(-np.logaddexp(0, -np.asarray(odds, float)))
    return result


def _warning(labels: Array, lengths: Array, shares: Array, prompts: int) -> str:
    if prompts < FEWEST_PROMPTS:
        return f"only {prompts} prompts"
    won, lost = float((shares * labels).sum()), float((shares * (1 - labels)).sum())
    if min(won, lost) < FEWEST_EFFECTIVE_PROMPTS:
        side = "wins" if won < lost else "losses"
        return f"rests on {min(won, lost):.0f} {side}"
    longer, shorter = float(np.mean(lengths > 0)), float(np.mean(lengths < 0))
    if max(longer, shorter) > 0 and min(longer, shorter) < FEWEST_OF_A_SIDE:
        share = max(longer, shorter)
        return f"one side is longer in {share:.1%} of pairs, so equal length is hardly seen"
    return ""
