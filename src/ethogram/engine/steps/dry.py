"""DRY: penalises tokens that would lengthen a repetition.

Source: p-e-w, text-generation-webui pull request 5677; bounds and breakers as in llama.cpp.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from torch import Tensor

from ethogram.engine.steps.history import History, last
from ethogram.engine.steps.penalties import subtract
from ethogram.engine.steps.registry import step
from ethogram.spec.groups import Dry

#: As in `StringIds`.
Breakers = Mapping[int, tuple[tuple[int, ...], ...]]

#: Natural logarithm of the largest fp32 number: a base is raised to no power beyond it.
_LOG_OF_LARGEST = 88.7228391


@step
def dry(scores: Tensor, settings: Dry, history: History) -> Tensor:
    """Subtract multiplier * base ** (length - allowed length) from each token that would extend.

    Length is that of the longest end of the text so far that occurred before with the token next
    to it. It is counted back to the nearest breaker, and a breaker of one token is not penalised.
    """
    amounts = [
        penalties(settings, history.words.breakers, prompt, output)
        for prompt, output in zip(history.prompts, history.outputs, strict=True)
    ]
    return subtract(scores, 1.0, amounts) if any(amounts) else scores


def penalties(
    settings: Dry, breakers: Breakers, prompt: Sequence[int], output: Sequence[int]
) -> dict[int, float]:
    """What is subtracted from the scores of some ids after this prompt and output."""
    window = settings.penalty_last_n
    ids = last(prompt, output, window if window >= 0 else len(prompt) + len(output))
    limit = _unbroken(ids, breakers)
    shortest = settings.allowed_length
    lengths = _extensions(ids, shortest, limit) if limit >= shortest else {}
    return {
        token: _penalty(settings, length)
        for token, length in lengths.items()
        if () not in breakers.get(token, ())
    }


def _penalty(settings: Dry, length: int) -> float:
    power = length - settings.allowed_length
    if settings.base > 1.000001:
        power = min(power, int(_LOG_OF_LARGEST / math.log(settings.base)))
    return float(settings.multiplier * settings.base**power)


def _unbroken(ids: Sequence[int], breakers: Breakers) -> int:
    """How many ids follow the last breaker; all of them if there is none.

    Of several breakers that begin with the same token, the longest that occurs counts.
    """
    for after, token in enumerate(reversed(ids)):
        if token in breakers:
            rest = tuple(ids[len(ids) - after :])
            there = [len(tail) for tail in breakers[token] if rest[: len(tail)] == tail]
            if there:
                return after - max(there)
    return len(ids)


def _extensions(ids: Sequence[int], shortest: int, longest: int) -> dict[int, int]:
    """Of each id that would extend a repetition: the length of the end of `ids` it would extend.

    Args:
        ids: the text so far.
        shortest: ends shorter than this do not count.
        longest: ends are compared over at most this many ids.
    """
    found: dict[int, int] = {}
    backwards = ids[::-1]
    for place, length in enumerate(_matches(backwards)):
        if place and length >= shortest:
            extending = backwards[place - 1]
            found[extending] = max(found.get(extending, 0), min(length, longest))
    return found


def _matches(ids: Sequence[int]) -> list[int]:
    """How many ids from each place on equal those from the start on: the Z-algorithm, linear."""
    lengths = [0] * len(ids)
    start, stop = 0, 0  # the match that reaches furthest
    for place in range(1, len(ids)):
        length = min(stop - place, lengths[place - start]) if place < stop else 0
        while place + length < len(ids) and ids[length] == ids[place + length]:
            length += 1
        if place + length > stop:
            start, stop = place, place + length
        lengths[place] = length
    return lengths
