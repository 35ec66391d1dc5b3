"""Vocabulary: a tokenizer as llguidance reads it, and the tokens that close JSON."""

from __future__ import annotations

import re
from collections import OrderedDict
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ethogram.errors import RequestError
from ethogram.extras import require

if TYPE_CHECKING:
    from llguidance import LLTokenizer

    from ethogram.engine.structure.form import Form

#: Forms kept for each tokenizer: a server sees the same few schemas again and again.
FORMS_KEPT = 64
#: What a closing chooses within a string once it may not end there, and outside of one.
_WITHIN = "0a1 A-.@:/_+bcdefxyzTZ"
_OUTSIDE = ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "null", "true", "false", "n", "t")
_OPENING = ("f", "-", '"', "[", "{", ":", ",", ".")


class Vocabulary:
    """A tokenizer as llguidance reads it.

    Args:
        tokenizer: a fast tokenizer of transformers.
        size: number of tokens that the model scores.
        eos_token_ids: the ids that end an output.

    Attributes:
        tokenizer: llguidance's.
        size: number of tokens.
        eos_token_ids: sorted.
        bytes_of: the bytes of each token.
        quotes: tokens that end a string and perhaps what it is in, the longest first.
        single: tokens of one byte that are no quotation mark and no backslash.
        closing_within: tokens with which to end a string soon, best first.
        closing_outside: tokens with which to end everything else soon, best first.
        forms: compiled ones, by schema.
    """

    def __init__(self, tokenizer: Any, size: int, eos_token_ids: frozenset[int]) -> None:
        hf = require("llguidance.hf", extra="engine", needed_for="replies of a given form")
        self.size, self.eos_token_ids = size, sorted(eos_token_ids)
        self.tokenizer: LLTokenizer = hf.from_tokenizer(
            tokenizer, n_vocab=size, eos_token=self.eos_token_ids
        )
        special = {int(each) for each in getattr(tokenizer, "all_special_ids", ())}
        self.bytes_of = [
            b"" if token in special else self.tokenizer.decode_bytes([token])
            for token in range(size)
        ]
        ids: dict[bytes, int] = {}
        for token, text in enumerate(self.bytes_of):
            ids.setdefault(text, token)
        self.quotes = _array(*_matching(ids, rb'"[\]}]*'))
        self.single = _array(*_matching(ids, rb'[^"\\]'))
        self.closing_within = _array(
            *self.quotes.tolist(), *(ids.get(each.encode()) for each in _WITHIN)
        )
        self.closing_outside = _array(
            *_matching(ids, rb"[\]}]+"),
            *(ids.get(each.encode()) for each in (*_OUTSIDE, *_OPENING)),
        )
        self.forms: OrderedDict[str, Form] = OrderedDict()

    def text_of(self, tokens: list[int]) -> bytes:
        """The bytes of tokens."""
        return b"".join(self.bytes_of[token] for token in tokens)


def _matching(ids: dict[bytes, int], pattern: bytes) -> list[int]:
    """Tokens of a pattern, the longest first."""
    found = [text for text in ids if re.fullmatch(pattern, text, re.DOTALL)]
    return [ids[text] for text in sorted(found, key=len, reverse=True)]


def _array(*tokens: int | None) -> npt.NDArray[np.int64]:
    return np.array([token for token in tokens if token is not None], np.int64)


@lru_cache(maxsize=4)
def vocabulary_of(tokenizer: Any, size: int, eos_token_ids: frozenset[int]) -> Vocabulary:
    """The vocabulary of a tokenizer, made once.

    Raises:
        RequestError: llguidance cannot read the tokenizer, or nothing can end an output.
        MissingExtraError: llguidance is not installed.
    """
    where = "decoding.response_format"
    if not eos_token_ids:
        raise RequestError("the model has no end of sequence, so no form can end", where=where)
    if getattr(tokenizer, "backend_tokenizer", None) is None:
        raise RequestError(
            "replies of a given form need a fast tokenizer, and the model has a slow one",
            where=where,
        )
    try:
        return Vocabulary(tokenizer, size, eos_token_ids)
    except ValueError as error:
        raise RequestError(
            f"this model's tokenizer cannot be used for replies of a given form: {error!s:.200}",
            where=where,
        ) from error
