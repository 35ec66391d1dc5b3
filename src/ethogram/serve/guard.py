"""Guard: who may ask. Host, Origin, key and content type, before a body is read; and the log."""

from __future__ import annotations

import hmac
import json
import logging
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders

from ethogram.serve.errors import ApiError
from ethogram.serve.replies import json_reply
from ethogram.serve.service import new_id

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from ethogram.serve.service import Service

_log = logging.getLogger("ethogram.serve.requests")
#: Key of a request's scope: what its line in the log has besides path and status.
LOGGED = "ethogram.logged"
#: Needs no key, so that whatever restarts a server can ask.
_OPEN = ("/health",)
_KNOWN = (
    "/health",
    "/metrics",
    "/openapi.json",
    "/v1/chat/completions",
    "/v1/completions",
    "/v1/responses",
)


class Guard:
    """Refuses what must not be served, and logs one line of JSON for each request.

    A web page that a user opens can reach servers on the same machine. It is refused by its Origin,
    by a Host that is not the server's (DNS rebinding), and by content types that browsers send
    without asking.

    Args:
        app: what is guarded.
        service: counts requests.
        keys: API keys.
        hosts: names of the server; any if empty.
    """

    def __init__(
        self, app: ASGIApp, service: Service, *, keys: Sequence[str], hosts: Sequence[str]
    ) -> None:
        self._app, self._service = app, service
        self._keys = [key.encode() for key in keys]
        self._hosts = frozenset(host.lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status, request_id = time.perf_counter(), 0, new_id("req")

        async def send_noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["x-request-id"] = request_id
            await send(message)

        try:
            try:
                self._check(scope)
            except ApiError as error:
                refused = json_reply(error.body, headers=error.headers, status=error.status)
                await refused(scope, receive, send_noted)
            else:
                await self._app(scope, receive, send_noted)
        finally:
            self._note(scope, status, request_id, time.perf_counter() - started)

    def _check(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        host = _name_of(f"//{headers.get('host', '')}")
        if self._hosts and host not in self._hosts:
            raise ApiError(403, "the Host header does not name this server")
        origin = headers.get("origin")
        here = _place(f"http://{headers.get('host', '')}")
        if origin is not None and (here is None or _place(origin) != here):
            raise ApiError(403, "requests from web pages elsewhere are refused")
        if self._keys and scope["path"] not in _OPEN:
            self._check_key(headers.get("authorization", ""))
        if scope["method"] == "POST":
            kind = headers.get("content-type", "").partition(";")[0].strip().lower()
            if kind != "application/json":
                raise ApiError(415, "the content type is not application/json")
            if headers.get("content-encoding", "identity") != "identity":
                raise ApiError(415, "compressed bodies are not read")

    def _check_key(self, header: str) -> None:
        kind, _, key = header.partition(" ")
        given = key.strip().encode("utf-8", "replace")
        # Every key is compared, in constant time, so that the time tells nothing.
        matches = [hmac.compare_digest(given, each) for each in self._keys]
        if kind.lower() != "bearer" or not any(matches):
            raise ApiError(
                401,
                "the API key is missing or wrong",
                code="invalid_api_key",
                headers={"www-authenticate": "Bearer"},
            )

    def _note(self, scope: Scope, status: int, request_id: str, seconds: float) -> None:
        path = scope["path"] if scope["path"] in _KNOWN else "other"
        if scope["path"].startswith(("/v1/models", "/v1/embeddings")):
            path = "/" + "/".join(scope["path"].split("/")[1:3])
        self._service.metrics.requests.labels(path, str(status)).inc()
        line = {
            "request": request_id,
            "method": scope["method"] if scope["method"].isalpha() else "other",
            "path": path,
            "status": status,
            "seconds": round(seconds, 4),
            **scope.get(LOGGED, {}),
        }
        _log.info(json.dumps(line))


def _name_of(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""


def _place(url: str) -> tuple[str, int | None] | None:
    """Host and port of a URL; None if it has none."""
    try:
        parts = urlsplit(url)
        return ((parts.hostname or "").lower(), parts.port) if parts.hostname else None
    except ValueError:
        return None
