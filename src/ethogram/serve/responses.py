"""/v1/responses: a text, whole or as a stream of typed events. No conversation is kept."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from ethogram.serve.bodies import ResponsesBody, parse
from ethogram.serve.errors import ApiError
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


async def responses(request: Request) -> Response:
    """Answer an input."""
    service: Service = request.app.state.service
    body = parse(await read_body(request, service.limits.max_body), ResponsesBody)
    made = await Generating.of_conversation(request, body, body.messages)
    rows = AsyncExitStack()
    try:
        await made.start(rows)
        headers = made.headers
        reply = _Reply(made, body)
        if body.stream:
            stream = EventStream(reply.events(), rows, headers)
            rows = AsyncExitStack()  # The stream closes them.
            return stream
        await unless_left(request, made.finish())
        return json_reply(reply.whole(), headers=headers)
    finally:
        await rows.aclose()


class _Reply:
    """The reply of one request; its ids are the same in all events."""

    def __init__(self, made: Generating, body: ResponsesBody) -> None:
        self.made, self.body = made, body
        self.id, self.item_id = new_id("resp").replace("-", "_"), new_id("msg").replace("-", "_")
        self.created = int(time.time())
        self._number = -1

    def _response(self, status: str, **more: Any) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": "response",
            "created_at": self.created,
            "status": status,
            "model": self.made.served.name,
            "output": [],
            "error": None,
            "incomplete_details": None,
            "instructions": None,
            "metadata": self.body.metadata,
            "parallel_tool_calls": False,
            "temperature": self.made.requests[0].decoding.temperature,
            "top_p": self.made.requests[0].decoding.top_p,
            "tool_choice": "none",
            "tools": [],
            "usage": None,
            **more,
        }

    def _part(self, text: str) -> dict[str, Any]:
        return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}

    def _item(self, status: str, text: str | None) -> dict[str, Any]:
        content = [] if text is None else [self._part(text)]
        return {
            "id": self.item_id,
            "type": "message",
            "role": "assistant",
            "status": status,
            "content": content,
        }

    def whole(self) -> dict[str, Any]:
        """The finished reply."""
        [choice] = self.made.choices
        cut = choice.finish_reason == "length"
        counts = usage(self.made.prompt_tokens, self.made.choices)
        status = "incomplete" if cut else "completed"
        return self._response(
            status,
            output=[self._item(status, choice.text.sent)],
            incomplete_details={"reason": "max_output_tokens"} if cut else None,
            usage={
                "input_tokens": counts["prompt_tokens"],
                "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
                "output_tokens": counts["completion_tokens"],
                "output_tokens_details": {"reasoning_tokens": 0},
                "total_tokens": counts["total_tokens"],
            },
        )

    def _event(self, kind: str, **data: Any) -> bytes:
        self._number += 1
        return sse({"type": kind, "sequence_number": self._number, **data}, kind)

    async def events(self) -> AsyncIterator[bytes]:
        """The reply as a stream."""
        place = {"output_index": 0, "content_index": 0, "item_id": self.item_id}
        started = self._response("in_progress")
        yield self._event("response.created", response=started)
        yield self._event("response.in_progress", response=started)
        item = self._item("in_progress", None)
        yield self._event("response.output_item.added", output_index=0, item=item)
        yield self._event("response.content_part.added", **place, part=self._part(""))
        try:
            async for _, text, _, _ in self.made.steps():
                if text:
                    yield self._event(
                        "response.output_text.delta", **place, delta=text, logprobs=[]
                    )
        except ApiError as error:
            reason = {"code": error.code or "server_error", "message": error.message}
            failed = self._response("failed", error=reason)
            yield self._event("response.failed", response=failed)
            return
        whole = self.whole()
        text = self.made.choices[0].text.sent
        yield self._event("response.output_text.done", **place, text=text, logprobs=[])
        yield self._event("response.content_part.done", **place, part=self._part(text))
        yield self._event("response.output_item.done", output_index=0, item=whole["output"][0])
        yield self._event(f"response.{whole['status']}", response=whole)
