"""Text: words, n-grams and where they are."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Sequence
from typing import TypeVar

UnitT = TypeVar("UnitT", bound=Hashable)
WORD = re.compile(r"\S+")


def word_spans(text: str) -> list[tuple[int, int]]:
    """Character offsets [start, end) of the words that `text.split()` gives."""
    return [match.span() for match in WORD.finditer(text)]


def ngrams(units: Sequence[UnitT], n: int) -> Iterator[tuple[UnitT, ...]]:
    """The n-grams of a sequence, left to right."""
    return zip(*(units[start:] for start in range(n)), strict=False)


def copied(words: Sequence[str], source: Sequence[str], n: int) -> list[bool]:
    """For each n-gram of `words`, whether `source` has it too."""
    known = set(ngrams(source, n))
    return [gram in known for gram in ngrams(words, n)]


def bare(word: str) -> str:
    """A word without case and without punctuation at its edges: for comparing, not for showing."""
    return word.casefold().strip("\"'`*_“”‘’.,;:!?()[]{}<>#-–—…")


def set_of(words: str) -> frozenset[str]:
    """The words of a text, as a set."""
    return frozenset(words.split())


#: What a full stop does not end a sentence after; a single letter is an initial.
_ABBREVIATIONS = set_of(
    """al approx apr aug ave capt cf co col dec dept dr e.g ed eds est etc feb fig figs gen gov
    hon i.e inc jan jr lt ltd maj messrs mr mrs ms mt nov oct op p.m a.m ph.d pp prof
    rep rev sen sept sgt sr st vol vols vs"""
)
# Each run of marks is tried once (possessive): some models write thousands of dots.
_SENTENCE_END = re.compile(r"(?<![.!?…])[.!?…]++[\"'”’)\]*_]*+(?=\s|$)|\n")
_SENTENCE_OR_COLON = re.compile(r"(?<![.!?…:])[.!?…:]++[\"'”’)\]*_]*+(?=\s|$)|\n")
_LAST_WORD = re.compile(r"[^\s(\[\"“‘']*$")


def sentence_spans(text: str, *, colon: bool = False) -> list[tuple[int, int]]:
    """Character offsets [start, end) of the sentences, without the white space between them.

    A run of `.`, `!`, `?` or `…` before white space ends one, and so does a line break. A full stop
    does not after a known abbreviation, a single letter or a list number, nor does any mark but a
    line break before a small letter. English rules; O(length).

    Args:
        text: any.
        colon: whether a colon ends one too, as after an announcement: `Here it is: …`.
    """
    spans: list[tuple[int, int]] = []
    start = 0
    for match in (_SENTENCE_OR_COLON if colon else _SENTENCE_END).finditer(text):
        if match[0] != "\n" and not _ends_here(text, start, match):
            continue
        _append(spans, text, start, match.end())
        start = match.end()
    _append(spans, text, start, len(text))
    return spans


def _append(spans: list[tuple[int, int]], text: str, start: int, end: int) -> None:
    stretch = text[start:end]
    body = stretch.strip()
    if body:
        first = start + len(stretch) - len(stretch.lstrip())
        spans.append((first, first + len(body)))


def _ends_here(text: str, start: int, match: re.Match[str]) -> bool:
    """Whether the marks of a match end the sentence that began at `start`."""
    if match[0].endswith(":"):
        return True
    after = text[match.end() : match.end() + 8].lstrip(" \t")[:1]
    if after.islower():
        return False
    if match[0] != ".":
        return True
    before = text[max(start, match.start() - 24) : match.start()]
    found = _LAST_WORD.search(before)
    word = found[0].casefold() if found else ""
    initial = len(word) == 1 and word.isalpha() and word != "i"
    number = word.isdigit() and len(word) <= 3 and before.strip() == found[0] if found else False
    numero = word in ("no", "nos") and after.isdigit()
    return not (initial or number or numero or word in _ABBREVIATIONS)
