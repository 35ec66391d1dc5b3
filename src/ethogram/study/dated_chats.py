"""Chats whose template writes today's date: their finished text is part of their identity.

Templates of Llama 3, Granite and others read the clock, so the same messages are another prompt
tomorrow. Only for these the tokenizer is loaded before anything is generated.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ethogram.spec.generation import ChatFormat, Message

if TYPE_CHECKING:
    from ethogram.models import ModelReference
    from ethogram.spec.requests import Finish

_log = logging.getLogger(__name__)
#: Words of a template that reads the clock.
_CLOCK_WORDS = ("strftime_now", "now(", "datetime")


@dataclass(frozen=True)
class _Template:
    """A tokenizer with a chat template."""

    tokenizer: Any
    has_chat_template: bool = True


class DatedChats:
    """Finishes the chats of models whose template reads the clock.

    Args:
        day: the time that such a template sees, one for all chats.
    """

    def __init__(self, day: datetime) -> None:
        self._day = day
        self._finishes: dict[ModelReference, Finish | None] = {}

    def finish(self, reference: ModelReference) -> Finish | None:
        """What finishes the chats of a model; None where its template reads no clock.

        Raises:
            ModelError: the model's files cannot be read.
        """
        from ethogram.models import chat_template

        if reference not in self._finishes:
            source = chat_template(reference)
            reads = any(word in source for word in _CLOCK_WORDS)
            self._finishes[reference] = self._make(reference) if reads else None
        return self._finishes[reference]

    def _make(self, reference: ModelReference) -> Finish:
        from ethogram.engine.chat import reads_clock, render_chat
        from ethogram.models import load_tokenizer

        model = _Template(load_tokenizer(reference))
        warned = False

        def finish(name: str, messages: tuple[Message, ...], chat: ChatFormat) -> str | None:
            nonlocal warned
            where = f"prompt {name}"
            text = render_chat(messages, chat, model, where=where, day=self._day)
            if not reads_clock(messages, chat, model):
                return None
            if not warned:
                warned = True
                _log.warning(
                    "model %s: its chat template writes the date into the prompt, so outputs are "
                    "made again when it changes; set the date in prompt.template_args if the "
                    "template takes one (Llama 3: date_string)",
                    reference.model,
                )
            return text

        return finish
