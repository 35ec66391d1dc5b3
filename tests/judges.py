"""A judge on this machine: an OpenAI-compatible server that answers as a test tells it to."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

#: The question to a reply's text, or to (status, headers, body) for anything else.
Answer = Callable[[str], "str | tuple[int, dict[str, str], bytes]"]


@dataclass
class Judge:
    """The server's address, what it was asked, and how many questions it had at once."""

    url: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    most_at_once: int = 0

    @property
    def questions(self) -> list[str]:
        return [str(request["messages"][0]["content"]) for request in self.asked]


@contextmanager
def serving(answer: Answer, *, delay: float = 0.0) -> Iterator[Judge]:
    """A server on a free port of this machine for as long as the test needs it."""
    judge = Judge()
    lock = threading.Lock()
    at_once = 0

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            nonlocal at_once
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with lock:
                at_once += 1
                judge.most_at_once = max(judge.most_at_once, at_once)
                judge.asked.append(request)
                judge.keys.append(self.headers.get("Authorization", ""))
            time.sleep(delay)
            found = answer(request["messages"][0]["content"])
            status, headers, body = found if isinstance(found, tuple) else completion(found)
            with lock:
                at_once -= 1
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    judge.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    try:
        yield judge
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def completion(text: str | None, **fields: Any) -> tuple[int, dict[str, str], bytes]:
    """A chat completion that says `text`."""
    body = {
        "id": "c",
        "object": "chat.completion",
        "created": 0,
        "model": "served-judge",
        "choices": [
            {
                "index": 0,
                "finish_reason": "stop",
                "message": {"role": "assistant", "content": text},
            }
        ],
        "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
        **fields,
    }
    return 200, {"Content-Type": "application/json"}, json.dumps(body).encode()


def refusal(status: int, message: str = "no", **headers: str) -> tuple[int, dict[str, str], bytes]:
    """An error in the form of the API."""
    body = json.dumps({"error": {"message": message, "type": "error"}}).encode()
    return status, {"Content-Type": "application/json", **headers}, body


def answers(question: str) -> list[str]:
    """What a question shows between its marks: one answer, or A and B."""
    return [
        found.group(1) for found in re.finditer(r"<answer[^>]*>\n(.*?)\n</answer", question, re.S)
    ]


def verdict(word: str) -> str:
    """A reply of some words that ends as it should."""
    return f'Both are short.\n{{"verdict": "{word}"}}'


def prefers_longer(question: str) -> str:
    """A judge without favourites of position; of a single answer it says nothing."""
    shown = answers(question)
    if len(shown) != 2:
        return "I only compare."
    first, second = map(len, shown)
    return verdict("A" if first > second else "B" if second > first else "tie")
