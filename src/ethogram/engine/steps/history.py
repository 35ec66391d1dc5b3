"""The token histories of a batch of rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ethogram.engine.token_strings import StringIds


@dataclass(frozen=True, slots=True)
class History:
    """Token ids of rows that share one decoding.

    Attributes:
        prompts: prompt ids of each row, as the decoder sees them (an encoder-decoder model's
            decoder sees only its start token).
        outputs: ids generated so far by each row.
        eos_token_ids: the model's end-of-sequence ids.
        words: the strings of the decoding as ids.
        keys: noise key of each row, when sampling.
        surprisal_limits: most surprisal of each row's next token, bits, under mirostat.
        masks: [words] uint32 of each row: tokens that its form lets in, a bit each, lowest first.
    """

    prompts: Sequence[Sequence[int]]
    outputs: Sequence[Sequence[int]]
    eos_token_ids: frozenset[int] = frozenset()
    words: StringIds = field(default_factory=StringIds)
    keys: Sequence[int] = ()
    surprisal_limits: Sequence[float] = ()
    masks: Sequence[npt.NDArray[np.uint32]] = ()


def last(prompt: Sequence[int], output: Sequence[int], count: int) -> tuple[int, ...]:
    """The last `count` ids of prompt and output together, or all if there are fewer."""
    from_prompt = min(max(count - len(output), 0), len(prompt))
    return (
        *prompt[len(prompt) - from_prompt :],
        *output[max(len(output) - count, 0) :],
    )
