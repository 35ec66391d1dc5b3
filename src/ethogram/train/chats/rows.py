"""Token rows: what a model reads, and which of it is learned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A sequence of token ids with a mask.

    Attributes:
        ids: what a causal model reads; of an encoder-decoder model, what the decoder writes.
        learned: of each id, whether its prediction is part of the loss.
        where: file and line that it comes from.
        source: what the encoder reads; empty for causal models.
    """

    ids: tuple[int, ...]
    learned: tuple[bool, ...]
    where: str = ""
    source: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def labels(self) -> list[int]:
        """The ids, with -100 where nothing is learned."""
        return [
            token if learned else -100
            for token, learned in zip(self.ids, self.learned, strict=True)
        ]

    @property
    def learned_tokens(self) -> int:
        """How many tokens are learned."""
        return sum(self.learned)

    @property
    def learned_ids(self) -> tuple[int, ...]:
        """The ids that are learned."""
        return tuple(
            token for token, learned in zip(self.ids, self.learned, strict=True) if learned
        )

    def cut(self, length: int) -> TokenRow:
        """Its first `length` ids."""
        return TokenRow(self.ids[:length], self.learned[:length], self.where, self.source[:length])


def shown(row: TokenRow, tokenizer: Any) -> list[tuple[str, bool]]:
    """A row as text for people: each token, and whether it is learned.

    Tokens that are parts of one character are joined, so that every piece is valid text.
    """
    pairs = [(token, False) for token in row.source]
    pairs += list(zip(row.ids, row.learned, strict=True))
    pieces: list[tuple[str, bool]] = []
    pending: list[int] = []
    for token, learned in pairs:
        pending.append(token)
        text = tokenizer.decode(pending, clean_up_tokenization_spaces=False)
        if "�" in text and len(pending) < 4:
            continue
        pieces.append((text, learned))
        pending = []
    if pending:
        pieces.append((tokenizer.decode(pending), pairs[-1][1]))
    return pieces
