"""Conversations: ShareGPT's `conversations`, rows of `messages`, and DPO pairs.

The last turn, if it is the assistant's, is the output; those before it are the prompt.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ethogram.formats.base import Fields, Row, Shape, Value, stateless
from ethogram.formats.content import ROLES, TEXTS, answer_of, messages_of, prompt_of

#: Fields beside a conversation that mean the same as in a plain row.
_KEPT = (
    "reference",
    "tags",
    "tag",
    "constraints",
    "sample",
    "sample_index",
    "finish_reason",
    "stop_reason",
    "logprobs",
)


def _turns(data: Fields) -> Any:
    return data.get("conversations", data.get("messages"))


def _is_conversation(data: Fields) -> bool:
    turns = _turns(data)
    is_list = isinstance(turns, list) and bool(turns)
    return is_list and not any(data.get(name) is not None for name in TEXTS)


def _conversation(value: Value) -> Iterator[Row]:
    data, turns = value.data, _turns(value.data)
    known = {name: data[name] for name in _KEPT if name in data}
    known["prompt_id"] = data.get("prompt_id", data.get("id", data.get("conversation_id")))
    model = data.get("model")
    group = model if isinstance(model, str) else None
    if messages_of(turns) is None:
        problem = "its turns must have a role and a text each"
        yield value.row(known, group=group, problem=problem)
        return
    last = messages_of([turns[-1]]) or []
    role = turns[-1].get("role", turns[-1].get("from"))
    if ROLES.get(role.lower()) == "assistant":
        text, why = (last[0]["content"], None) if last else answer_of(turns[-1])
        prompt = messages_of(turns[:-1])
        yield value.row({**known, "prompt": prompt, "text": text}, group=group, problem=why)
    else:
        problem = "the last turn is not the assistant's, so there is no output"
        yield value.row({**known, "prompt": messages_of(turns)}, group=group, problem=problem)


def _is_pair(data: Fields) -> bool:
    return {"chosen", "rejected"} <= data.keys()


def _pair(value: Value) -> Iterator[Row]:
    """Both sides of a preference, each in its own group."""
    data = value.data
    for side in ("chosen", "rejected"):
        given, prompt = data[side], prompt_of(data.get("prompt"))
        text = given if isinstance(given, str) else None
        turns = messages_of(given)
        if turns and turns[-1]["role"] == "assistant":
            text, prompt = turns[-1]["content"], prompt or turns[:-1]
        fields = {
            "prompt": prompt,
            "prompt_id": data.get("prompt_id", data.get("id")),
            "text": text,
        }
        problem = None if text is not None else f"{side}: must be a text or chat messages"
        yield value.row(fields, group=side, problem=problem)


CONVERSATIONS = Shape(
    "conversation",
    "chats: ShareGPT's `conversations`, or `messages`",
    _is_conversation,
    stateless(_conversation),
)
PAIRS = Shape("pairs", "preference pairs (`chosen`, `rejected`)", _is_pair, stateless(_pair))
