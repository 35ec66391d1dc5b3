"""Replies: reading a request, racing it against its client, and streams of events."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from ethogram.serve.choices import Choice
from ethogram.serve.errors import ApiError

_T = TypeVar("_T")
#: Seconds of silence after which a stream sends a comment, so that no proxy closes it.
PING = 15.0
#: Bytes of a body that is too long which are read before the connection is closed.
_MOST_DRAINED = 64_000_000
DONE = b"data: [DONE]\n\n"
#: Made once: `json.dumps` would make one for each event.
_TO_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)
_TO_ASCII = json.JSONEncoder(separators=(",", ":"), allow_nan=False)


class ClientLeftError(Exception):
    """The client closed the connection; nobody reads an answer."""


async def read_body(request: Request, limit: int) -> bytes:
    """The body of a request.

    Raises:
        ApiError: it is longer than the limit (413).
    """
    raw, length = bytearray(), 0
    async for part in request.stream():
        length += len(part)
        if length <= limit:
            raw += part
        elif length > _MOST_DRAINED:
            break
    if length > limit:  # Read to its end all the same: a client that still writes reads no answer.
        raise ApiError(413, f"the body is longer than {limit} bytes")
    return bytes(raw)


async def unless_left(request: Request, work: Coroutine[Any, Any, _T]) -> _T:
    """The result of work that is cancelled when the client closes the connection.

    Raises:
        ClientLeftError: it did.
    """
    task = asyncio.ensure_future(work)
    watcher = asyncio.ensure_future(_left(request))
    try:
        await asyncio.wait({task, watcher}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise ClientLeftError
        return task.result()
    finally:
        for each in (task, watcher):
            each.cancel()
        await asyncio.gather(task, watcher, return_exceptions=True)


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


class EventStream(StreamingResponse):
    """A stream of server-sent events that frees its rows however it ends.

    Args:
        events: the bytes of each.
        rows: closed at the end, also if the stream never begins.
        headers: of the response.
    """

    def __init__(
        self, events: AsyncIterator[bytes], rows: AsyncExitStack, headers: dict[str, str]
    ) -> None:
        headers = {"cache-control": "no-store", "x-accel-buffering": "no", **headers}
        super().__init__(_closed(events), media_type="text/event-stream", headers=headers)
        self._rows = rows
        self._sent_at = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the events."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._rows.aclose()

    async def stream_response(self, send: Send) -> None:
        """Send each event as it comes, without a task of its own: a step has one for each row."""
        head = {"status": self.status_code, "headers": self.raw_headers}
        await send({"type": "http.response.start", **head})
        self._sent_at = time.monotonic()
        pings = asyncio.ensure_future(self._ping(send))
        try:
            async for event in self.body_iterator:
                self._sent_at = time.monotonic()
                await send({"type": "http.response.body", "body": event, "more_body": True})
        finally:
            pings.cancel()
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _ping(self, send: Send) -> None:
        """A comment after each longer silence."""
        while True:
            await asyncio.sleep(max(0.0, self._sent_at + PING - time.monotonic()))
            if time.monotonic() - self._sent_at >= PING:
                self._sent_at = time.monotonic()
                comment = b": ping\n\n"
                await send({"type": "http.response.body", "body": comment, "more_body": True})


async def _closed(events: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The events; an error becomes the last one. A stream always ends with `[DONE]`."""
    try:
        async for event in events:
            yield event
    except ApiError as error:
        yield sse(error.body)
    yield DONE


def sse(data: dict[str, Any], event: str | None = None) -> bytes:
    """One server-sent event."""
    head = f"event: {event}\n".encode() if event else b""
    return b"%bdata: %b\n\n" % (head, json_bytes(data))


def json_bytes(data: Any) -> bytes:
    """Compact JSON; half surrogate pairs, which UTF-8 lacks, are escaped."""
    try:
        return _TO_JSON.encode(data).encode()
    except UnicodeEncodeError:
        return _TO_ASCII.encode(data).encode()


def json_reply(data: Any, *, headers: dict[str, str] | None = None, status: int = 200) -> Response:
    """A JSON response."""
    return Response(json_bytes(data), status, headers=headers, media_type=JSONResponse.media_type)


def usage(prompt_tokens: int, choices: list[Choice]) -> dict[str, int]:
    """Counts of tokens."""
    completion = sum(choice.tokens for choice in choices)
    return {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion,
        "total_tokens": prompt_tokens + completion,
    }
