"""Self-BLEU: how like each other the outputs of a set are.

BLEU-4 of every output against all others needs, of each n-gram, only how often it occurs at most in
one other output; the two largest counts tell that for all of them. So the work grows with the
number of n-grams and not with the square of the number of outputs.
"""

from __future__ import annotations

import heapq
from array import array
from collections.abc import Callable, Hashable, Sequence
from hashlib import blake2b

import numpy as np

from ethogram.metrics.base import Array, Integers, Output
from ethogram.metrics.loops import loop_units

ORDER = 4
#: The number of outputs that the released code compares; self-BLEU grows with it.
MOST_OUTPUTS = 5000
#: Chen and Cherry's method 1: an order without a match counts this much of one.
EPSILON = 0.1


def self_bleu(texts: Sequence[Sequence[Hashable]], order: int = ORDER) -> Array:
    """BLEU of each text against all others [texts], smoothed by method 1 (Chen and Cherry 2014).

    Equal to nltk's `sentence_bleu(others, text, weights=(1/order, …), smoothing_function=method1)`.
    """
    if len(texts) < 2:
        return np.full(len(texts), np.nan)
    lengths = np.array([len(text) for text in texts], dtype=np.int64)
    doc = np.repeat(np.arange(len(texts)), lengths)
    known: dict[Hashable, int] = {}
    units = np.array(
        [known.setdefault(unit, len(known)) for text in texts for unit in text], dtype=np.int64
    )
    ends = np.cumsum(lengths)[doc] - np.arange(len(units))
    grams, logs = units, np.zeros(len(texts))
    nothing = np.zeros(len(texts), dtype=bool)
    for n in range(1, order + 1):
        if n > 1:
            following = np.zeros_like(units)
            following[: max(0, len(units) - n + 1)] = units[n - 1 :]
            grams = _renumbered(grams * (len(known) + 1) + following)
        whole = ends >= n
        matches = _clipped_matches(grams[whole], doc[whole], len(texts))
        nothing |= (matches == 0) & (n == 1)
        total = np.maximum(1, lengths - n + 1)
        logs += np.log(np.where(matches == 0, EPSILON, matches) / total) / order
    scores: Array = np.where(nothing, 0.0, _brevity(lengths) * np.exp(logs))
    return scores


def _renumbered(numbers: Integers) -> Integers:
    """The same equalities with numbers from 0 on, so that they never overflow."""
    found: Integers = np.unique(numbers, return_inverse=True)[1].astype(np.int64)
    return found


def _clipped_matches(grams: Integers, doc: Integers, docs: int) -> Array:
    """Of each text, its n-grams found elsewhere, each at most as often as in one other text."""
    pairs, counts = np.unique(grams * docs + doc, return_counts=True)
    gram, owner = pairs // docs, pairs % docs
    order = np.lexsort((-counts, gram))
    first = np.ones(len(order), dtype=bool)
    first[1:] = gram[order][1:] != gram[order][:-1]
    largest = order[first]  # One pair of each n-gram, in the order of the n-grams.
    second = np.zeros(len(largest), dtype=np.int64)
    starts = np.flatnonzero(first)
    several = np.append(starts[1:], len(order)) - starts > 1
    second[several] = counts[order[starts[several] + 1]]
    index = np.cumsum(first) - 1
    gram_index = np.empty(len(order), dtype=np.int64)
    gram_index[order] = index
    others = np.where(
        owner == owner[largest][gram_index], second[gram_index], counts[largest][gram_index]
    )
    weights = np.minimum(counts, others).astype(np.float64)
    matches: Array = np.bincount(owner, weights=weights, minlength=docs).astype(np.float64)
    return matches


def _brevity(lengths: Integers) -> Array:
    """BLEU's penalty for a text shorter than the nearest of the others; the shorter of two ties."""
    ordered = np.sort(lengths)
    place = np.searchsorted(ordered, lengths)
    # Its own length is left out once; an equal one, if there is, stands behind it.
    below = np.where(place > 0, ordered[np.maximum(place - 1, 0)], np.iinfo(np.int64).min // 2)
    last = len(lengths) - 1
    above = np.where(
        place < last, ordered[np.minimum(place + 1, last)], np.iinfo(np.int64).max // 2
    )
    nearest = np.where(lengths - below <= above - lengths, below, above)
    with np.errstate(divide="ignore", over="ignore"):
        penalty: Array = np.exp(1.0 - nearest / np.maximum(lengths, 1e-300))
    return np.where(lengths > nearest, 1.0, np.where(lengths == 0, 0.0, penalty))


def hashed_units(output: Output) -> array[int]:
    """A 64-bit hash of each unit of an output, eight bytes each."""
    return array("q", map(hash, loop_units(output)[0]))


def mean_self_bleu(texts: Sequence[Sequence[Hashable]]) -> float:
    """Mean self-BLEU of texts; NaN for fewer than two."""
    return float(np.mean(self_bleu(texts))) if len(texts) > 1 else float("nan")


class DrawnGatherer:
    """A value over at most `MOST_OUTPUTS` of a stream: a uniform draw, whatever their order.

    Args:
        keep: what is needed of an output, in little room.
        evaluate: of what was kept.
    """

    def __init__(
        self,
        keep: Callable[[Output], array[int]],
        evaluate: Callable[[Sequence[array[int]]], float],
    ) -> None:
        self._keep, self._evaluate = keep, evaluate
        # A heap of the smallest keys; negated, since heapq gives the smallest first.
        self._kept: list[tuple[int, int, array[int]]] = []
        self._number = 0

    def add(self, output: Output) -> None:
        """Take in one more output; the one with the largest key goes where there are too many."""
        name = repr((output.prompt_id, output.sample_index, output.text))
        key = blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        self._number += 1
        if len(self._kept) >= MOST_OUTPUTS and -int.from_bytes(key) <= self._kept[0][0]:
            return
        item = (-int.from_bytes(key), -self._number, self._keep(output))
        if len(self._kept) < MOST_OUTPUTS:
            heapq.heappush(self._kept, item)
        else:
            heapq.heapreplace(self._kept, item)

    def value(self) -> float:
        """The value of the outputs that were kept."""
        return self._evaluate([kept for _, _, kept in sorted(self._kept, reverse=True)])
