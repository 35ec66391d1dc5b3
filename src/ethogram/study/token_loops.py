"""Loops in the tokens of an output, and how each copy makes the next more probable.

Xu et al. 2022 (arXiv:2206.02369, section 2) measure this self-reinforcement on sentences that are
repeated in the context; here it is read from the log-probabilities stored with an output.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: The longest phrase that is looked for, tokens: as in `spec.LoopBreaker`.
_LONGEST = 128
#: A loop has at least two whole copies and this many tokens; fewer happen in ordinary text.
_LEAST_TOKENS = 8


@dataclass(frozen=True, slots=True)
class TokenLoop:
    """A phrase that an output repeats without anything between.

    Attributes:
        onset: index of its first token.
        period: tokens of the phrase.
        copies: whole copies.
        probability: of each copy, the mean probability of its tokens under the model.
        increased: of each copy, the share of tokens more probable than in the first; 0 there.
        won: of each copy, the share of tokens that were the model's most probable; empty without
            a trace.
    """

    onset: int
    period: int
    copies: int
    probability: tuple[float, ...]
    increased: tuple[float, ...]
    won: tuple[float, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


def token_loops(
    token_ids: Sequence[int], logprobs: Sequence[float], ranks: Sequence[int] | None = None
) -> list[TokenLoop]:
    """The loops of an output, in order, each by its shortest phrase.

    Args:
        token_ids: of the output.
        logprobs: of its tokens, nats.
        ranks: of its tokens, 1 is the most probable; None without a trace.
    """
    ids = np.asarray(token_ids)
    taken = np.zeros(len(ids), bool)
    found: list[tuple[int, int, int]] = []
    for period in range(1, min(_LONGEST, len(ids) // 2) + 1):
        for start, stop in _runs(ids[period:] == ids[:-period]):
            copies = (stop - start) // period + 1
            end = start + copies * period
            if copies < 2 or end - start < _LEAST_TOKENS or taken[start:end].any():
                continue
            taken[start:end] = True
            found.append((start, period, copies))
    chances = np.exp(np.asarray(logprobs, np.float64))
    best = None if ranks is None else np.asarray(ranks) == 1
    return [_loop(chances, best, *each) for each in sorted(found)]


def _runs(equal: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Start and stop of each run of true values."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], equal.view(np.int8), [0]])))
    return [(int(start), int(stop)) for start, stop in edges.reshape(-1, 2)]


def _loop(
    chances: NDArray[np.float64],
    best: NDArray[np.bool_] | None,
    onset: int,
    period: int,
    copies: int,
) -> TokenLoop:
    part = slice(onset, onset + period * copies)
    by_copy = chances[part].reshape(copies, period)
    won = () if best is None else tuple(best[part].reshape(copies, period).mean(1).tolist())
    return TokenLoop(
        onset,
        period,
        copies,
        tuple(by_copy.mean(1).tolist()),
        tuple((by_copy > by_copy[0]).mean(1).tolist()),
        won,
    )
