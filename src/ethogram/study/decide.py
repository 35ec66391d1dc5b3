"""Decide: on which side of a bound a metric of a version lies, by what the metric and decoding are.

Knows bounds and measured outputs; the methods themselves are those of `stats.sequential`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ethogram.metrics import Additive
from ethogram.metrics.base import ratio
from ethogram.spec import Version
from ethogram.stats import Decision, decide_both, decide_bounded, decide_mean
from ethogram.stats.bootstrap import prompt_means
from ethogram.stats.influence import gradient
from ethogram.study.measure import Measured

#: Probability of a wrong decision of one contract, over all looks together.
LEVEL = 0.05
#: [prompts, rounds, k] additive parts, or a column of them.
Parts = np.ndarray[Any, np.dtype[np.float64]]
#: Units of what an output cannot have more of than tokens.
_COUNTED = ("words", "tokens", "references")


def decide(spec: Version, measured: Measured, operator: str, limit: float) -> tuple[Decision, str]:
    """Which side of a limit a version's value lies on, and how that was decided.

    Args:
        spec: the version.
        measured: one of its metrics on its outputs.
        operator: of the bound.
        limit: its number.
    """
    value, metric = measured.value, measured.metric
    parts = measured.parts_by_sample()[1]
    # Only whole rounds: one sample of every prompt.
    rounds = int((~np.isnan(parts).any(axis=2)).all(axis=0).cumprod().sum())
    parts = parts[:, :rounds]
    if math.isnan(value) or not rounds:
        return Decision("undecided", 0.0, rounds, None), "applies to no output"
    if not spec.decoding.is_stochastic and not spec.outputs:
        # No chance is left: the same prompts give the same outputs again.
        low = value < limit or (value == limit and operator in ("<=", ">"))
        return Decision("below" if low else "above", 1.0, rounds, 0), "exact"
    if metric.unit == "share" and metric.aggregate is ratio and limit in (0, 1):
        return _decide_at_edge(parts, limit), "counter-example"
    slope = gradient(prompt_means(parts).mean(axis=0), metric.aggregate)
    shares = np.einsum("psk,k->ps", parts, slope)
    pooled = float(metric.aggregate(prompt_means(parts).mean(axis=0)))
    scores = shares - shares.mean() + pooled
    # Nobody knows how long imported outputs may get.
    bet = _bet(metric, parts, limit, 0 if spec.outputs else spec.decoding.max_new_tokens)
    if bet is None:
        return decide_mean(scores, limit, level=LEVEL), "asymptotic"
    above, weight, bound, is_sharp = bet
    if is_sharp:
        return decide_bounded(above, weight, bound, level=LEVEL), "betting"
    return decide_both(above, weight, scores, bound, limit, level=LEVEL), "betting or asymptotic"


def _decide_at_edge(parts: Parts, limit: float) -> Decision:
    """One output off the edge decides, and no number on it does."""
    above, weight = parts[..., 0], parts[..., 1]
    rounds = parts.shape[1]
    if limit == 0 and (above > 0).any():
        return Decision("above", 1.0, rounds, 0)
    if limit == 1 and (above < weight).any():
        return Decision("below", 1.0, rounds, 0)
    return Decision("undecided", 0.0, rounds, None)


def _bet(
    metric: Additive, parts: Parts, limit: float, longest: int
) -> tuple[Parts, Parts, float, bool] | None:
    """What each output adds and weighs, between 0 and 1, and the bound for their ratio.

    Shares of outputs are so by themselves, and a bet on them is sharp. Other shares, and counts,
    are no larger than the tokens that an output may have; which of the two a metric is follows from
    the metric, so that looking at the outputs chooses no method.

    Returns:
        [prompts, rounds] added, [prompts, rounds] weighed, the bound, whether the bet is sharp;
        None where nothing bounds the metric.
    """
    if metric.aggregate is not ratio or (parts < 0).any():
        return None
    above, weight = parts[..., 0], parts[..., 1]
    is_share = metric.unit == "share" and bool((above <= weight).all())
    counts_outputs = bool(np.isin(weight, (0, 1)).all())
    if is_share and counts_outputs:
        return above, weight, limit, True
    if is_share and weight.max() <= longest:
        return above / longest, weight / longest, limit, False
    if metric.unit in _COUNTED and counts_outputs and above.max() <= longest > limit > 0:
        return above / longest, weight, limit / longest, False
    return None
