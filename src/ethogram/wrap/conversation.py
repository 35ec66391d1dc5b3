"""Conversation: from the messages of a dialogue to the prompt of a version.

A chat model reads the messages by its own template. A completion model reads the version's
template: once for each exchange, so that earlier exchanges look as the next one should.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ethogram.errors import PromptTooLongError, RequestError
from ethogram.spec.generation import Message
from ethogram.spec.prompt import Example, Prompt, fill_template

Rendered = str | tuple[Message, ...]
#: Between two exchanges of a completion prompt.
_BETWEEN = "\n\n"


@dataclass(frozen=True, slots=True)
class Fitted:
    """A conversation as a prompt that fits.

    Attributes:
        prompt: what the model reads.
        messages: those that are left.
        dropped: messages that were left out, the oldest ones.
    """

    prompt: Rendered
    messages: tuple[Message, ...]
    dropped: int


def render(prompt: Prompt, messages: Sequence[Message]) -> Rendered:
    """The prompt of a conversation.

    Args:
        prompt: the version's.
        messages: of the conversation; the last one is what is answered.

    Raises:
        RequestError: there is no message, or the last one is not the user's where a completion
            model has to answer.
    """
    if not messages:
        raise RequestError("the conversation is empty", hint="write a message")
    if prompt.chat:
        return _chat(prompt, messages)
    if messages[-1].role != "user":
        raise RequestError(
            f"the last message is the {messages[-1].role}'s, and a completion prompt answers the "
            "user's",
            hint="end with a user's message, or set prompt.chat",
        )
    return _completion(prompt, messages)


def _chat(prompt: Prompt, messages: Sequence[Message]) -> tuple[Message, ...]:
    system = [Message("system", prompt.system)] if prompt.system else []
    if messages[0].role in ("system", "developer"):
        system, messages = [messages[0]], messages[1:]
    shots = [
        Message(role, text)
        for example in prompt.examples
        for role, text in (("user", _filled(prompt, example.input)), ("assistant", example.output))
    ]
    turns = [
        Message(each.role, _filled(prompt, each.content)) if each.role == "user" else each
        for each in messages
    ]
    return (*system, *shots, *turns)


def _completion(prompt: Prompt, messages: Sequence[Message]) -> str:
    system = prompt.system or ""
    if messages[0].role in ("system", "developer"):
        system, messages = messages[0].content, messages[1:]
    earlier = _exchanges(messages[:-1])
    template = prompt.template
    if "examples" in prompt.template:
        shots = (*prompt.examples, *earlier)
        return fill_template(template, input=messages[-1].content, system=system, examples=shots)
    parts = [
        f"{fill_template(template, input=each.input, system=system, examples=())}"
        f" {each.output.strip()}"
        for each in earlier
    ]
    last = fill_template(template, input=messages[-1].content, system=system, examples=())
    return _BETWEEN.join([*parts, last])


def _exchanges(messages: Sequence[Message]) -> list[Example]:
    """Earlier messages in pairs; messages of one role in a row count as one."""
    found: list[Example] = []
    asked: list[str] = []
    for message in messages:
        if message.role == "assistant":
            found.append(Example(input="\n".join(asked), output=message.content))
            asked = []
        else:
            asked.append(message.content)
    return found


def _filled(prompt: Prompt, text: str) -> str:
    return fill_template(
        prompt.template, input=text, system=prompt.system or "", examples=prompt.examples
    )


def fit(
    prompt: Prompt,
    messages: Sequence[Message],
    *,
    count: Callable[[Rendered], int],
    room: int,
) -> Fitted:
    """The prompt of a conversation with as much of its history as fits.

    The oldest exchanges are dropped whole; the system message and the last message stay.

    Args:
        prompt: the version's.
        messages: of the conversation.
        count: tokens of a rendered prompt.
        room: most tokens of the prompt.

    Raises:
        PromptTooLongError: not even the last message fits.
    """
    first = int(bool(messages) and messages[0].role in ("system", "developer"))
    head = tuple(messages[:first])
    starts = [first]
    starts += [at for at in range(first + 1, len(messages)) if messages[at].role == "user"]
    needed = 0

    def fitted(start: int) -> Fitted | None:
        nonlocal needed
        left = (*head, *messages[start:])
        rendered = render(prompt, left)
        needed = count(rendered)
        return Fitted(rendered, left, start - first) if needed <= room else None

    # What is dropped is searched by halving: a prompt is tokenised again for each place tried.
    if (whole := fitted(starts.pop(0))) is not None:
        return whole
    found: Fitted | None = None
    low, high = 0, len(starts)
    while low < high:
        middle = (low + high) // 2
        if (tried := fitted(starts[middle])) is not None:
            found, high = tried, middle
        else:
            low = middle + 1
    if found is None:
        raise PromptTooLongError(
            f"the message takes {needed} tokens and there is room for {room}", hint="shorten it"
        )
    return found
