"""Servers under streaming clients, beside the engine itself. `python -m benchmarks.serve`.

Each client asks for one reply after another, of one length, and notes when each event arrives. The
engine generates as many outputs of the same prompts without a server, which is the most that ours
could reach. All are asked in one run and in turn for each number of clients, since figures of two
runs differ by the machine. While one is asked the others wait, which takes no time of a core.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime
import json
import re
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmarks import machine, servers
from benchmarks.process import ROOT
from benchmarks.servers import DTYPE, MODEL, VERSION, Started
from ethogram.engine import Engine
from ethogram.models import load
from ethogram.models.reference import ModelReference
from ethogram.spec import Decoding, Generation, Request

OUTPUT = ROOT / "benchmarks" / "results" / "serve.json"
#: Of every request; each server has other defaults.
SAMPLING = {"temperature": 0.8, "top_k": 40, "top_p": 0.95, "min_p": 0.0}
#: Memory is read so often in a run.
_READINGS = 40
CLIENTS = (1, 8, 32, 64)
#: All differ: offline, equal prompts come at once and are read once, which no server can count on.
PROMPTS = [
    f"Write a {kind} about {what}, with one example."
    for what in ("rivers", "glass", "chess", "bread", "maps", "clocks", "bees", "bridges")
    for kind in (
        *("short text", "letter", "warning", "joke", "lesson", "note", "speech", "riddle"),
        *("recipe", "story", "poem", "report", "question", "review", "headline", "diary entry"),
    )
]
#: Marks an event with text. Clients share the server's cores, so they parse what they need only.
_TEXT = re.compile(rb'"content":\s*"(?!")')


@dataclass
class Seen:
    """What the clients of one run saw.

    Attributes:
        first: seconds from each request to its first text.
        between: seconds between the events of each stream.
        tokens: generated, by the usage that the server reports, else by its events.
        errors: replies that were not whole.
        memory: of the server and its processes, now and then, bytes.
    """

    first: list[float] = field(default_factory=list)
    between: list[float] = field(default_factory=list)
    tokens: int = 0
    errors: int = 0
    memory: list[int] = field(default_factory=list)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and write the JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serve", description=__doc__)
    parser.add_argument("--seconds", type=float, default=120.0, help="of each number of clients")
    parser.add_argument("--clients", type=int, nargs="+", default=list(CLIENTS))
    parser.add_argument("--new-tokens", type=int, default=64, help="of each reply")
    parser.add_argument("--output", type=Path, default=OUTPUT)
    parser.add_argument(
        "--peers", default="ethogram", help="ethogram, llama.cpp and vllm, with commas between"
    )
    parser.add_argument("--llama-server", metavar="PATH", help="llama.cpp's server")
    options = parser.parse_args(arguments)
    described = machine.describe()
    engine = Engine(load(ModelReference.parse(MODEL, dtype=DTYPE)))
    runs = []
    names = [name.strip() for name in options.peers.split(",")]
    with servers.running(names, max(options.clients), options.llama_server) as started:
        for clients in options.clients:
            for server in started:
                runs.append(measure(server, clients, options.seconds, options.new_tokens))
                if server.name == "ethogram":
                    rate = offline(engine, clients, options)
                    share = runs[-1]["tokens_per_second"] / rate
                    runs[-1] |= {"engine_tokens_per_second": rate, "share_of_engine": share}
                print(json.dumps(runs[-1]), flush=True)
        settings = {server.name: server.settings for server in started}
    data = {
        "schema": 3,
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "commit": machine.commit(ROOT),
        "machine": described,
        "model": MODEL,
        "dtype": DTYPE,
        "seconds": options.seconds,
        "new_tokens": options.new_tokens,
        "sampling": SAMPLING,
        "servers": settings,
        "runs": runs,
    }
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    print(table(data))


def table(data: dict[str, Any]) -> str:
    """The figures as a table of Markdown."""
    lines = [
        "| clients | server | tokens/s | of the engine | first token, p50 / p99 "
        "| between tokens, p50 / p99 | errors |",
        "|---|---|---|---|---|---|---|",
    ]
    for run in data["runs"]:
        share = f"{run['share_of_engine']:.0%}" if "share_of_engine" in run else ""
        times = [
            " / ".join("" if value is None else f"{1000 * value:.0f}" for value in found.values())
            for found in (run["first_token_seconds"], run["between_tokens_seconds"])
        ]
        lines.append(
            f"| {run['clients']} | {run['server']} | {run['tokens_per_second']:.0f} | {share} "
            f"| {times[0]} ms | {times[1]} ms | {run['errors']} |"
        )
    return "\n".join(lines)


def measure(server: Started, clients: int, seconds: float, new_tokens: int) -> dict[str, Any]:
    """Let so many clients ask for a time."""
    seen = Seen()
    asyncio.run(_crowd(server, clients, 1.0, new_tokens, Seen()))  # Warm.
    took = asyncio.run(_crowd(server, clients, seconds, new_tokens, seen))
    return {
        "server": server.name,
        "clients": clients,
        "replies": len(seen.first),
        "errors": seen.errors,
        "tokens_per_second": seen.tokens / took,
        "first_token_seconds": _quantiles(seen.first),
        "between_tokens_seconds": _quantiles(seen.between),
        "resident_bytes": {
            "first": seen.memory[0],
            "last": seen.memory[-1],
            "most": max(seen.memory),
        },
    }


async def _crowd(
    server: Started, clients: int, seconds: float, new_tokens: int, seen: Seen
) -> float:
    started = time.perf_counter()
    until = started + seconds
    reading = asyncio.ensure_future(_read_memory(server, seconds / _READINGS, seen))
    asked = (_client(server, each, until, new_tokens, seen) for each in range(clients))
    await asyncio.gather(*asked)
    reading.cancel()
    return time.perf_counter() - started


async def _read_memory(server: Started, pause: float, seen: Seen) -> None:
    while True:
        seen.memory.append(server.resident_bytes)
        await asyncio.sleep(pause)


async def _client(server: Started, number: int, until: float, new_tokens: int, seen: Seen) -> None:
    turn = 0
    while time.perf_counter() < until:
        body = {
            "model": VERSION,
            "messages": [{"role": "user", "content": PROMPTS[(number + 64 * turn) % len(PROMPTS)]}],
            "max_tokens": new_tokens,
            "min_tokens": new_tokens,
            "stream": True,
            "stream_options": {"include_usage": True},
            **SAMPLING,
            **server.extra,
        }
        await _ask(server.url, json.dumps(body).encode(), seen)
        turn += 1


async def _ask(url: str, body: bytes, seen: Seen) -> None:
    """One request by a bare socket: a client library would take time from the server's cores."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    head = (
        f"POST {parts.path}/chat/completions HTTP/1.1\r\nHost: {parts.netloc}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        "Connection: close\r\n\r\n"
    )
    started = last = time.perf_counter()
    writer.write(head.encode() + body)
    is_first, is_done, told, pieces = True, False, 0, 0
    while line := await reader.readline():
        if line == b"data: [DONE]\n":
            is_done = True
        if not line.startswith(b"data: {"):
            continue
        if b'"completion_tokens"' in line:
            told = json.loads(line[6:])["usage"]["completion_tokens"]
        if not _TEXT.search(line):
            continue
        now = time.perf_counter()
        pieces += 1
        (seen.first if is_first else seen.between).append(now - (started if is_first else last))
        is_first, last = False, now
    writer.close()
    seen.tokens += told or pieces
    seen.errors += not is_done


def offline(engine: Engine, rows: int, options: argparse.Namespace) -> float:
    """Tokens a second of the engine alone, with as many outputs at a time."""
    decoding = Decoding(
        **SAMPLING, max_new_tokens=options.new_tokens, min_new_tokens=options.new_tokens
    )
    tokenizer = engine.loaded.tokenizer
    texts = [
        tokenizer.apply_chat_template(
            [{"role": "user", "content": prompt}], add_generation_prompt=True, tokenize=False
        )
        for prompt in PROMPTS
    ]
    engine.max_rows = rows
    requests = [
        Request(f"{number}", "p", number, texts[number % len(texts)], decoding, noise_key=number)
        for number in range(max(2 * rows, 4))
    ]
    started = time.perf_counter()
    made: list[Generation] = list(engine.generate(requests))
    return sum(len(each.token_ids) for each in made) / (time.perf_counter() - started)


def _quantiles(values: Sequence[float]) -> dict[str, float | None]:
    if len(values) < 2:
        return {"p50": values[0] if values else None, "p99": None}
    return {"p50": statistics.median(values), "p99": statistics.quantiles(values, n=100)[98]}


if __name__ == "__main__":
    main()
