"""Closing: a short way from any point of an output to a valid end.

Close what is open, and give each value that is still required its shortest form. Where that leads
nowhere, as in a string of a pattern, a search over single characters finds a way.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from llguidance import LLMatcher

    from ethogram.engine.structure.vocabulary import Vocabulary

#: Tokens that a closing may have; more is no way out but a loop.
LONGEST = 4096
#: Characters within one string after which a search looks for a pattern's end.
_PATIENCE = 6
#: States that this search looks at once for each schema; about 100 microseconds each.
MOST_STATES = 3000


class Quotes:
    """Whether the bytes so far end within a string of JSON."""

    __slots__ = ("escaped", "within")

    def __init__(self, within: bool = False, escaped: bool = False) -> None:
        self.within, self.escaped = within, escaped

    def push(self, text: bytes) -> None:
        """Read further bytes."""
        for byte in text:
            if self.escaped:
                self.escaped = False
            elif byte == 0x22:
                self.within = not self.within
            elif byte == 0x5C and self.within:
                self.escaped = True

    def copy(self) -> Quotes:
        """An independent copy."""
        return Quotes(self.within, self.escaped)


def closing(
    matcher: LLMatcher,
    quotes: Quotes,
    vocabulary: Vocabulary,
    most: int = LONGEST,
    states: int = MOST_STATES,
    words: Sequence[list[int]] = (),
) -> list[int] | None:
    """Tokens that complete an output, without the end of sequence; None if no way was found.

    Args:
        matcher: at the point where it starts; it stays there.
        quotes: the same point.
        vocabulary: of the tokens.
        most: give up after so many tokens.
        states: that a search for the end of a pattern looks at.
        words: in tokens, those that occur in patterns and may have to be written.
    """
    here, quotes = matcher.deep_copy(), quotes.copy()
    mask = np.empty((vocabulary.size + 31) // 32, np.uint32)
    found: list[int] = []
    string = (here, 0)  # where the present string was entered
    chosen = 0  # characters of it that nothing forced
    while not here.is_accepting():
        if len(found) > most or here.is_error():
            return None
        if quotes.within and not chosen:
            string = (here.deep_copy(), len(found))
        tokens = list(here.compute_ff_tokens())
        if not tokens:
            tokens = [_next(here, mask, quotes, vocabulary)]
            chosen += quotes.within
        if chosen == _PATIENCE and (way := _through_pattern(string[0], vocabulary, states, words)):
            here, tokens, chosen = string[0], way, 0
            del found[string[1] :]
            quotes = Quotes(within=True)
        if tokens[0] < 0 or here.try_consume_tokens(tokens) < len(tokens):
            return None
        quotes.push(vocabulary.text_of(tokens))
        found += tokens
        chosen = chosen if quotes.within else 0
    return found


def _next(
    here: LLMatcher, mask: npt.NDArray[np.uint32], quotes: Quotes, vocabulary: Vocabulary
) -> int:
    """The token that leads to an end soonest, so far as one can see; -1 if there is none."""
    here.unsafe_compute_mask_ptr(mask.ctypes.data, mask.nbytes)
    preferred = vocabulary.closing_within if quotes.within else vocabulary.closing_outside
    found = is_in(mask, preferred)
    if found.any():
        return int(preferred[found.argmax()])
    return first_in(mask)


def is_in(mask: npt.NDArray[np.uint32], tokens: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Whether a mask lets each of some tokens in."""
    bits = mask[tokens >> 5] >> (tokens & 31).astype(np.uint32) & np.uint32(1)
    return np.asarray(bits, np.bool_)


def first_in(mask: npt.NDArray[np.uint32]) -> int:
    """The lowest token of a mask, or -1."""
    words = np.flatnonzero(mask)
    if not len(words):
        return -1
    word = int(mask[words[0]])
    return int(words[0]) * 32 + ((word & -word).bit_length() - 1)


def _through_pattern(
    start: LLMatcher, vocabulary: Vocabulary, states: int, words: Sequence[list[int]]
) -> list[int] | None:
    """The fewest characters and words after which a string may end, by breadth.

    Of characters after which the same tokens may follow, one is tried.
    """
    quote, single = vocabulary.quotes, vocabulary.single
    mask = np.empty((vocabulary.size + 31) // 32, np.uint32)
    level: list[tuple[LLMatcher, list[int]]] = [(start.deep_copy(), [])]
    looked_at = 0
    while level and looked_at < states:
        following: dict[bytes, tuple[LLMatcher, list[int]]] = {}
        for matcher, tokens in level:
            matcher.unsafe_compute_mask_ptr(mask.ctypes.data, mask.nbytes)
            ends = is_in(mask, quote)
            if ends.any():
                return [*tokens, int(quote[ends.argmax()])]
            ways = [[token] for token in single[is_in(mask, single)].tolist()]
            for way in [*words, *ways] if ways else [list(matcher.compute_ff_tokens())]:
                looked_at += 1
                after = matcher.deep_copy()
                if after.try_consume_tokens(way) < max(len(way), 1):
                    continue
                if b'"' in vocabulary.text_of(way):  # What is forced ends the string too.
                    return [*tokens, *way]
                after.unsafe_compute_mask_ptr(mask.ctypes.data, mask.nbytes)
                following.setdefault(mask.tobytes(), (after, [*tokens, *way]))
        level = list(following.values())
    return None
