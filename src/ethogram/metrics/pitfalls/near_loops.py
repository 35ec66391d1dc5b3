"""Changed loops: phrases that repeat up to a label, a number or a word.

`loops.py` finds what repeats unit by unit, as the literature counts. A reader calls it a loop too
when `B: 1.8`, `C: 2.2`, `D: 3.1` follow one another, or when one word of a long sentence changes.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from ethogram.metrics.base import Integers
from ethogram.metrics.loops import common_suffixes
from ethogram.metrics.pitfalls.limits import LIMITS
from ethogram.metrics.text import bare, word_spans

Booleans = np.ndarray[Any, np.dtype[np.bool_]]
Hashes = np.ndarray[Any, np.dtype[np.uint64]]
_LABEL = re.compile(r"\(?[A-Za-z][.:)]+$")
_NUMBER = re.compile(r"[^\w\s]*\d[\d\W]*$")

_DIGITS = re.compile(r"\d+")
#: Shorter periods are all tried: their blocks would be of a few words and occur everywhere.
_SHORTEST_BLOCKED = 16
#: Odd, so that it has an inverse modulo 2^64; the golden ratio's bits, after Knuth.
_BASE = 0x9E3779B97F4A7C15


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
    for period in _possible_periods(numbers):
        same = numbers[:-period] == numbers[period:]
        needed = max(LIMITS.loop_copies * period, LIMITS.loop_words) - period
        changes = 1 if changing and period >= LIMITS.changing_words else 0
        if np.count_nonzero(same) < needed * (1 - changes / period):
            continue
        for start, stop in _runs(same, period, changes, needed):
            if best is not None and stop + period - start <= best[1] - best[0]:
                continue
            counts_up = (numbers[start:stop] == counting).all() and (
                words[start:stop] != words[start + period : stop + period]
            )
            if not counts_up:
                best = (start, stop + period, period)
        if best is not None and best[1] - best[0] == len(kinds):
            break  # No longer period can cover more.
    return best


def _possible_periods(numbers: Integers) -> list[int]:
    """Periods up to a third of the words at which a run may be, in O(T log T) for T words.

    Of a run's 2 period words that have to equal those a period later, two at most may differ, so a
    third of them in a row agree. Among so many words lies a whole block of half their number that
    begins at a multiple of its length; only periods after which such a block occurs again are
    possible. Blocks are compared by hashes: equal hashes of different blocks add a period and lose
    none.
    """
    length, end = len(numbers), len(numbers) // LIMITS.loop_copies + 1
    found = list(range(1, min(_SHORTEST_BLOCKED, end)))
    for low in itertools.takewhile(end.__gt__, (_SHORTEST_BLOCKED << n for n in itertools.count())):
        high = min(2 * low, end)
        in_a_row = -(-(2 * low - 2) // 3)
        size = (in_a_row + 1) // 2
        hashes = _hashes(numbers, size)
        later = np.pad(hashes, (0, high))  # Behind the end stands no block: hash 0.
        windows = np.lib.stride_tricks.sliding_window_view(later, high - low)
        blocks = hashes[: length - low - size + 1 : size]
        again = windows[low::size][: len(blocks)] == blocks[:, np.newaxis]
        found += (low + np.flatnonzero(again.any(axis=0))).tolist()
    return found


def _hashes(numbers: Integers, size: int) -> Hashes:
    """A hash of each `size` numbers in a row, modulo 2^64: Σ numbers[i + k] · base^k (Rabin)."""
    # Numbers count from 0, and of zeros every block would have one hash.
    powers = np.full(len(numbers) + 1, _BASE, dtype=np.uint64)
    powers[0] = 1
    inverse = np.full(len(numbers) + 1, pow(_BASE, -1, 2**64), dtype=np.uint64)
    inverse[0] = 1
    terms = (numbers.astype(np.uint64) + np.uint64(1)) * np.cumprod(powers)[:-1]
    sums = np.concatenate((np.zeros(1, np.uint64), np.cumsum(terms)))
    starts = len(numbers) - size + 1
    hashes: Hashes = (sums[size:] - sums[:starts]) * np.cumprod(inverse)[:starts]
    return hashes


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
    # Most stretches of common words are far too short.
    for at in np.flatnonzero(stops - starts >= needed).tolist():
        start, stop = int(starts[at]), int(stops[at])
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
