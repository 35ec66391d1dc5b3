"""Text: words, n-grams and where they stand. Knows strings; knows no metric."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Sequence
from typing import TypeVar

from ethogram.metrics.base import Span

UnitT = TypeVar("UnitT", bound=Hashable)
WORD = re.compile(r"\S+")


def word_spans(text: str) -> list[tuple[int, int]]:
    """Character offsets [start, end) of the words that `text.split()` gives."""
    return [match.span() for match in WORD.finditer(text)]


def ngrams(units: Sequence[UnitT], n: int) -> Iterator[tuple[UnitT, ...]]:
    """The n-grams of a sequence, left to right."""
    return zip(*(units[start:] for start in range(n)), strict=False)


def bare(word: str) -> str:
    """A word without case and without punctuation at its edges: for comparing, not for showing."""
    return word.casefold().strip("\"'`*_“”‘’.,;:!?()[]{}<>#-–—…")


def merge(spans: Sequence[tuple[int, int]], label: str) -> tuple[Span, ...]:
    """Overlapping or touching stretches (sorted by start) as one span each."""
    merged: list[list[int]] = []
    for start, end in spans:
        if merged and start <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], end)
        else:
            merged.append([start, end])
    return tuple(Span(start, end, label) for start, end in merged)
