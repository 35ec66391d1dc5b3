"""A stream of events by itself: comments in silences, errors, and rows freed however it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from ethogram.serve import replies
from ethogram.serve.errors import ApiError
from ethogram.serve.replies import DONE, EventStream


async def answered(events: AsyncIterator[bytes], freed: list[str]) -> list[dict[str, Any]]:
    """What the stream sends to a client that stays."""
    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        await asyncio.Event().wait()

    async with AsyncExitStack() as rows:
        rows.callback(freed.append, "rows")
        stream = EventStream(events, rows.pop_all(), {})
        await stream({"type": "http", "asgi": {"spec_version": "2.3"}}, receive, send)
    return sent


def test_silence_is_filled_with_comments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replies, "PING", 0.05)

    async def events() -> AsyncIterator[bytes]:
        yield b"first"
        await asyncio.sleep(0.3)
        yield b"second"

    freed: list[str] = []
    start, *bodies = asyncio.run(answered(events(), freed))
    assert start["status"] == 200
    texts = [body["body"] for body in bodies]
    comments = [text for text in texts if text.startswith(b":")]
    assert 1 <= len(comments) <= 6
    assert [text for text in texts if text not in comments] == [b"first", b"second", DONE, b""]
    assert texts.index(comments[0]) == 1
    assert [body["more_body"] for body in bodies] == [True] * (len(bodies) - 1) + [False]
    assert freed == ["rows"]


def test_an_error_is_the_last_event() -> None:
    async def events() -> AsyncIterator[bytes]:
        yield b"first"
        raise ApiError(408, "too long")

    freed: list[str] = []
    _, first, error, done, end = asyncio.run(answered(events(), freed))
    assert first["body"] == b"first"
    assert b"too long" in error["body"]
    assert (done["body"], end["more_body"]) == (DONE, False)
    assert freed == ["rows"]
