"""Loop breaker: finds a loop in the tokens of an output, and says where to continue and how.

A loop is a run of equal phrases that reaches the last token. Greedy decoding cannot leave one: each
copy makes the next more probable (Xu et al. 2022, arXiv:2206.02369). Going back to the end of the
first copy and forbidding the n-grams of the phrase lets the model continue otherwise.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass

from ethogram.spec.wrapper import LoopBreaker


@dataclass(frozen=True, slots=True)
class FoundLoop:
    """A loop in the tokens of an output.

    Attributes:
        onset: index of its first token.
        period: tokens of one phrase.
        at: how many tokens had been written when it was found.
    """

    onset: int
    period: int
    at: int


class LoopWatch:
    """Looks for a loop after each token, in time proportional to the longest period.

    Args:
        rule: what counts as a loop.
    """

    def __init__(self, rule: LoopBreaker) -> None:
        self._rule = rule
        self._tokens: list[int] = []
        #: For each period, how many last tokens equal those a period before them.
        self._equal = [0] * (rule.period + 1)

    def push(self, token: int) -> FoundLoop | None:
        """Add a token; return the loop that it completes: the one of the shortest period."""
        tokens, equal = self._tokens, self._equal
        written = len(tokens)
        found: FoundLoop | None = None
        for period in range(1, min(self._rule.period, written) + 1):
            if tokens[written - period] != token:
                equal[period] = 0
                continue
            equal[period] += 1
            length = equal[period] + period
            if found is None and length >= max(self._rule.copies * period, self._rule.tokens):
                found = FoundLoop(written + 1 - length, period, written + 1)
        tokens.append(token)
        return found

    def fork(self) -> LoopWatch:
        """An independent copy, for a beam that splits."""
        copied = copy.copy(self)
        copied._tokens, copied._equal = list(self._tokens), list(self._equal)
        return copied


def find(tokens: Sequence[int], rule: LoopBreaker) -> FoundLoop | None:
    """The first loop that a watch finds while these tokens are written."""
    watch = LoopWatch(rule)
    for token in tokens:
        found = watch.push(token)
        if found is not None:
            return found
    return None


def unfinished(tokens: Sequence[int], rule: LoopBreaker) -> FoundLoop | None:
    """The loop that an output was in when its limit cut it, too short yet for the rule.

    Two copies are enough here, and half of the rule's tokens: more could not come.
    """
    written = len(tokens)
    for period in range(1, min(rule.period, written // 2) + 1):
        equal = 0
        while equal + period < written and tokens[-1 - equal] == tokens[-1 - equal - period]:
            equal += 1
        if equal + period >= max(2 * period, rule.tokens / 2):
            return FoundLoop(written - equal - period, period, written)
    return None


def kept(tokens: Sequence[int], loop: FoundLoop) -> tuple[int, ...]:
    """The tokens to keep: up to the end of the loop's first copy."""
    return tuple(tokens[: loop.onset + loop.period])


def forbidden(tokens: Sequence[int], loop: FoundLoop, n: int) -> tuple[tuple[int, ...], ...]:
    """The n-grams of a loop's phrase, wrapped around its end: what would continue the loop.

    Args:
        tokens: of the output.
        loop: found in them.
        n: length of the n-grams; a phrase shorter than that is forbidden whole, twice over.
    """
    phrase = tuple(tokens[loop.onset : loop.onset + loop.period])
    size = min(n, 2 * loop.period)
    around = phrase * (size // loop.period + 2)
    return tuple(dict.fromkeys(around[start : start + size] for start in range(loop.period)))
