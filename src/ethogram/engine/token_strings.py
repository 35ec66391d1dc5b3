"""The strings of a decoding as token ids. Knows the tokenizer; sees no score and no output."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ethogram.spec.decoding import Decoding


@dataclass(frozen=True, slots=True)
class Words:
    """What a decoding's strings are in ids.

    Attributes:
        bad: sequences that must not occur.
        breakers: ids that begin a breaker of DRY, and the ids that complete it: none where the
            breaker lies within the token.
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
        self._known: dict[Any, Words] = {}

    def words(self, decoding: Decoding) -> Words:
        """The strings of a decoding as ids; those of steps that cannot act are left out."""
        active = decoding.active_step_names()
        bad = decoding.bad_words if "bad_words" in active else ()
        breakers = decoding.dry.sequence_breakers if "dry" in active else ()
        if (bad, breakers) not in self._known:
            self._known[bad, breakers] = Words(self._sequences(bad), self._breakers(breakers))
        return self._known[bad, breakers]

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

    def _breakers(self, breakers: tuple[str, ...]) -> dict[int, tuple[tuple[int, ...], ...]]:
        """Where breakers can begin, as in llama.cpp.

        A breaker lies within a token, or begins at the end of one and is completed by the tokens
        of what is missing.
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
