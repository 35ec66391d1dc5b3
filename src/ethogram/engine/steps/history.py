"""What a batch of rows holds so far. Knows token ids; knows nothing of scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class History:
    """Token ids of rows that share one decoding.

    Attributes:
        prompts: prompt ids of each row, as the decoder sees them (an encoder-decoder model's
            decoder sees only its start token).
        outputs: ids generated so far by each row.
        eos_token_ids: the model's end-of-sequence ids.
    """

    prompts: Sequence[Sequence[int]]
    outputs: Sequence[Sequence[int]]
    eos_token_ids: frozenset[int] = frozenset()
