"""Turns: the strings by which a completion model would begin the asker's next turn."""

from __future__ import annotations

from ethogram.metrics.asking import ASKER_LABEL
from ethogram.spec.generation import Message


def next_turn_stops(prompt: str | tuple[Message, ...]) -> tuple[str, ...]:
    """The labels of the asker in a prompt's own text, each at the start of a line.

    Args:
        prompt: a text; a chat has role markers that end its turns, so there is none to add.
    """
    if not isinstance(prompt, str):
        return ()
    labels = dict.fromkeys(
        prompt[found.start(1) : found.end()].strip() for found in ASKER_LABEL.finditer(prompt)
    )
    return tuple(f"\n{label}" for label in labels if label)
