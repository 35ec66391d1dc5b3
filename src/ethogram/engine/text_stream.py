"""Text for a stream: whole characters only, and nothing that may turn out to be a stop string."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ethogram.engine.stopping import TextSoFar


class StopFilter:
    """Holds back the end of a growing text that may be the beginning of a stop string.

    Args:
        stops: strings that end the text and are not part of it.
    """

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = [stop for stop in stops if stop]
        self._held = ""
        self.is_stopped = False

    def push(self, piece: str) -> str:
        """Add text; return what may be shown now."""
        if self.is_stopped:
            return ""
        text = self._held + piece
        found = [at for at in map(text.find, self._stops) if at >= 0]
        if found:
            self.is_stopped, self._held = True, ""
            return text[: min(found)]
        held = self._beginning(text)
        self._held = text[len(text) - held :]
        return text[: len(text) - held]

    def _beginning(self, text: str) -> int:
        """Length of the longest end of the text that begins a stop string."""
        longest = max(map(len, self._stops), default=0)
        for length in range(min(longest - 1, len(text)), 0, -1):
            end = text[-length:]
            if any(stop.startswith(end) for stop in self._stops):
                return length
        return 0


class TextStream:
    """The text of an output while its tokens come.

    Args:
        tokenizer: the model's.
        stops: strings that end the output and are cut from its text.
        ending_ids: ids that end the output and are not part of its text.
    """

    def __init__(
        self, tokenizer: Any, stops: Sequence[str] = (), ending_ids: frozenset[int] = frozenset()
    ) -> None:
        self._text, self._filter = TextSoFar(tokenizer), StopFilter(stops)
        self._ending_ids = ending_ids
        self._sent = ""

    @property
    def sent(self) -> str:
        """What was returned so far."""
        return self._sent

    @property
    def length(self) -> int:
        """Characters that are certain, held ones included."""
        return len(self._text.text)

    def push(self, token_ids: Sequence[int]) -> str:
        """Add tokens; return the text that is certain."""
        piece = "".join(
            self._text.push(token) for token in token_ids if token not in self._ending_ids
        )
        shown = self._filter.push(piece)
        self._sent += shown
        return shown

    def finish(self, text: str) -> str:
        """End with the final text of the output; return what of it was not yet returned."""
        rest = text[len(self._sent) :] if text.startswith(self._sent) else ""
        self._sent += rest
        return rest
