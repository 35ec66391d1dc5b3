"""Servers under streaming clients, beside the engine itself. `python -m benchmarks.serve`.

Each client asks for one reply after another, of one length, and notes when each event arrives. The
engine generates as many outputs of the same prompts without a server, which is the most that ours
could reach. All are asked in one run and in turn for each number of clients, since figures of two
runs differ by the machine. The server of llama-cpp-python is asked with `--llamacpp PYTHON GGUF`.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import psutil

from benchmarks import machine
from benchmarks.process import ROOT
from ethogram.engine import Engine
from ethogram.models import load
from ethogram.models.reference import ModelReference
from ethogram.spec import Decoding, Generation, Request

OUTPUT = ROOT / "benchmarks" / "results" / "serve.json"
MODEL = "smollm2-135m-instruct"
#: Weights of both sides, and the name that both servers know the model by.
DTYPE: Literal["bfloat16"] = "bfloat16"
VERSION = "v1.0.0"
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
    """

    first: list[float] = field(default_factory=list)
    between: list[float] = field(default_factory=list)
    tokens: int = 0
    errors: int = 0


@dataclass
class Started:
    """A running server.

    Attributes:
        name: in the table.
        url: of its interface.
        process: its process.
    """

    name: str
    url: str
    process: subprocess.Popen[str]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and write the JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serve", description=__doc__)
    parser.add_argument("--seconds", type=float, default=120.0, help="of each number of clients")
    parser.add_argument("--clients", type=int, nargs="+", default=list(CLIENTS))
    parser.add_argument("--new-tokens", type=int, default=64, help="of each reply")
    parser.add_argument("--output", type=Path, default=OUTPUT)
    parser.add_argument(
        "--llamacpp",
        nargs=2,
        metavar=("PYTHON", "GGUF"),
        help="a Python that has llama-cpp-python[server], and the model's file",
    )
    options = parser.parse_args(arguments)
    described = machine.describe()
    folder = tempfile.TemporaryDirectory(prefix="ethogram-bench-serve-")
    servers = [start(Path(folder.name))]
    if options.llamacpp:
        servers.append(start_llamacpp(*options.llamacpp))
    engine = Engine(load(ModelReference.parse(MODEL, dtype=DTYPE)))
    runs = []
    try:
        for clients in options.clients:
            for server in servers:
                runs.append(measure(server, clients, options.seconds, options.new_tokens))
                print(json.dumps(runs[-1]), flush=True)
            rate = offline(engine, clients, options)
            runs[-len(servers)] |= {
                "engine_tokens_per_second": rate,
                "share_of_engine": runs[-len(servers)]["tokens_per_second"] / rate,
            }
    finally:
        for server in servers:
            server.process.terminate()
            server.process.wait(60)
        folder.cleanup()
    data = {
        "schema": 2,
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "commit": machine.commit(ROOT),
        "machine": described,
        "model": MODEL,
        "dtype": DTYPE,
        "seconds": options.seconds,
        "new_tokens": options.new_tokens,
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


def start(folder: Path) -> Started:
    """Our server of a version of the model, in a study of its own."""
    (folder / "versions").mkdir()
    (folder / "study.yaml").write_text("name: serve\n", encoding="utf-8")
    (folder / f"versions/{VERSION}.yaml").write_text(
        f"model: {MODEL}\ndtype: {DTYPE}\nprompt: {{chat: true}}\n", encoding="utf-8"
    )
    command = [sys.executable, "-c", "from ethogram.cli import main; main()"]
    command += ["serve", "--study", str(folder), "--port", "0"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    line = server.stdout.readline()
    if " at " not in line:
        raise SystemExit(f"the server did not start: {line}")
    return Started("ethogram", line.rpartition(" at ")[2].strip(), server)


def start_llamacpp(python: str, gguf: str) -> Started:
    """The server of llama-cpp-python, which generates one reply at a time."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [python, "-m", "llama_cpp.server", "--model", gguf, "--model_alias", VERSION]
    command += ["--port", str(port), "--n_ctx", "2048", "--verbose", "false"]
    command += ["--interrupt_requests", "false", "--n_threads", str(os.cpu_count() or 1)]
    server = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True
    )
    until = time.monotonic() + 60
    while time.monotonic() < until and server.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return Started("llama-cpp-python", f"http://127.0.0.1:{port}/v1", server)
        time.sleep(0.1)
    raise SystemExit("the server of llama-cpp-python did not start")


def measure(server: Started, clients: int, seconds: float, new_tokens: int) -> dict[str, Any]:
    """Let so many clients ask for a time."""
    seen = Seen()
    asyncio.run(_crowd(server.url, 1, 1.0, new_tokens, Seen()))  # Warm.
    took = asyncio.run(_crowd(server.url, clients, seconds, new_tokens, seen))
    return {
        "server": server.name,
        "clients": clients,
        "replies": len(seen.first),
        "errors": seen.errors,
        "tokens_per_second": seen.tokens / took,
        "first_token_seconds": _quantiles(seen.first),
        "between_tokens_seconds": _quantiles(seen.between),
        "resident_bytes": psutil.Process(server.process.pid).memory_info().rss,
    }


async def _crowd(url: str, clients: int, seconds: float, new_tokens: int, seen: Seen) -> float:
    started = time.perf_counter()
    until = started + seconds
    await asyncio.gather(*(_client(url, each, until, new_tokens, seen) for each in range(clients)))
    return time.perf_counter() - started


async def _client(url: str, number: int, until: float, new_tokens: int, seen: Seen) -> None:
    turn = 0
    while time.perf_counter() < until:
        body = {
            "model": VERSION,
            "messages": [{"role": "user", "content": PROMPTS[(number + 64 * turn) % len(PROMPTS)]}],
            "max_tokens": new_tokens,
            "min_tokens": new_tokens,
            "temperature": 0.8,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        await _ask(url, json.dumps(body).encode(), seen)
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
        temperature=0.8, max_new_tokens=options.new_tokens, min_new_tokens=options.new_tokens
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
