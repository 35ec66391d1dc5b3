"""A model's server on this machine: OpenAI-compatible, and as faulty as a test wants it."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Body = Mapping[str, Any]
#: What the server does with a request: a text to reply, or a fault.
Answer = Callable[[Body], "str | Fault"]


@dataclass(frozen=True)
class Fault:
    """An answer that is no completion.

    Attributes:
        status: of HTTP.
        body: bytes, sent as they are.
        headers: beside the content type.
        seconds: before anything is sent.
        drip: seconds before each byte of the body.
        length: stated for the body; default its own.
    """

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    drip: float = 0.0
    length: int | None = None


@dataclass
class Server:
    """The server's address and what it was asked."""

    url: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    most_at_once: int = 0

    @property
    def keys(self) -> set[str]:
        return {headers.get("authorization", "") for headers in self.headers}


def said(body: Body) -> str:
    """What a request asks: its prompt, or its last message."""
    return str(body["prompt"] if "prompt" in body else body["messages"][-1]["content"])


def echo(body: Body) -> str:
    """A reply that depends on all that a request states."""
    seed, temperature = body.get("seed", 0), body.get("temperature")
    return f"You said {said(body)!r} at {temperature} and {seed}. That is all."


def refusal(status: int, message: str = "no", **headers: str) -> Fault:
    """An error in the form of the API."""
    body = json.dumps({"error": {"message": message, "type": "error"}}).encode()
    return Fault(status, body, {"Content-Type": "application/json", **headers})


def reply(body: Body, text: str, reason: str = "stop") -> bytes:
    """A completion or chat completion with this text."""
    is_chat = "messages" in body
    choice: dict[str, Any] = {"index": 0, "finish_reason": reason}
    choice |= {"message": {"role": "assistant", "content": text}} if is_chat else {"text": text}
    made = {
        "id": "c",
        "object": "chat.completion" if is_chat else "text_completion",
        "created": 0,
        "model": "served",
        "choices": [choice],
        "usage": {
            "prompt_tokens": len(said(body).split()),
            "completion_tokens": len(text.split()),
            "total_tokens": 0,
        },
    }
    return json.dumps(made).encode()


def events(body: Body, text: str) -> bytes:
    """The same as a stream, a character an event."""
    is_chat = "messages" in body
    lines = []
    for piece in [*text, None]:
        choice: dict[str, Any] = {"index": 0, "finish_reason": None if piece else "stop"}
        choice |= {"delta": {"content": piece or ""}} if is_chat else {"text": piece or ""}
        chunk = {"id": "c", "object": "c", "created": 0, "model": "served", "choices": [choice]}
        lines.append(f"data: {json.dumps(chunk)}\n\n")
    return "".join([*lines, "data: [DONE]\n\n"]).encode()


@contextmanager
def serving(answer: Answer = echo, *, delay: float = 0.0) -> Iterator[Server]:
    """A server on a free port for as long as the test needs it."""
    known, lock = Server(), threading.Lock()
    at_once = 0

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            nonlocal at_once
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with lock:
                at_once += 1
                known.most_at_once = max(known.most_at_once, at_once)
                known.asked.append(body)
                known.paths.append(self.path)
                known.headers.append({name.lower(): value for name, value in self.headers.items()})
            time.sleep(delay)
            found = answer(body)
            with lock:
                at_once -= 1
            if isinstance(found, str):
                streamed = bool(body.get("stream"))
                kind = "text/event-stream" if streamed else "application/json"
                data = events(body, found) if streamed else reply(body, found)
                found = Fault(200, data, {"Content-Type": kind})
            with suppress(ConnectionError):  # Whoever asked has gone away.
                self._send(found)

        def _send(self, found: Fault) -> None:
            time.sleep(found.seconds)
            self.send_response(found.status)
            length = len(found.body) if found.length is None else found.length
            for name, value in {"Content-Length": str(length), **found.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            if not found.drip:
                self.wfile.write(found.body)
            for byte in found.body if found.drip else b"":
                time.sleep(found.drip)
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
            if length != len(found.body):
                self.close_connection = True

        def log_message(self, *_: Any) -> None:
            pass

    class Listening(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            if not isinstance(sys.exception(), ConnectionError):
                super().handle_error(request, client_address)

    server = Listening(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    known.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    try:
        yield known
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
