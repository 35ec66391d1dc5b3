"""Shapes: from the fields of a row, in any tool's words, to a `Row` or the reason it is none."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ethogram.corpus.fixes import FixCounter, ShapeError
from ethogram.corpus.rows import ROLES, BadRow, Row, Turn
from ethogram.formats.content import shortened, text_of

Fields = Mapping[str, Any]
#: Names of a prompt and of its reply, in the order in which they are looked for.
_PROMPTS = ("instruction", "prompt", "question", "query", "input")
_REPLIES = ("output", "completion", "response", "answer", "reply")
_TURNS = ("messages", "conversations", "conversation")
#: Other names of roles.
_ROLE_NAMES = {
    "human": "user",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "bot": "assistant",
    "model": "assistant",
    "developer": "system",
    "function": "tool",
}
_KNOWN = {
    *_PROMPTS,
    *_REPLIES,
    *_TURNS,
    *("text", "chosen", "rejected", "label", "system", "licence", "license", "source"),
}


def row_of(fields: Fields, file: Path, line: int, fixes: FixCounter) -> Row | BadRow:
    """The row that a mapping of fields is.

    Args:
        fields: as the file has them.
        file: for messages.
        line: for messages.
        fixes: which rules may change the row.
    """
    try:
        return _row_of(fields, file, line, fixes)
    except ShapeError as error:
        return BadRow(file, line, shortened(str(error), 160), error.fix)


def _row_of(fields: Fields, file: Path, line: int, fixes: FixCounter) -> Row:
    about: dict[str, Any] = {
        "licence": _word(fields, "licence", "license"),
        "source": _word(fields, "source"),
        "extra": {name: value for name, value in fields.items() if name not in _KNOWN},
        "shape": shape_of(fields),
        "fields": tuple(fields),
    }
    turns = next((fields[name] for name in _TURNS if fields.get(name) is not None), None)
    if "chosen" in fields or "rejected" in fields:
        prompt, chosen, rejected = _pair(fields, turns, fixes)
        return Row(
            "preference", file, line, messages=prompt, chosen=chosen, rejected=rejected, **about
        )
    if isinstance(fields.get("label"), bool) and turns is None:
        prompt, reply = _exchange(fields, fixes)
        return Row("vote", file, line, messages=prompt, reply=reply, label=fields["label"], **about)
    if turns is not None:
        messages = _ending_with_reply(_turns(turns, fixes), fixes)
        return Row("messages", file, line, messages=messages, **about)
    if any(fields.get(name) is not None for name in _REPLIES):
        prompt, reply = _exchange(fields, fixes)
        return Row("messages", file, line, messages=(*prompt, Turn("assistant", reply)), **about)
    if fields.get("text") is not None:
        return Row("text", file, line, text=_text(fields["text"], "text", fixes), **about)
    names = ", ".join(list(fields)[:6]) or "none"
    raise ShapeError(f"no text, conversation or pair in its fields ({names})")


def shape_of(fields: Fields) -> str:
    """What the fields of a row look like, in the words of the tool that made them popular."""
    turns = next((fields[name] for name in _TURNS if isinstance(fields.get(name), list)), None)
    if "chosen" in fields or "rejected" in fields:
        lists = isinstance(fields.get("chosen"), list)
        return f"preference pair ({'messages' if lists else 'plain'})"
    if turns is not None:
        sharegpt = any(isinstance(turn, dict) and "from" in turn for turn in turns)
        return "ShareGPT" if sharegpt else "OpenAI messages"
    if isinstance(fields.get("label"), bool):
        return "KTO vote"
    if "identity" in fields and "prompt_id" in fields:
        return "Ethogram export"
    names = (
        ("instruction", "output", "Alpaca"),
        ("question", "answer", "question and answer"),
        ("prompt", "completion", "prompt and completion"),
    )
    for prompt, reply, name in names:
        if prompt in fields and reply in fields:
            return name
    return "text" if "text" in fields else "other names"


def _word(fields: Fields, *names: str) -> str:
    return next((str(fields[name]) for name in names if isinstance(fields.get(name), str)), "")


def _text(value: Any, name: str, fixes: FixCounter, *, may_be_empty: bool = False) -> str:
    text = text_of(value)
    if text is None:
        raise ShapeError(f"{name} is {type(value).__name__}, not a text")
    if "\x00" in text:
        fixes.use("strip-nul", f"{name} holds a NUL character")
        text = text.replace("\x00", "")
    if "\ufffd" in text:
        fixes.use("keep-replacement", f"{name} holds U+FFFD or half a surrogate pair")
    if "\r" in text:
        fixes.use("unix-newlines", f"{name} holds carriage returns")
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip() and not may_be_empty:
        raise ShapeError(f"{name} is empty", "drop-bad-rows")
    return text


def _turns(turns: Any, fixes: FixCounter) -> tuple[Turn, ...]:
    if not isinstance(turns, list) or not turns:
        raise ShapeError("the conversation is not a list of turns")
    found: list[Turn] = []
    for number, turn in enumerate(turns, start=1):
        if not isinstance(turn, dict):
            raise ShapeError(f"turn {number} is {type(turn).__name__}, not a mapping")
        given = turn.get("role", turn.get("from"))
        role = _ROLE_NAMES.get(str(given).lower(), str(given).lower())
        if role not in ROLES:
            raise ShapeError(f"turn {number} has the unknown role {given!r}")
        content = turn.get("content", turn.get("value"))
        text = _text(content, f"turn {number}", fixes, may_be_empty=role == "system")
        if found and found[-1].role == role and role != "tool":
            fixes.use("merge-same-role", f"turns {number - 1} and {number} are both {role}'s")
            found[-1] = Turn(role, f"{found[-1].content}\n{text}")
        else:
            found.append(Turn(role, text))
    return tuple(found)


def _ending_with_reply(turns: tuple[Turn, ...], fixes: FixCounter) -> tuple[Turn, ...]:
    if turns[-1].role != "assistant":
        fixes.use("drop-trailing-user", f"the last turn is the {turns[-1].role}'s, not a reply")
        last = max((i for i, turn in enumerate(turns) if turn.role == "assistant"), default=-1)
        turns = turns[: last + 1]
    if not any(turn.role == "user" for turn in turns):
        raise ShapeError("the conversation has no user's turn before a reply")
    return turns


def _exchange(fields: Fields, fixes: FixCounter) -> tuple[tuple[Turn, ...], str]:
    """Prompt and reply of a plain row: Alpaca, question and answer, prompt and completion."""
    name = next((each for each in _PROMPTS if fields.get(each) is not None), None)
    if name is None:
        raise ShapeError(f"a reply without a prompt ({', '.join(_PROMPTS[:3])})")
    reply_name = next((each for each in _REPLIES if fields.get(each) is not None), None)
    if reply_name is None:
        raise ShapeError(f"a prompt without a reply ({', '.join(_REPLIES[:3])})")
    given = fields[name]
    if isinstance(given, list):
        prompt = _turns(given, fixes)
    else:
        text = _text(given, name, fixes)
        more = fields.get("input") if name != "input" else None
        if isinstance(more, str) and more.strip():
            text = f"{text}\n\n{_text(more, 'input', fixes)}"
        prompt = (*_system(fields, fixes), Turn("user", text))
    replied = fields[reply_name]
    if isinstance(replied, list):
        replied = _turns(replied, fixes)[-1].content
    return prompt, _text(replied, reply_name, fixes)


def _system(fields: Fields, fixes: FixCounter) -> tuple[Turn, ...]:
    system = fields.get("system")
    if not isinstance(system, str) or not system.strip():
        return ()
    return (Turn("system", _text(system, "system", fixes)),)


def _pair(fields: Fields, turns: Any, fixes: FixCounter) -> tuple[tuple[Turn, ...], str, str]:
    replies, prompts = [], []
    for name in ("chosen", "rejected"):
        value = fields.get(name)
        if isinstance(value, list):
            whole = _turns(value, fixes)
            if whole[-1].role != "assistant":
                raise ShapeError(f"{name} does not end with a reply")
            prompts.append(whole[:-1])
            replies.append(whole[-1].content)
        else:
            replies.append(_text(value, name, fixes))
    given = next((fields[name] for name in _PROMPTS if fields.get(name) is not None), turns)
    if isinstance(given, list):
        prompt = _turns(given, fixes)
    elif given is not None:
        prompt = (*_system(fields, fixes), Turn("user", _text(given, "prompt", fixes)))
    elif prompts and all(each == prompts[0] for each in prompts) and prompts[0]:
        prompt = prompts[0]
    else:
        raise ShapeError("the pair has no prompt that both replies answer")
    if replies[0].strip() == replies[1].strip():
        raise ShapeError("chosen and rejected are the same", "drop-bad-rows")
    return prompt, replies[0], replies[1]
