"""Text stream: the text of an output while it grows, of which nothing has to be taken back.

A character spread over several tokens waits until it is whole, and text that could be the start of
a stop string waits until it is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ethogram.engine.stopping import TextSoFar


class TextStream:
    """The pieces of one output's text.

    Args:
        tokenizer: the model's.
        stops: strings that end the output and are no part of its text.
        ending_ids: token ids that end the output and are no part of its text.
    """

    def __init__(
        self, tokenizer: Any, stops: Sequence[str] = (), ending_ids: frozenset[int] = frozenset()
    ) -> None:
        self._text = TextSoFar(tokenizer)
        self._stops, self._ending_ids = tuple(stops), ending_ids
        self._sent = 0

    def push(self, token_ids: Sequence[int]) -> str:
        """Add new tokens; return the text that is certain to be part of the output."""
        for token in token_ids:
            if token not in self._ending_ids:
                self._text.push(token)
        text = self._text.text
        found = [place for stop in self._stops if (place := text.find(stop)) >= 0]
        return self._send(text, min(found) if found else len(text) - self._held(text))

    def finish(self, text: str) -> str:
        """The rest of the finished output's text."""
        return self._send(text, len(text))

    def _send(self, text: str, end: int) -> str:
        piece = text[self._sent : max(end, self._sent)]
        self._sent = max(end, self._sent)
        return piece

    def _held(self, text: str) -> int:
        """Characters at the end that may be the start of a stop string."""
        longest = 0
        for stop in self._stops:
            for size in range(min(len(stop) - 1, len(text)), longest, -1):
                if text.endswith(stop[:size]):
                    longest = size
                    break
        return longest
