"""Chat templates: messages become a text by the model's own template. Reads no weights.

A template is a program that came with the model: it may refuse messages, fail, leave some out, or
write today's date. The first two are errors of the request, the others are warnings.
"""

from __future__ import annotations

import json
import logging
import re
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Protocol

from ethogram.errors import RequestError
from ethogram.models.templates import bound_templates
from ethogram.spec.generation import ChatFormat, Message, Request

_log = logging.getLogger(__name__)
_FORMAT = re.compile(r"""(['"])([^'"]*%[^'"]*)\1""")
#: Put before a template; it replaces the library's own function.
_CLOCK = "{%- macro strftime_now(format) -%}{{ ethogram_times[format] }}{%- endmacro -%}"
#: Two times that differ in every field of strftime.
_DAYS = (datetime(2001, 2, 3, 4, 5, 6), datetime(2012, 11, 20, 19, 48, 57))


class ChatModel(Protocol):
    """What turns messages into a text."""

    @property
    def tokenizer(self) -> Any:
        """A tokenizer of transformers."""

    @property
    def has_chat_template(self) -> bool:
        """Whether messages can be turned into a prompt."""


def chat_text(request: Request, loaded: ChatModel) -> str:
    """The text of a request whose prompt is a chat.

    Raises:
        RequestError: the model has no chat template, or its template refuses the messages, fails,
            or cannot leave the last message open.
    """
    assert not isinstance(request.prompt, str)
    if request.chat.text is not None:
        return request.chat.text
    return render_chat(request.prompt, request.chat, loaded, where=f"prompt {request.prompt_id}")


def render_chat(
    messages: tuple[Message, ...],
    form: ChatFormat,
    loaded: ChatModel,
    *,
    where: str,
    day: datetime | None = None,
) -> str:
    """The text of a chat.

    Args:
        messages: its turns.
        form: how they become a text.
        loaded: the model.
        where: the prompt, for messages.
        day: the time that a template sees which reads the clock; default: now.

    Raises:
        RequestError: as for `chat_text`.
    """
    if not loaded.has_chat_template:
        raise RequestError(
            "the prompt is a chat and the model has no chat template",
            where=where,
            hint="write the prompt as plain text or choose an instruct model",
        )
    if form.continues and messages[-1].role != "assistant":
        raise RequestError(
            f"its last message has role {messages[-1].role}, and only an assistant message can be "
            "continued",
            where=where,
            hint="leave prompt.continue_final out, or end the chat with an assistant message",
        )
    return _apply(messages, form, loaded.tokenizer, where, day)


def reads_clock(messages: tuple[Message, ...], form: ChatFormat, loaded: ChatModel) -> bool:
    """Whether the text of a chat depends on the day: two days give two texts."""
    texts = {_apply(messages, form, loaded.tokenizer, "chat", day) for day in _DAYS}
    return len(texts) > 1


def _apply(
    messages: tuple[Message, ...],
    form: ChatFormat,
    tokenizer: Any,
    where: str,
    day: datetime | None = None,
) -> str:
    arguments: dict[str, Any] = json.loads(form.arguments)
    if day is not None:
        arguments |= _with_clock(tokenizer, arguments, day)
    turns = [{"role": turn.role, "content": turn.content} for turn in messages]
    bound_templates()
    try:
        text = tokenizer.apply_chat_template(
            turns,
            add_generation_prompt=not form.continues,
            continue_final_message=form.continues,
            tokenize=False,
            **arguments,
        )
    except Exception as error:
        # A template runs any operation on the messages, so it can fail in any way.
        reason = next(iter(str(error).splitlines()), "")[:200] or type(error).__name__
        raise RequestError(
            f"the model's chat template cannot format it ({reason})",
            where=where,
            hint="change its messages or prompt.template_args, or write the prompt as plain text",
        ) from None
    return str(text)


def _with_clock(tokenizer: Any, arguments: dict[str, Any], day: datetime) -> dict[str, Any]:
    """Arguments under which a template sees this time; transformers hands it no function of ours.

    The formats that it may ask for are the texts in its source that hold a percent sign.
    """
    source = tokenizer.get_chat_template(None, arguments.get("tools"))
    formats = {text for _, text in _FORMAT.findall(source)}
    return {
        "chat_template": _CLOCK + source,
        "ethogram_times": {each: day.strftime(each) for each in formats},
    }


def warn_of_dropped(chats: Iterable[tuple[tuple[Message, ...], str]]) -> None:
    """Warn once of each role whose message the template leaves out.

    Args:
        chats: messages, and the text that the template made of them.
    """
    dropped = Counter(
        message.role
        for messages, text in chats
        for message in messages
        if message.role in ("system", "developer") and not _holds(text, message.content.strip())
    )
    for role, count in dropped.items():
        _log.warning(
            "the model's chat template leaves out the %s message (%d prompts)", role, count
        )


def _holds(text: str, content: str) -> bool:
    return content in text or json.dumps(content, ensure_ascii=False)[1:-1] in text
