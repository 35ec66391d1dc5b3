"""The strings of a decoding as token ids. Knows the tokenizer; sees no score and no output."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ethogram.spec.decoding import Decoding


@dataclass(frozen=True, slots=True)
class Words:
    """What a decoding's strings are in ids.

    Attributes:
        bad: sequences that must not occur.
    """

    bad: tuple[tuple[int, ...], ...] = ()


class Lexicon:
    """Resolves the strings of many decodings, each distinct set once.

    Args:
        tokenizer: the model's.
    """

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._known: dict[Any, Words] = {}

    def words(self, decoding: Decoding) -> Words:
        """The strings of a decoding as ids; those of steps that cannot act are left out."""
        active = decoding.active_step_names()
        bad = decoding.bad_words if "bad_words" in active else ()
        if bad not in self._known:
            self._known[bad] = Words(self._sequences(bad))
        return self._known[bad]

    def _sequences(self, bad: tuple[str | tuple[int, ...], ...]) -> tuple[tuple[int, ...], ...]:
        """Each word as it is spelt at the start of a text and after a space; ids as they are.

        vLLM leaves the second spelling out when it has another number of tokens than the first,
        which lets through " mess" beside "m", "ess"; here every spelling is ruled out.
        """
        found: dict[tuple[int, ...], None] = {}
        for word in bad:
            if isinstance(word, tuple):
                found[word] = None
                continue
            bare = word.lstrip(" ") or word
            found |= dict.fromkeys(self._ids(text) for text in (bare, f" {bare}"))
        return tuple(word for word in found if word)

    def _ids(self, text: str) -> tuple[int, ...]:
        return tuple(self._tokenizer(text, add_special_tokens=False, verbose=False).input_ids)
