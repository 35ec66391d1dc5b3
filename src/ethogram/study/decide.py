"""Decide: on which side of a bound a metric of a version lies, by what the metric and decoding are.

Knows bounds and measured outputs; the methods themselves are those of `stats.sequential`.
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
    """Which side of a limit a version's value lies on, and how that was decided.

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
        # No chance is left: the same prompts give the same outputs again.
        at_limit = math.isclose(value, limit, rel_tol=1e-12)
        low = operator in ("<=", ">") if at_limit else value < limit
        return Decision("below" if low else "above", 1.0, rounds, 0), "exact"
    quotient = _quotient(metric, parts)
    if quotient and (limit == 0 or (quotient.most and limit == quotient.most)):
        return _decide_at_edge(quotient, limit), "counter-example"

    def at_look(upto: int) -> Parts:
        return _scores(metric, parts[:, :upto])

    scores = at_look(rounds)
    longest, unseen = spec.decoding.max_new_tokens, (0.0, 0.0)
    if quotient:
        # Nobody knows how long imported outputs get: as long as the longest seen, to say the least.
        seen = int(max(quotient.above.max(), quotient.weight.max()))
        unseen = _unseen(quotient, seen if spec.outputs else max(longest, seen))
    bet = _bet(quotient, limit, longest)
    if bet and bet.is_sharp:
        return decide_bounded(bet.above, bet.weight, bet.bound, level=LEVEL), "betting"
    if bet is None or spec.outputs:
        found = decide_mean(scores, limit, unseen=unseen, at_look=at_look, level=LEVEL)
        return found, "asymptotic"
    words = "betting or asymptotic"
    if max(bet.above.max(), bet.weight.max()) > 1:
        # An output beyond the limit voids the bet, and gives the other no more than its half.
        found = decide_mean(scores, limit, unseen=unseen, at_look=at_look, level=LEVEL / 2)
        return found, words
    found = decide_both(
        *(bet.above, bet.weight, scores, bet.bound, limit),
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
    """A value that is above / weight, no part negative, times `scale`.

    Attributes:
        above: [prompts, rounds].
        weight: [prompts, rounds].
        scale: of the unit, 100 for percent.
        most: what the value cannot exceed; 0 where only the tokens bound it.
        counts_outputs: whether an output weighs 0 or 1, and not as many as it has sentences, words
            or n-grams. It follows from the metric, not from what has been seen.
    """

    above: Parts
    weight: Parts
    scale: float
    most: float
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
    total = float(quotient.weight.sum())
    if not total:
        return 0.0, 0.0
    value = float(quotient.above.sum()) / total
    reach = quotient.scale * quotient.weight.size / total
    if quotient.most:
        heaviest = 1 if quotient.counts_outputs else longest
        return reach * heaviest * value, reach * heaviest * (1 - value)
    if quotient.counts_outputs:
        return reach * value, reach * max(0.0, longest - value)
    return reach * longest * value, reach * longest


def _decide_at_edge(quotient: _Quotient, limit: float) -> Decision:
    """One output off the edge decides, and no number on it does."""
    above, weight = quotient.above, quotient.weight
    rounds = above.shape[1]
    if limit == 0 and (above > 0).any():
        return Decision("above", 1.0, rounds, 0)
    if limit > 0 and (above < weight).any():
        return Decision("below", 1.0, rounds, 0)
    return Decision("undecided", 0.0, rounds, None)


@dataclass(frozen=True)
class _Bet:
    """What each output adds and weighs, meant to lie between 0 and 1, and the bound to bet on."""

    above: Parts
    weight: Parts
    bound: float
    is_sharp: bool


def _bet(quotient: _Quotient | None, limit: float, longest: int) -> _Bet | None:
    """How to bet on a value; None where nothing bounds it.

    Shares of outputs, which weigh 0 or 1 each, are bounded by themselves, and a bet on them is
    sharp. Shares of words or n-grams, and counts, are no larger than the tokens that an output may
    have.
    """
    if quotient is None:
        return None
    above, weight, bound = quotient.above, quotient.weight, limit / quotient.scale
    if quotient.most:
        if not 0 < bound < 1:
            return None
        if quotient.counts_outputs:
            return _Bet(above, weight, bound, True)
        return _Bet(above / longest, weight / longest, bound, False) if longest else None
    if quotient.counts_outputs and longest > bound > 0:
        return _Bet(above / longest, weight, bound / longest, False)
    return None
