"""App: the routes, the small endpoints, and how errors are answered."""

from __future__ import annotations

import asyncio
import base64
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ethogram.errors import EthogramError
from ethogram.serve.bodies import EmbeddingsBody, parse
from ethogram.serve.chat import chat
from ethogram.serve.completions import completions
from ethogram.serve.errors import ApiError, refused, wrong
from ethogram.serve.guard import Guard
from ethogram.serve.openapi import document
from ethogram.serve.replies import ClientLeftError, json_reply, read_body
from ethogram.serve.responses import responses
from ethogram.serve.service import Service

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.types import ASGIApp

_log = logging.getLogger(__name__)


def make_app(service: Service, *, keys: Sequence[str] = (), hosts: Sequence[str] = ()) -> ASGIApp:
    """The ASGI application of a service.

    Args:
        service: what it serves.
        keys: API keys, one of which a client must send; none are needed if empty.
        hosts: names by which clients may call it; any if empty.
    """

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        service.start()
        yield
        await asyncio.to_thread(service.stop)

    app = Starlette(
        routes=[
            Route("/health", health),
            Route("/metrics", metrics),
            Route("/openapi.json", openapi),
            Route("/v1/models", models),
            Route("/v1/models/{name:path}", model),
            Route("/v1/chat/completions", chat, methods=["POST"]),
            Route("/v1/completions", completions, methods=["POST"]),
            Route("/v1/responses", responses, methods=["POST"]),
            Route("/v1/embeddings", embeddings, methods=["POST"]),
        ],
        exception_handlers={
            ApiError: _answer,
            HTTPException: _answer_http,
            ClientLeftError: _answer_nobody,
            EthogramError: _answer_refused,
            Exception: _answer_unexpected,
        },
        lifespan=lifespan,
    )
    app.state.service, app.state.has_keys = service, bool(keys)
    return Guard(app, service, keys=keys, hosts=hosts)


async def health(request: Request) -> Response:
    """Whether requests are taken."""
    stopping = request.app.state.service.is_stopping
    return json_reply({"status": "stopping" if stopping else "ok"}, status=503 if stopping else 200)


async def metrics(request: Request) -> Response:
    """Counts for Prometheus."""
    text = request.app.state.service.metrics.text()
    return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")


async def openapi(request: Request) -> Response:
    """What can be asked, as an OpenAPI document."""
    service: Service = request.app.state.service
    keys = request.app.state.has_keys
    return json_reply(document(service.catalogue.names, service.encoder, keys))


async def models(request: Request) -> Response:
    """The versions by name."""
    service: Service = request.app.state.service
    return json_reply(
        {"object": "list", "data": [_model(service, name) for name in service.catalogue.names]}
    )


async def model(request: Request) -> Response:
    """One version."""
    service: Service = request.app.state.service
    return json_reply(_model(service, service.catalogue.get(request.path_params["name"]).name))


def _model(service: Service, name: str) -> dict[str, Any]:
    return {
        "id": name,
        "object": "model",
        "created": service.created,
        "owned_by": "ethogram",
    }


async def embeddings(request: Request) -> Response:
    """Vectors of texts by the encoder."""
    service: Service = request.app.state.service
    body = parse(await read_body(request, service.limits.max_body), EmbeddingsBody)
    if body.model != service.encoder:
        message = f"embeddings are made by the model {service.encoder!r}"
        raise ApiError(404, message, param="model", code="model_not_found")
    try:
        vectors, tokens = await asyncio.to_thread(service.encode, list(body.input))
    except EthogramError:
        raise wrong("model", "the encoder is not available on this server") from None
    data = []
    for index, vector in enumerate(vectors):
        shown: Any = vector.tolist()
        if body.encoding_format == "base64":
            shown = base64.b64encode(vector.astype("<f4").tobytes()).decode()
        data.append({"object": "embedding", "index": index, "embedding": shown})
    counts = {"prompt_tokens": tokens, "total_tokens": tokens}
    return json_reply({"object": "list", "data": data, "model": body.model, "usage": counts})


async def _answer(_: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)
    return json_reply(error.body, headers=error.headers, status=error.status)


async def _answer_refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, EthogramError)
    return await _answer(request, refused(error))


async def _answer_http(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    words = {404: "there is no such endpoint", 405: "the endpoint does not take this method"}
    answer = ApiError(error.status_code, words.get(error.status_code, "the request is not served"))
    return json_reply(answer.body, headers=dict(error.headers or {}), status=error.status_code)


async def _answer_nobody(_: Request, error: Exception) -> Response:
    return Response(status_code=499)


async def _answer_unexpected(_: Request, error: Exception) -> Response:
    _log.error("a request failed: %s", type(error).__name__)
    return json_reply(ApiError(500, "the server failed").body, status=500)
