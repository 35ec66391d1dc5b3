"""The stream of events: what a tab that reconnects receives."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import Any

from ethogram.ui.events import Events, StudyChanged
from ethogram.ui.jobs import Job, JobText


def lines(events: Events, last_id: str | None, count: int) -> list[tuple[str, Any]]:
    """The first events of a stream: id and data."""

    async def read() -> list[tuple[str, Any]]:
        found: list[tuple[str, Any]] = []
        at = ""
        stream = events.stream(last_id)
        async for piece in stream:
            for line in piece.splitlines():
                if line.startswith("id: "):
                    at = line[4:]
                elif line.startswith("data: "):
                    found.append((at, json.loads(line[6:])))
            if len(found) >= count:
                break
        await stream.aclose()  # type: ignore[attr-defined]
        return found

    return asyncio.run(asyncio.wait_for(read(), 20))


def text(number: int) -> JobText:
    return JobText(id="j", lane="a", at=number, text=str(number))


def test_a_tab_that_reconnects_gets_what_it_missed_once_and_in_order() -> None:
    events = Events()
    for number in range(1200):
        events.publish(text(number))
    found = lines(events, f"{events.epoch}-700", 500)
    assert [data["at"] for _, data in found] == list(range(700, 1200))
    assert [name for name, _ in found] == [f"{events.epoch}-{n}" for n in range(701, 1201)]


def test_ids_that_are_no_longer_kept_or_of_another_start_reset() -> None:
    events = Events(kept=10)
    for number in range(100):
        events.publish(text(number))
    gone = (
        f"{events.epoch}-89",
        f"{events.epoch}-101",
        "other-95",
        "nonsense",
        "-",
        f"{events.epoch}-x",
    )
    for last_id in gone:
        ((_, data),) = lines(events, last_id, 1)
        assert data == {"type": "reset"}, last_id
    assert lines(events, f"{events.epoch}-90", 10)[0][1]["at"] == 90


def test_events_of_another_thread_arrive_while_the_stream_waits() -> None:
    events = Events()
    timer = threading.Timer(0.05, lambda: events.publish(StudyChanged()))
    timer.start()
    assert lines(events, None, 1) == [(f"{events.epoch}-1", {"type": "study"})]


def test_closing_ends_streams() -> None:
    events = Events()

    async def read() -> list[str]:
        asyncio.get_running_loop().call_later(0.05, events.close)
        return [piece async for piece in events.stream()]

    assert len(asyncio.run(asyncio.wait_for(read(), 20))) == 2


def test_snapshot_and_events_together_lose_no_character_of_a_long_text() -> None:
    events, now = Events(), [0.0]
    job = Job(events, "play", "A", clock=lambda: now[0])
    wanted = ""
    for number in range(10_000):
        now[0] += 0.01
        job.write("left", f"{number} ")
        wanted += f"{number} "
        if number == 4000:
            position, shown = events.position, job.detail.lanes["left"]
    job.end("done")
    sent = int(events.position.split("-")[1]) - int(position.split("-")[1])
    for _, data in lines(events, position, sent):
        if data["type"] == "job_text":
            # As the page does: what it has already is cut off.
            assert data["at"] <= len(shown)
            shown += data["text"][len(shown) - data["at"] :]
    assert shown == wanted
    assert sent < 5000, "texts are sent in pieces, not token by token"
