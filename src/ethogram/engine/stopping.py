"""When an output ends, and what its text is.

Backends share it, so that each ends outputs by the same rules.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ethogram.engine.loops import LoopWatch
from ethogram.errors import RequestError
from ethogram.spec.decoding import Decoding
from ethogram.spec.generation import FinishReason
from ethogram.spec.wrapper import LoopBreaker

#: What a tokenizer decodes bytes to that are not (yet) a whole character.
_UNFINISHED = "�"


@dataclass(frozen=True, slots=True)
class StopRules:
    """All that can end one output.

    Attributes:
        eos_token_ids: the model's ends of sequence.
        stop_token_ids: further ids that end the output.
        stop_strings: strings that end the output.
        limit: most new tokens.
        loop: what counts as a loop that ends it; None is nothing.
    """

    eos_token_ids: frozenset[int]
    stop_token_ids: frozenset[int]
    stop_strings: tuple[str, ...]
    limit: int
    loop: LoopBreaker | None = None

    @classmethod
    def from_decoding(
        cls,
        decoding: Decoding,
        *,
        tokenizer: Any,
        eos_token_ids: frozenset[int],
        limit: int,
        loop: LoopBreaker | None = None,
    ) -> StopRules:
        """Resolve a decoding's rules; a stop string that is a special token acts by its id.

        An output of a given form ends where that is complete, and by nothing else.

        Raises:
            RequestError: a stop string contains a special token and more, which no text shows.
        """
        if decoding.ends_by_form:
            return cls(frozenset(eos_token_ids), frozenset(), (), limit)
        special = _special_tokens(tokenizer) if decoding.stop else {}
        for stop in decoding.stop:
            inside = [token for token in special if token in stop]
            if inside and stop not in special:
                raise RequestError(
                    f"stop string {stop!r} contains the special token {inside[0]!r}, which is not "
                    "part of an output's text, so it would never match",
                    where="decoding.stop",
                    hint=f"stop at {inside[0]!r} alone",
                )
        named = {special[stop] for stop in decoding.stop if stop in special}
        ids = frozenset(decoding.stop_token_ids) | named
        return cls(frozenset(eos_token_ids), ids, decoding.stop, limit, loop)

    @property
    def ending_ids(self) -> frozenset[int]:
        """Ids that end the output by themselves."""
        return self.eos_token_ids | self.stop_token_ids


@lru_cache(maxsize=4)  # Each request asks, and some tokenizers have thousands.
def _special_tokens(tokenizer: Any) -> dict[str, int]:
    """Ids of the tokens that texts leave out, by their spelling: the named and the added ones."""
    added = getattr(tokenizer, "added_tokens_decoder", {})
    special = {token.content: int(id_) for id_, token in added.items() if token.special}
    for name in getattr(tokenizer, "all_special_tokens", ()):
        special.setdefault(str(name), int(tokenizer.convert_tokens_to_ids(name)))
    return special


class TextSoFar:
    """The text of a growing list of tokens, decoded a few tokens at a time.

    A token's text can depend on its neighbours (a character spread over byte-level tokens, a
    space that shows only after a first word), so each piece is the difference between decoding
    a short tail with and without the new tokens, and waits while it ends inside a character.
    """

    def __init__(self, tokenizer: Any) -> None:
        self.text = ""
        self._tokenizer = tokenizer
        self._ids: list[int] = []
        self._anchor = 0  # start of the tail
        self._read = 0  # ids whose text is in `text`

    def push(self, token: int) -> str:
        """Add a token; return the text that became certain, often one word, sometimes nothing."""
        self._ids.append(token)
        before = decode(self._tokenizer, self._ids[self._anchor : self._read])
        after = decode(self._tokenizer, self._ids[self._anchor :])
        if len(after) <= len(before) or after.endswith(_UNFINISHED):
            return ""
        piece = after[len(before) :]
        self._anchor, self._read = self._read, len(self._ids)
        self.text += piece
        return piece

    def fork(self) -> TextSoFar:
        """An independent copy, for a beam that splits."""
        copied = copy.copy(self)
        copied._ids = list(self._ids)
        return copied


class StopWatch:
    """Checks after each new token of one output whether it ends."""

    def __init__(self, rules: StopRules, tokenizer: Any) -> None:
        self.rules = rules
        self.count = 0
        self._text = TextSoFar(tokenizer) if rules.stop_strings else None
        self._longest = max((len(stop) for stop in rules.stop_strings), default=0)
        self._loops = LoopWatch(rules.loop) if rules.loop else None

    def push(self, token: int) -> FinishReason | None:
        """Add a token; return why the output ends here, or None."""
        self.count += 1
        if token in self.rules.eos_token_ids:
            return "eos"
        if token in self.rules.stop_token_ids or self._completes_stop(token):
            return "stop"
        if self._loops is not None and self._loops.push(token) is not None:
            return "loop"
        return "length" if self.count >= self.rules.limit else None

    def _completes_stop(self, token: int) -> bool:
        if self._text is None:
            return False
        piece = self._text.push(token)
        if not piece:
            return False
        recent = self._text.text[-(len(piece) + self._longest - 1) :]
        return any(stop in recent for stop in self.rules.stop_strings)

    def fork(self) -> StopWatch:
        """An independent copy, for a beam that splits."""
        copied = copy.copy(self)
        copied._text = self._text.fork() if self._text else None
        copied._loops = self._loops.fork() if self._loops else None
        return copied


def decode(tokenizer: Any, ids: Sequence[int]) -> str:
    """Text of ids without special tokens, spaces as the tokens have them."""
    # Streams decode every token, and transformers' own checks take longer than decoding.
    if _is_plain(tokenizer.__class__):
        return str(tokenizer.backend_tokenizer.decode(list(ids), skip_special_tokens=True))
    return str(
        tokenizer.decode(list(ids), skip_special_tokens=True, clean_up_tokenization_spaces=False)
    )


@lru_cache
def _is_plain(kind: Any) -> bool:
    """Whether a tokenizer decodes as the tokenizers library does, where nothing is cleaned up."""
    from transformers import PreTrainedTokenizerFast as Fast

    own = issubclass(kind, Fast) and (kind.decode, kind._decode)
    return bool(own == (Fast.decode, Fast._decode))


def final_text(tokenizer: Any, ids: Sequence[int], rules: StopRules) -> str:
    """Text of a finished output: without the token that ended it, cut before a stop string."""
    if ids and ids[-1] in rules.ending_ids:
        ids = ids[:-1]
    text = decode(tokenizer, ids)
    cuts = [text.find(stop) for stop in rules.stop_strings]
    cuts = [cut for cut in cuts if cut >= 0]
    return text[: min(cuts)] if cuts else text
