"""Resolves the strings of a decoding (bad words, DRY breakers) to token ids."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ethogram.spec.decoding import Decoding


@dataclass(frozen=True, slots=True)
class StringIds:
    """Token ids of the strings of a decoding.

    Attributes:
        bad: token sequences that must not occur.
        breakers: ids that start a breaker of DRY, and the ids that complete it: none where the
            breaker is within the token.
    """

    bad: tuple[tuple[int, ...], ...] = ()
    breakers: Mapping[int, tuple[tuple[int, ...], ...]] = field(default_factory=dict)


class TokenStrings:
    """Resolves the strings of many decodings, each distinct set once.

    Args:
        tokenizer: the model's.
    """

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._resolved: dict[Any, StringIds] = {}

    def resolve(self, decoding: Decoding) -> StringIds:
        """Token ids of the strings of a decoding, without those of inactive steps."""
        active = decoding.active_step_names()
        bad = decoding.bad_words if "bad_words" in active else ()
        breakers = decoding.dry.sequence_breakers if "dry" in active else ()
        if (bad, breakers) not in self._resolved:
            self._resolved[bad, breakers] = StringIds(
                self._sequences(bad), self._breakers(breakers)
            )
        return self._resolved[bad, breakers]

    def _sequences(self, bad: tuple[str | tuple[int, ...], ...]) -> tuple[tuple[int, ...], ...]:
        """Each word as it is spelt at the start of a text and after a space; ids stay as they are.

        vLLM omits the second spelling if it has a different number of tokens from the first,
        which lets " mess" through beside "m", "ess"; here every spelling is banned.
        """
        found: dict[tuple[int, ...], None] = {}
        for word in bad:
            if isinstance(word, tuple):
                found[word] = None
                continue
            bare = word.lstrip(" ") or word
            found |= dict.fromkeys(self._ids(text) for text in (bare, f" {bare}"))
        return tuple(word for word in found if word)

    def _breakers(self, breakers: tuple[str, ...]) -> dict[int, tuple[tuple[int, ...], ...]]:
        """Tokens at which breakers can start, as in llama.cpp.

        A breaker is within a token, or starts at the end of one and is completed by the tokens of
        the rest.
        """
        found: dict[int, set[tuple[int, ...]]] = defaultdict(set)
        for breaker in breakers:
            tails = {breaker[:n]: self._ids(breaker[n:]) for n in range(1, len(breaker))}
            for token, text in enumerate(self._texts):
                if breaker in text:
                    found[token].add(())
                elif breaker[0] in text:
                    found[token] |= {tails[head] for head in tails if text.endswith(head)}
        return {token: tuple(sorted(tails)) for token, tails in found.items() if tails}

    @cached_property
    def _texts(self) -> list[str]:
        """What each token spells inside a text, special tokens included.

        Decoded after another token, since some tokenizers drop the space of a first one.
        """
        anchor = self._ids("a")[-1]
        start = len(self._decode([anchor]))
        return [self._decode([anchor, token])[start:] for token in range(len(self._tokenizer))]

    def _decode(self, ids: list[int]) -> str:
        return str(self._tokenizer.decode(ids, clean_up_tokenization_spaces=False))

    def _ids(self, text: str) -> tuple[int, ...]:
        return tuple(self._tokenizer(text, add_special_tokens=False, verbose=False).input_ids)
