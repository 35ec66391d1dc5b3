"""The tokens that an output holds, kept as arrays that grow with it. Knows ids; knows no score."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


class TokenHistory:
    """Prompt and output of one output as the compiled choice reads them.

    The arrays have room for the longest output from the start, so that their addresses hold.

    Args:
        prompt: ids, as the decoder sees them.
        limit: most tokens of the output.
    """

    def __init__(self, prompt: Sequence[int], limit: int) -> None:
        room = len(prompt) + limit
        self._history = np.empty(room, np.int32)
        self._history[: len(prompt)] = prompt
        #: Ids of prompt and output so far.
        self.length = len(prompt)
        self._places = {token: place for place, token in enumerate(dict.fromkeys(prompt))}
        self._distinct = np.empty(room, np.int32)
        self._distinct[: len(self._places)] = list(self._places)
        self._uses = np.zeros(room, np.float32)
        #: Address of the ids of prompt and output [length].
        self.history = self._history.ctypes.data
        #: Address of the distinct ones among them [distinct].
        self.distinct = self._distinct.ctypes.data
        #: Address of how often each is in the output [distinct].
        self.uses = self._uses.ctypes.data

    @property
    def distinct_count(self) -> int:
        """How many distinct ids there are."""
        return len(self._places)

    def push(self, token: int) -> None:
        """Add a token of the output."""
        place = self._places.setdefault(token, len(self._places))
        self._distinct[place] = token
        self._uses[place] += 1
        self._history[self.length] = token
        self.length += 1
