"""Guard: who may use the page. Host, Origin, token and method, before a route is reached.

A web page that a user opens elsewhere can reach servers on the same machine. It is refused by its
Origin, by a Host that is not the server's (DNS rebinding), and because it has no token. Whoever has
the token has the cookie that `POST /api/session` sets; nothing changes by GET.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: Model output is text: no inline script, no eval, no string that becomes HTML, no other host.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; object-src 'none'; require-trusted-types-for 'script'; "
    "trusted-types 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cache-control": "no-store",
}
#: Reached without the cookie: it is what sets the cookie.
SESSION = "/api/session"
_READING = ("GET", "HEAD")
#: Bytes of a request's body.
MOST_BODY = 8 * 2**20


class Guard:
    """Refuses what must not be served, and sets the headers of every answer.

    Args:
        app: what is guarded.
        token: of this start.
        hosts: values of the Host header that name this server, such as `127.0.0.1:8080`.
    """

    def __init__(self, app: ASGIApp, *, token: str, hosts: Sequence[str]) -> None:
        self._app, self._token = app, token
        self._hosts = frozenset(host.lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":  # The page has no web sockets.
            await receive()
            await send({"type": "websocket.close", "code": 1008})
            return

        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
            await send(message)

        refused = self._refusal(scope)
        if refused:
            await _answer(send_marked, *refused)
        else:
            await self._app(scope, _limited(receive), send_marked)

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        """Status and reason, if a request must not be served."""
        headers, path = Headers(scope=scope), scope["path"]
        host = headers.get("host", "").lower()
        if host not in self._hosts:
            return 421, "the Host header does not name this server"
        origin = headers.get("origin")
        if origin is not None and origin.lower() != f"http://{host}":
            return 403, "requests from other web pages are refused"
        if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return 403, "requests from other web pages are refused"
        if not path.startswith("/api/"):
            return None if scope["method"] in _READING else (405, "only GET is possible here")
        if scope["method"] not in _READING:
            kind = headers.get("content-type", "").partition(";")[0].strip().lower()
            if kind != "application/json":
                return 415, "the content type is not application/json"
            length = headers.get("content-length", "0")
            if not length.isdigit() or int(length) > MOST_BODY:
                return 413, "the request is too large"
        if path != SESSION and not self._has_token(headers):
            return 401, "no valid token; open the address that `ethogram ui` printed"
        return None

    def _has_token(self, headers: Headers) -> bool:
        cookies = cookie_parser(headers.get("cookie", ""))
        given = cookies.get(cookie_name(headers.get("host", "")), "")
        kind, _, bearer = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            given = bearer.strip()
        return same_token(given, self._token)


def cookie_name(host: str) -> str:
    """The cookie of a server: browsers share cookies between the ports of a host."""
    return f"ethogram_{host.rpartition(':')[2]}"


def same_token(given: str, token: str) -> bool:
    """Whether a token is the right one, compared in constant time."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), token.encode())


def _limited(receive: Receive) -> Receive:
    """Ends a body that is longer than its header said, as a client that left does."""
    left = MOST_BODY

    async def limited() -> Message:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        return message if left >= 0 else {"type": "http.disconnect"}

    return limited


async def _answer(send: Send, status: int, reason: str) -> None:
    body = json.dumps({"error": reason}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
