"""Changed loops: phrases that repeat up to a label, a number or a word. Knows strings only.

`loops.py` finds what repeats unit by unit, as the literature counts. A reader calls it a loop too
when `B: 1.8`, `C: 2.2`, `D: 3.1` follow one another, or when one word of a long sentence changes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from ethogram.metrics.limits import LIMITS
from ethogram.metrics.loops import common_suffixes
from ethogram.metrics.text import bare, word_spans

Booleans = np.ndarray[Any, np.dtype[np.bool_]]
_LABEL = re.compile(r"\(?[A-Za-z][.:)]+$")
_NUMBER = re.compile(r"[^\w\s]*\d[\d\W]*$")

_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True)
class ChangedLoop:
    """A run of phrases that are equal but for what a reader takes for the same.

    Attributes:
        start: of its characters.
        end: after them.
        period: of one phrase, in units.
        cycles: phrases in the run.
        unit: words or characters.
        at_end: whether it runs to the end of the text.
    """

    start: int
    end: int
    period: int
    cycles: float
    unit: str
    at_end: bool


def find_changed_loop(text: str, *, cut: bool, exact: bool = False) -> ChangedLoop | None:
    """The longest run of three phrases or more; None where there is none.

    Three phrases have six words or more together. A label (`B:`) equals a label and a number a
    number; in a phrase of `LIMITS.changing_words` or more one word may differ from copy to copy.
    Numbers alone that differ count something and are no loop.

    Args:
        text: the output.
        cut: whether the length limit ended it, so that its last word may be half a word.
        exact: whether phrases have to be equal word for word, as in a table, whose rows are alike.
    """
    spans = word_spans(text)
    words = [text[start:end] for start, end in spans]
    kinds = words if exact else [_kind(word) for word in words]
    if len(kinds) >= LIMITS.loop_words:
        found = _longest(words, kinds, changing=not exact)
        if found:
            first, last, period = found
            at_end = last >= len(kinds) - (1 if cut else 0)
            stop = len(kinds) if at_end else last
            cycles = (last - first) / period
            return ChangedLoop(spans[first][0], spans[stop - 1][1], period, cycles, "words", at_end)
    return _within_words(text)


def _kind(word: str) -> str:
    if _LABEL.match(word):
        return "\0label"
    if _NUMBER.match(word):
        return "\0number"
    return _DIGITS.sub("0", bare(word)) or word


def _longest(words: list[str], kinds: list[str], *, changing: bool) -> tuple[int, int, int] | None:
    """(first, end, period) of the run that covers most words; of equals the shortest period."""
    known: dict[str, int] = {}
    numbers = np.array([known.setdefault(kind, len(known)) for kind in kinds])
    counting = known.get("\0number", -1)
    best: tuple[int, int, int] | None = None
    for period in range(1, len(kinds) // LIMITS.loop_copies + 1):
        same = numbers[:-period] == numbers[period:]
        needed = max(LIMITS.loop_copies * period, LIMITS.loop_words) - period
        changes = 1 if changing and period >= LIMITS.changing_words else 0
        if np.count_nonzero(same) < needed * (1 - changes / period):
            continue
        for start, stop in _runs(same, period, changes, needed):
            longer = best is None or stop + period - start > best[1] - best[0]
            counts_up = (numbers[start:stop] == counting).all() and (
                words[start:stop] != words[start + period : stop + period]
            )
            if longer and not counts_up:
                best = (start, stop + period, period)
        if best is not None and best[1] - best[0] == len(kinds):
            break  # No longer period can cover more.
    return best


def _runs(same: Booleans, period: int, changes: int, needed: int) -> list[tuple[int, int]]:
    """Stretches [start, stop) of which no window of a period has more than `changes` differences.

    A stretch begins and ends on words that agree and has `needed` words at least.
    """
    differs = np.flatnonzero(~same)
    # A difference parts two stretches; where one is allowed, only a second one within a period.
    parting = np.flatnonzero(np.diff(differs) < period) if changes else np.arange(len(differs))
    starts = np.concatenate(([0], differs[parting] + 1))
    stops = np.append(differs[parting + 1] if changes else differs, len(same))
    found = []
    for start, stop in zip(starts.tolist(), stops.tolist(), strict=True):
        agreeing = np.flatnonzero(same[start:stop])
        if len(agreeing) and agreeing[-1] + 1 - agreeing[0] >= needed:
            found.append((start + int(agreeing[0]), start + int(agreeing[-1]) + 1))
    return found


def _within_words(text: str) -> ChangedLoop | None:
    """A run of equal phrases of characters that fills half the text and reaches its end."""
    body = text.rstrip()
    same = common_suffixes(body)
    best: tuple[int, int] | None = None
    for period in range(1, len(body) // LIMITS.loop_copies + 1):
        length = period + same[period]
        if length >= LIMITS.loop_copies * period and (best is None or length > best[0]):
            best = (length, period)
    if best is None or best[0] < max(LIMITS.loop_characters, LIMITS.loop_share * len(body)):
        return None
    length, period = best
    start = len(body) - length
    return ChangedLoop(start, len(body), period, length / period, "characters", True)
