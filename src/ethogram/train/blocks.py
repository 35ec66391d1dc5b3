"""Blocks: documents packed into sequences of one length, none of which sees another.

A block holds documents one after another. Positions start again at each document, and where
positions start again transformers makes a block-diagonal mask, so that packed documents give the
same logits as each alone. No attention mask and no cache may be passed beside them: either makes
transformers see one long document.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

#: Label of a position that is not learned, as torch's cross-entropy names it.
IGNORED = -100


@dataclass(frozen=True, slots=True)
class Blocks(torch.utils.data.Dataset[dict[str, torch.Tensor]]):
    """Packed documents, as a dataset of blocks.

    Attributes:
        tokens: token ids. [blocks, context]
        positions: position of each token in its document's piece, from 0. [blocks, context]
        used: tokens that are not padding.
        learned_bytes: UTF-8 bytes of the tokens that have a label.
    """

    tokens: NDArray[np.int32]
    positions: NDArray[np.int32]
    used: int
    learned_bytes: int

    def __len__(self) -> int:
        return len(self.tokens)

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        tokens = torch.from_numpy(self.tokens[index].astype(np.int64))
        positions = torch.from_numpy(self.positions[index].astype(np.int64))
        return {
            "input_ids": tokens,
            "position_ids": positions,
            "labels": labels(tokens, positions, self._padding(index)),
        }

    def _padding(self, index: int) -> int:
        """Padding tokens at the end of a block; only the last one has any."""
        return self.tokens.size - self.used if index % len(self) == len(self) - 1 else 0

    @property
    def learned(self) -> int:
        """Tokens that have a label: all but the first of each piece, and padding."""
        padding = self.tokens.size - self.used
        starts = int((self.positions == 0).sum()) - (1 if padding else 0)
        return self.used - starts


def labels(tokens: torch.Tensor, positions: torch.Tensor, padding: int = 0) -> torch.Tensor:
    """Labels of a block: each token is learned from those before it in its document.

    Args:
        tokens: [context]
        positions: [context]
        padding: tokens at the end that are padding.

    Returns:
        Token ids, and `IGNORED` for the first token of each piece and padding. [context]
    """
    made = tokens.clone()
    made[positions == 0] = IGNORED
    if padding:
        made[-padding:] = IGNORED
    return made


def pack(
    documents: Iterable[Sequence[int]],
    context: int,
    *,
    pad: int,
    sizes: NDArray[np.int64] | None = None,
) -> Blocks:
    """Pack tokenized documents, each with its end token, into blocks.

    A document that crosses the end of a block continues in the next one, as a piece of its own.
    Only the last block is padded, so no token is left out.

    Args:
        documents: token ids of each.
        context: tokens of a block.
        pad: id of the padding token.
        sizes: UTF-8 bytes of each token id, to count the bytes that are learned.
    """
    flat, begins, length = [], [], 0
    for document in documents:
        flat.append(np.asarray(document, dtype=np.int32))
        begins.append(length)
        length += len(document)
    stream = np.concatenate(flat) if flat else np.zeros(0, dtype=np.int32)
    count = -(-length // context)
    tokens = np.full(count * context, pad, dtype=np.int32)
    tokens[:length] = stream
    starts = np.zeros(count * context, dtype=bool)
    starts[::context] = True
    starts[np.asarray(begins, dtype=np.int64)] = True
    if length < len(starts):
        starts[length] = True  # Padding is a piece of its own.
    places = np.arange(count * context, dtype=np.int64)
    positions = (places - np.maximum.accumulate(np.where(starts, places, 0))).astype(np.int32)
    learned = np.zeros(count * context, dtype=bool)
    learned[:length] = ~starts[:length]
    return Blocks(
        tokens.reshape(count, context),
        positions.reshape(count, context),
        used=length,
        learned_bytes=int(sizes[tokens[learned]].sum()) if sizes is not None else 0,
    )


def token_bytes(tokenizer: Any) -> NDArray[np.int64]:
    """UTF-8 bytes that each token id stands for; 0 for special tokens.

    Shape [vocab].
    """
    special = set(tokenizer.all_special_ids)
    names = tokenizer.convert_ids_to_tokens(list(range(len(tokenizer))))
    # A byte-level tokenizer writes each byte as one character.
    return np.array(
        [0 if token in special else len(name) for token, name in enumerate(names)], dtype=np.int64
    )
