"""/v1/chat/completions."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from ethogram.serve.bodies import ChatBody, parse
from ethogram.serve.errors import wrong
from ethogram.serve.generating import Generating
from ethogram.serve.replies import (
    EventStream,
    json_reply,
    read_body,
    sse,
    unless_left,
    usage,
)
from ethogram.serve.service import Service, new_id
from ethogram.wrap.answer import Answer


async def chat(request: Request) -> Response:
    """Answer a conversation, whole or as a stream."""
    service: Service = request.app.state.service
    body = parse(await read_body(request, service.limits.max_body), ChatBody)
    made = await Generating.of_conversation(request, body, body.messages)
    if body.logprobs and made.requests[0].wrapper is not None:
        raise wrong("logprobs", "logprobs are not given for a version whose wrapper edits replies")
    rows = AsyncExitStack()
    try:
        await made.start(rows, alternatives=body.top_logprobs)
        headers = made.headers
        if body.stream:
            stream = EventStream(_events(made, body), rows, headers)
            rows = AsyncExitStack()  # The stream closes them.
            return stream
        await unless_left(request, made.finish())
        return json_reply(_whole(made, body), headers=headers)
    finally:
        await rows.aclose()


def _whole(made: Generating, body: ChatBody) -> dict[str, Any]:
    choices = [
        {
            "index": index,
            "message": {"role": "assistant", "content": choice.text.sent, "refusal": None},
            "logprobs": made.texts.chat(choice.entries) if body.logprobs else None,
            "finish_reason": choice.finish_reason,
            **_answer(made, index),
        }
        for index, choice in enumerate(made.choices)
    ]
    return {
        **_head(made, "chat.completion"),
        "choices": choices,
        "usage": usage(made.prompt_tokens, made.choices),
    }


def _answer(made: Generating, index: int) -> dict[str, Any]:
    """The reply as an object of ours, where a wrapper made it; clients pass over the field."""
    generation = made.choices[index].generation
    if generation is None or generation.guarded is None:
        return {}
    return {"ethogram": Answer.of(generation, made.requests[index].decoding).to_json()}


def _head(made: Generating, kind: str) -> dict[str, Any]:
    return {
        "id": new_id("chatcmpl"),
        "object": kind,
        "created": int(time.time()),
        "model": made.served.name,
        "system_fingerprint": made.served.version.identity[:16],
    }


async def _events(made: Generating, body: ChatBody) -> AsyncIterator[bytes]:
    head = _head(made, "chat.completion.chunk")
    counted = body.stream_options is not None and body.stream_options.include_usage

    def chunk(index: int, delta: dict[str, Any], entries: Any, reason: str | None) -> bytes:
        choice = {"index": index, "delta": delta, "logprobs": None, "finish_reason": reason}
        if body.logprobs and entries:
            choice["logprobs"] = made.texts.chat(entries)
        return sse({**head, "choices": [choice], **({"usage": None} if counted else {})})

    for index in range(body.n):
        yield chunk(index, {"role": "assistant", "content": ""}, None, None)
    async for index, text, entries, ended in made.steps():
        if text or (entries and body.logprobs):
            yield chunk(index, {"content": text}, entries, None)
        if ended:
            yield chunk(index, {}, None, made.choices[index].finish_reason)
    if counted:
        yield sse({**head, "choices": [], "usage": usage(made.prompt_tokens, made.choices)})
