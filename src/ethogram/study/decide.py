"""Decide: on which side of a bound a version's metric lies.

The methods themselves are in `stats.sequential`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ethogram.metrics import Metric
from ethogram.spec import Version
from ethogram.stats import Decision, decide_both, decide_bounded, decide_mean
from ethogram.stats.bootstrap import prompt_means
from ethogram.stats.influence import gradient
from ethogram.study.measure import Measured

#: Probability of a wrong decision of one contract, over all looks together.
LEVEL = 0.05
#: [prompts, rounds, k] additive parts, or a column of them.
Parts = np.ndarray[Any, np.dtype[np.float64]]


def decide(spec: Version, measured: Measured, operator: str, limit: float) -> tuple[Decision, str]:
    """On which side of a limit a version's value is, and how that was decided.

    Args:
        spec: the version.
        measured: one of its metrics on its outputs.
        operator: of the bound.
        limit: its number.
    """
    value, metric = measured.value, measured.metric
    parts = _whole_rounds(measured.parts_by_sample()[1])
    rounds = parts.shape[1]
    if math.isnan(value) or not rounds:
        return Decision("undecided", 0.0, rounds, None), "applies to no output"
    if not spec.decoding.is_stochastic and not spec.outputs:
        # Deterministic: the same prompts give the same outputs again.
        at_limit = math.isclose(value, limit, rel_tol=1e-12)
        low = operator in ("<=", ">") if at_limit else value < limit
        return Decision("below" if low else "above", 1.0, rounds, 0), "exact"
    quotient = _quotient(metric, parts)
    if quotient and (limit == 0 or (quotient.upper_bound and limit == quotient.upper_bound)):
        return _decide_at_edge(quotient, limit), "counter-example"

    def at_look(upto: int) -> Parts:
        return _scores(metric, parts[:, :upto])

    scores = at_look(rounds)
    longest, unseen = spec.decoding.max_new_tokens, (0.0, 0.0)
    if quotient:
        # The limit of imported outputs is unknown: assume the longest seen.
        seen = int(max(quotient.numerator.max(), quotient.denominator.max()))
        unseen = _unseen(quotient, seen if spec.outputs else max(longest, seen))
    bet = _bet(quotient, limit, longest)
    if bet and bet.is_sharp:
        return decide_bounded(bet.numerator, bet.denominator, bet.bound, level=LEVEL), "betting"
    if bet is None or spec.outputs:
        found = decide_mean(scores, limit, unseen=unseen, at_look=at_look, level=LEVEL)
        return found, "asymptotic"
    words = "betting or asymptotic"
    if max(bet.numerator.max(), bet.denominator.max()) > 1:
        # An output beyond the limit voids the bet, and gives the other no more than its half.
        found = decide_mean(scores, limit, unseen=unseen, at_look=at_look, level=LEVEL / 2)
        return found, words
    found = decide_both(
        *(bet.numerator, bet.denominator, scores, bet.bound, limit),
        unseen=unseen,
        at_look=at_look,
        level=LEVEL,
    )
    return found, words


def _whole_rounds(parts: Parts) -> Parts:
    """The outputs of each prompt by sample index, as many as every prompt has."""
    there = ~np.isnan(parts).any(axis=2)
    order = np.argsort(~there, axis=1, kind="stable")
    rounds = int(there.sum(axis=1).min()) if len(parts) else 0
    packed: Parts = np.take_along_axis(parts, order[..., None], axis=1)[:, :rounds]
    return packed


def _scores(metric: Metric, parts: Parts) -> Parts:
    """What each output adds to the value, to first order: [prompts, rounds]."""
    mean = prompt_means(parts).mean(axis=0)
    shares = np.einsum("psk,k->ps", parts, gradient(mean, metric.aggregate))
    scores: Parts = shares - shares.mean() + float(metric.aggregate(mean))
    return scores


@dataclass(frozen=True)
class _Quotient:
    """A value that is numerator / denominator, no part negative, times `scale`.

    Attributes:
        numerator: [prompts, rounds].
        denominator: [prompts, rounds].
        scale: of the unit, 100 for percent.
        upper_bound: what the value cannot exceed; 0 where only the tokens bound it.
        counts_outputs: whether an output weighs 0 or 1, and not as many as it has sentences, words
            or n-grams. It follows from the metric, not from what has been seen.
    """

    numerator: Parts
    denominator: Parts
    scale: float
    upper_bound: float
    counts_outputs: bool


def _quotient(metric: Metric, parts: Parts) -> _Quotient | None:
    """The metric as a quotient, if it is a share, a count or a percentage of repeated n-grams."""
    unit = metric.unit
    if metric.weight is None or not (unit.is_bounded or unit.counted):
        return None
    most = unit.high if unit.is_bounded else 0.0
    return _Quotient(
        parts[..., 0], parts[..., 1], most or 1.0, most, counts_outputs=metric.weight == "output"
    )


def _unseen(quotient: _Quotient, longest: int) -> tuple[float, float]:
    """How far below and above the value one more output may lie, by what it adds to it."""
    total = float(quotient.denominator.sum())
    if not total:
        return 0.0, 0.0
    value = float(quotient.numerator.sum()) / total
    factor = quotient.scale * quotient.denominator.size / total
    if quotient.upper_bound:
        heaviest = 1 if quotient.counts_outputs else longest
        return factor * heaviest * value, factor * heaviest * (1 - value)
    if quotient.counts_outputs:
        return factor * value, factor * max(0.0, longest - value)
    return factor * longest * value, factor * longest


def _decide_at_edge(quotient: _Quotient, limit: float) -> Decision:
    """One output off the edge decides; no number of outputs on it does."""
    numerator, denominator = quotient.numerator, quotient.denominator
    rounds = numerator.shape[1]
    if limit == 0 and (numerator > 0).any():
        return Decision("above", 1.0, rounds, 0)
    if limit > 0 and (numerator < denominator).any():
        return Decision("below", 1.0, rounds, 0)
    return Decision("undecided", 0.0, rounds, None)


@dataclass(frozen=True)
class _Bet:
    """Numerators and denominators of outputs, meant to lie in [0, 1], and the bound to bet on."""

    numerator: Parts
    denominator: Parts
    bound: float
    is_sharp: bool


def _bet(quotient: _Quotient | None, limit: float, longest: int) -> _Bet | None:
    """The bet on a value; None where nothing bounds it.

    Shares of outputs, which weigh 0 or 1 each, are bounded by themselves, and a bet on them is
    sharp. Shares of words or n-grams, and counts, are no larger than the tokens that an output may
    have.
    """
    if quotient is None:
        return None
    numerator, denominator, bound = quotient.numerator, quotient.denominator, limit / quotient.scale
    if quotient.upper_bound:
        if not 0 < bound < 1:
            return None
        if quotient.counts_outputs:
            return _Bet(numerator, denominator, bound, True)
        return _Bet(numerator / longest, denominator / longest, bound, False) if longest else None
    if quotient.counts_outputs and longest > bound > 0:
        return _Bet(numerator / longest, denominator, bound / longest, False)
    return None
