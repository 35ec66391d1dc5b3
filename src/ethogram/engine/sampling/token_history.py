"""The token ids of one output, in arrays that the sampling kernel reads."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


class TokenHistory:
    """Prompt and output tokens of one output.

    The arrays are as long as the longest output from the start, so that their addresses hold.

    Args:
        prompt: ids, as the decoder sees them.
        limit: most tokens of the output.

    Attributes:
        length: ids of prompt and output so far.
        ids_address: address of these ids, [length] int32.
        distinct_address: address of the distinct ones among them, [distinct] int32.
        counts_address: address of how often each is in the output, [distinct] fp32.
    """

    def __init__(self, prompt: Sequence[int], limit: int) -> None:
        capacity = len(prompt) + limit
        self.length = len(prompt)
        self._ids = np.empty(capacity, np.int32)
        self._ids[: len(prompt)] = prompt
        self._index_of = {token: index for index, token in enumerate(dict.fromkeys(prompt))}
        self._distinct = np.empty(capacity, np.int32)
        self._distinct[: len(self._index_of)] = list(self._index_of)
        self._counts = np.zeros(capacity, np.float32)
        self.ids_address = self._ids.ctypes.data
        self.distinct_address = self._distinct.ctypes.data
        self.counts_address = self._counts.ctypes.data

    @property
    def distinct_count(self) -> int:
        """How many distinct ids there are."""
        return len(self._index_of)

    def push(self, token: int) -> None:
        """Add a token of the output."""
        index = self._index_of.setdefault(token, len(self._index_of))
        self._distinct[index] = token
        self._counts[index] += 1
        self._ids[self.length] = token
        self.length += 1
