"""Sequential: on which side of a bound a value lies, valid however often one looks.

The prompts are given; chance is in their samples. A round is one sample of every prompt. Evidence
is an e-process: if the value lies on the other side of the bound, the probability that it ever
reaches 1/level is at most `level` (Ville's inequality), so adding rounds and looking again is fair.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float64]]
Side = Literal["above", "below", "undecided"]

#: Bets are mixed over these stakes, shares of the one that can ruin, evenly spaced in their root:
#: rare events against small bounds want large ones, values near the bound small ones.
_STAKES = 0.99 * np.linspace(0.05, 1, 40) ** 2
#: Outputs below which the limit theorem behind `decide_mean` is not relied on.
FEWEST_OUTPUTS = 50
#: Outputs that the spread must rest on, for the same reason: rare scores show themselves late, and
#: until then the spread seen is far too small (docs/checks.md).
FEWEST_EFFECTIVE = 20
#: Deviations smaller than this share of the largest score are rounding.
_ROUNDING = 1e-12
#: Outputs at which `decide_mean` is sharpest.
_SHARPEST_AT = 200
#: Rounds beyond which a decision counts as unreachable.
_MOST_ROUNDS = 100_000


@dataclass(frozen=True, slots=True)
class Decision:
    """The decision of rounds of samples on a value and a bound.

    Attributes:
        side: where the value lies, if that is decided.
        confidence: 1 less the level at which the likelier side would be decided, so 1 - 1/e of the
            e-value e; 0 without any evidence. Not the probability that the side is right.
        rounds: looked at.
        more: further rounds that would decide if they were like these; None if unreachable, 0 if
            decided.
    """

    side: Side
    confidence: float
    rounds: int
    more: int | None


def decide_bounded(
    numerator: Array, denominator: Array, bound: float, *, level: float = 0.05
) -> Decision:
    """Decide on sum of `numerator` / sum of `denominator`; 0 <= numerator <= denominator <= 1.

    A bet on every output, 1 + stake (numerator - bound denominator), multiplied and mixed over
    stakes (Waudby-Smith and Ramdas 2024, section 4). Outputs of one round may have different means:
    by the inequality of arithmetic and geometric means the expected product of a round is still at
    most 1 where the mean over prompts is at the bound or beyond.

    Args:
        numerator: [prompts, rounds], such as 1 for an output that loops.
        denominator: [prompts, rounds], 1 where the metric applies.
        bound: strictly between 0 and 1.
        level: probability of deciding wrongly, over all looks together.
    """
    excess = numerator - bound * denominator  # [prompts, rounds], in -bound .. 1 - bound
    logs = [
        np.log1p(sign * largest * _STAKES[:, None, None] * excess).sum(axis=1).cumsum(axis=1)
        for sign, largest in ((1, 1 / bound), (-1, 1 / (1 - bound)))
    ]  # of each side: [stakes, rounds]
    rounds = numerator.shape[1]

    def log_evidence(side: int, at: float) -> float:
        """After `at` rounds; past those at hand, if the rest were like them."""
        grown = logs[side][:, -1] * at / rounds
        return _log_mean_exp(grown)

    found = [max(_log_mean_exp(column) for column in each.T) for each in logs]
    return _decide(found, log_evidence, rounds, level)


def decide_both(
    numerator: Array,
    denominator: Array,
    scores: Array,
    bound: float,
    limit: float,
    *,
    unseen: tuple[float, float] = (0.0, 0.0),
    at_look: Callable[[int], Array] | None = None,
    level: float = 0.05,
) -> Decision:
    """Decide by a bet and by the limit theorem, at half the level each; the first to decide counts.

    For values whose bound is far above most of them, such as words under a limit of tokens: the
    betting test has low power at low variance; the one based on the central limit theorem is
    invalid where the variance is nearly zero.

    Args:
        numerator: as in `decide_bounded`.
        denominator: as in `decide_bounded`.
        scores: as in `decide_mean`.
        bound: for the bet, strictly between 0 and 1.
        limit: the same bound, for the scores.
        unseen: as in `decide_mean`.
        at_look: as in `decide_mean`.
        level: probability of deciding wrongly, by either and over all looks together.
    """
    found = [decide_bounded(numerator, denominator, bound, level=level / 2)]
    found.append(decide_mean(scores, limit, unseen=unseen, at_look=at_look, level=level / 2))
    far = _MOST_ROUNDS
    best = min(found, key=lambda one: (far if one.more is None else one.more, -one.confidence))
    return replace(best, confidence=max(0.0, 1 - 2 * (1 - best.confidence)))


def decide_mean(
    scores: Array,
    bound: float,
    *,
    unseen: tuple[float, float] = (0.0, 0.0),
    at_look: Callable[[int], Array] | None = None,
    level: float = 0.05,
) -> Decision:
    """Decide on the mean of scores without bounds, in the limit of many outputs.

    An asymptotic confidence sequence (Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas 2024, theorem
    2.2), in which the variance is that of samples around their prompt's mean; with one round, of
    all outputs, which is larger. Nothing is decided below 50 outputs, nor while the variance rests
    on too few of them: (sum of d²)² / sum of d⁴ over the deviations d.

    Args:
        scores: [prompts, rounds]; for a value that is no mean, its first-order shares.
        bound: any number.
        unseen: how far below and above the mean an output may lie, where that is known. One such
            output, as if it had been seen against the side in question, is added to the variance:
            50 outputs without a long one do not prove that none is.
        at_look: the scores [prompts, n] as they were after n rounds, where later rounds change what
            earlier outputs add; default the first n columns.
        level: as in `decide_bounded`.
    """
    prompts, rounds = scores.shape
    peak = -2 * math.log(2 * level)
    density = (peak + math.log(peak + 1)) / _SHARPEST_AT

    def log_evidence_at(
        side: int, outputs: float, mean: float, spread: float, effective: float
    ) -> float:
        towards = (mean - bound) * (1 if side == 0 else -1)
        if towards <= 0 or outputs < FEWEST_OUTPUTS or effective < FEWEST_EFFECTIVE:
            return -math.inf
        spread = math.hypot(spread, unseen[side] / math.sqrt(outputs))
        growth = outputs * density
        exponent = (towards * outputs / spread) ** 2 * density / (2 * (growth + 1))
        return exponent - 0.5 * math.log1p(growth) + math.log(2)

    def look(side: int, some: Array) -> float:
        return log_evidence_at(side, some.size, float(some.mean()), *_spread_of(some))

    seen = [at_look(upto) if at_look else scores[:, :upto] for upto in range(1, rounds + 1)]
    found = [max(look(side, some) for some in seen) for side in (0, 1)]
    spread, effective = _spread_of(scores)

    def log_evidence(side: int, at: float) -> float:
        mean, rests_on = float(scores.mean()), effective * at / rounds
        return log_evidence_at(side, at * prompts, mean, spread, rests_on)

    return _decide(found, log_evidence, rounds, level)


def _spread_of(scores: Array) -> tuple[float, float]:
    """Standard deviation of scores [prompts, rounds], and how many outputs it rests on.

    The latter is the effective sample size of the squared deviations, less the freedom of
    their means.
    """
    several = scores.shape[1] > 1
    around = scores.mean(axis=1, keepdims=True) if several else scores.mean()
    away = scores - around
    # Rounding counts as zero.
    squares = np.where(np.abs(away) <= _ROUNDING * np.abs(scores).max(), 0.0, away) ** 2
    freedom = max(1, scores.size - (len(scores) if several else 1))
    total, fourth = float(squares.sum()), float((squares**2).sum())
    effective = total**2 / fourth * freedom / scores.size if fourth > 0 else 0.0
    return math.sqrt(total / freedom), effective


def _decide(
    found: list[float], log_evidence: Callable[[int, float], float], rounds: int, level: float
) -> Decision:
    needed = -math.log(level)
    likelier = int(np.argmax(found))
    confidence = max(0.0, -math.expm1(-max(0.0, found[likelier])))
    if found[likelier] >= needed:
        side: Side = "above" if likelier == 0 else "below"
        return Decision(side, confidence, rounds, 0)
    totals = [_rounds_until(log_evidence, each, rounds, needed) for each in (0, 1)]
    reachable = [total for total in totals if total is not None]
    more = max(1, min(reachable) - rounds) if reachable else None
    return Decision("undecided", confidence, rounds, more)


def _rounds_until(
    log_evidence: Callable[[int, float], float], side: int, rounds: int, needed: float
) -> int | None:
    """How many rounds in all would decide for a side; None if unreachable."""
    low, high = rounds, 2 * rounds
    while log_evidence(side, high) < needed:
        low, high = high, 2 * high
        if high > _MOST_ROUNDS:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if log_evidence(side, middle) >= needed else (middle, high)
    return high


def _log_mean_exp(logs: Array) -> float:
    top = float(logs.max())
    return top + math.log(float(np.exp(logs - top).mean()))
