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


_SENTENCE_END = re.compile(r"[.!?…]+[\"'”’)\]]*(?=\s)|\n+")


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """Character offsets [start, end) of sentences, without white space at their edges.

    A sentence ends at a stop before white space, or at the end of a line. An abbreviation or the
    number of a list item ends one too: such pieces without a word of two letters join the next.
    """
    ends = [*(match.end() for match in _SENTENCE_END.finditer(text)), len(text)]
    spans: list[tuple[int, int]] = []
    start = 0
    for end in ends:
        piece = text[start:end]
        if not piece.strip() or (end < len(text) and not re.search(r"\w{2}", piece)):
            continue
        left = start + len(piece) - len(piece.lstrip())
        spans.append((left, start + len(piece.rstrip())))
        start = end
    return spans
