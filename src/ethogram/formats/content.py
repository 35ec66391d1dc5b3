"""Message contents, answers and right answers as other tools write them. Knows values only."""

from __future__ import annotations

import json
import re
from typing import Any

from ethogram.errors import SpecError

#: Names of roles in chat files, and the three roles of a suite.
ROLES = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "model": "assistant",
    "bot": "assistant",
}
#: Fields that hold an output in plain rows; a row that has one is not only a prompt.
TEXTS = ("text", "output", "completion", "generation", "response", "generated_text")
_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")
_SURROGATE = re.compile("[\ud800-\udfff]")
TOOL_CALL = "the answer is a tool call without text"


def well_formed(value: Any, text: str, where: str) -> Any:
    """A value parsed from a JSON text, without half surrogates.

    Only an escape can make one, so values of a text without such escapes are left as they are.

    Raises:
        SpecError: the value is nested too deep.
    """
    if not _ESCAPE.search(text):
        return value
    try:
        return without_surrogates(value)
    except RecursionError:
        raise SpecError("the JSON is nested too deeply", where=where) from None


def without_surrogates(value: Any) -> Any:
    """The value with each half of a surrogate pair as U+FFFD: it is not a character.

    Raises:
        RecursionError: the value is nested too deep.
    """
    if isinstance(value, str):
        return _SURROGATE.sub("\ufffd", value)
    if isinstance(value, list):
        return [without_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {without_surrogates(key): without_surrogates(item) for key, item in value.items()}
    return value


def text_of(content: Any) -> str | None:
    """The text of a message's content: a text, or the text parts of a list, joined.

    Parts of reasoning are left out; an image or a file counts as `[image]`, `[file]`, ….
    None if it is neither a text nor a list of parts.
    """
    if isinstance(content, str):
        return content
    if isinstance(content, dict):
        content = [content]
    if not isinstance(content, list) or not content:
        return None
    parts: list[str] = []
    for part in content:
        if isinstance(part, str):
            parts.append(part)
        elif isinstance(part, dict):
            kind = str(part.get("type", "text"))
            if isinstance(part.get("text"), str):
                parts.append(part["text"])
            elif kind not in ("reasoning", "thinking", "redacted_thinking", "tool_use", "text"):
                parts.append(f"[{kind.removesuffix('_url').removeprefix('input_')}]")
        else:
            return None
    return "".join(parts) if parts else None


def messages_of(turns: Any) -> list[dict[str, str]] | None:
    """Chat turns as role and content, in any tool's words; None if these are no chat turns.

    Accepts `role`/`content` and `from`/`value`. A turn without text (a tool call) is left out.
    """
    if not isinstance(turns, list) or not turns:
        return None
    found = []
    for turn in turns:
        if not isinstance(turn, dict):
            return None
        role = turn.get("role", turn.get("from"))
        content = turn.get("content", turn.get("value", turn.get("parts")))
        if not isinstance(role, str):
            return None
        text = text_of(content)
        if text is None:
            if content is None or content == []:
                continue
            return None
        found.append({"role": ROLES.get(role.lower(), role), "content": text})
    return found


def prompt_of(prompt: Any) -> Any:
    """A prompt as text or messages; a text that is a JSON list of messages is taken as these."""
    if isinstance(prompt, list) and len(prompt) == 1 and isinstance(prompt[0], str):
        prompt = prompt[0]
    if isinstance(prompt, str) and prompt.lstrip().startswith('[{"'):
        try:
            found = messages_of(json.loads(prompt))
        except (ValueError, RecursionError):
            return prompt
        return found or prompt
    if isinstance(prompt, list):
        return messages_of(prompt)
    return prompt if isinstance(prompt, str) else None


def reference_of(target: Any) -> str | list[str] | None:
    """The right answers as text: one, or a list of several; a number as it is written."""
    listed = target if isinstance(target, list) else [target]
    texts = [
        json.dumps(item) if isinstance(item, int | float) else item
        for item in listed
        if not isinstance(item, bool)
    ]
    found = list(dict.fromkeys(text for text in texts if isinstance(text, str) and text))
    return found if len(found) > 1 else found[0] if found else None


def answer_of(message: Any) -> tuple[str | None, str | None]:
    """The text of an assistant's message, or why it has none."""
    if not isinstance(message, dict):
        return None, "no message"
    text = text_of(message.get("content", message.get("parts")))
    if text:
        return text, None
    calls = message.get("tool_calls") or message.get("function_call")
    content = message.get("content")
    used = isinstance(content, list) and any(
        isinstance(part, dict) and part.get("type") in ("tool_use", "function_call")
        for part in content
    )
    if calls or used:
        return None, TOOL_CALL
    if text is None and isinstance(message.get("refusal"), str):
        return message["refusal"], None
    return text, None if text is not None else "content: null, so there is no text"


def as_text(value: Any) -> str | None:
    """An answer as text: what a tool parsed as JSON is written as JSON again."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def shortened(text: str, most: int = 60) -> str:
    """One line of a text, cut where it is long."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"


def reason_of(error: Any) -> str:
    """What an error object of some tool says, in one short line."""
    if isinstance(error, dict):
        inner = error.get("error")
        error = error.get("message") or (reason_of(inner) if inner else None) or error.get("code")
    return shortened(str(error), 120) if error else "no reason is given"
