"""Forced tokens: the first ones of an output, the one at its limit, and those of a branch.

Multilingual models take the language of their output so (mBART, NLLB, M2M100), and BART its begin
and end tokens, as transformers' `forced_bos_token_id` and `forced_eos_token_id` do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ethogram.errors import RequestError
from ethogram.spec.decoding import Decoding


@dataclass(frozen=True, slots=True)
class Forced:
    """The forced tokens of an output.

    Attributes:
        first: ids of its first tokens.
        last: id of the token at its limit, or None.
        limit: most new tokens.
        given: ids of its first tokens, taken from another output (`Request.prefix`). Where the
            decoding would have chosen the same token, it is chosen as if nothing were given.
    """

    first: tuple[int, ...] = ()
    last: int | None = None
    limit: int = 0
    given: tuple[int, ...] = ()

    def at(self, written: int) -> int | None:
        """The token forced after so many new tokens, if any."""
        if written < len(self.first):
            return self.first[written]
        return self.last if written == self.limit - 1 else None

    def given_at(self, written: int) -> int | None:
        """The token given after so many new tokens, if any."""
        return self.given[written] if written < len(self.given) else None


#: Of most outputs.
NOTHING_FORCED = Forced()


def forced_tokens(decoding: Decoding, loaded: Any, limit: int) -> Forced:
    """The tokens that a decoding forces, or, where it forces none, its model.

    Args:
        decoding: names tokens by id or by their text in the vocabulary.
        loaded: the model.
        limit: most new tokens.

    Raises:
        RequestError: the model has no such token, or the decoding is contrastive search, which
            weighs tokens against each other where only one is possible.
    """
    first = tuple(_token_id(token, loaded) for token in decoding.forced_tokens)
    begin = getattr(loaded, "forced_bos_token_id", None)
    if not first and begin is not None and loaded.is_encoder_decoder:
        first = (begin,)
    last = getattr(loaded, "forced_eos_token_id", None)
    if (first or last is not None) and decoding.resolved_strategy == "contrastive":
        raise RequestError(
            "contrastive search does not support forced tokens, and the decoding or the model "
            "has some",
            where="decoding.penalty_alpha",
            hint="turn it off (penalty_alpha: 0)",
        )
    return Forced(first, last, limit)


def _token_id(token: int | str, loaded: Any) -> int:
    found = token if isinstance(token, int) else loaded.tokenizer.get_vocab().get(token)
    if found is None or found >= loaded.vocab_size:
        raise RequestError(
            f"the model has no token {token!r}",
            where="decoding.forced_tokens",
            hint="write the token as in the vocabulary, such as fra_Latn, or its id",
        )
    return int(found)


def only(scores: Tensor, token: int | None) -> Tensor:
    """Mask scores [rows, vocab] so that only one token is possible; None masks nothing."""
    if token is None:
        return scores
    masked = torch.full_like(scores, -torch.inf)
    masked[:, token] = 0.0
    return masked
