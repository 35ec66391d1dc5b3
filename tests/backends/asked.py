"""Requests to a model at an endpoint, and what comes of them."""

from __future__ import annotations

from typing import Any

from tests.endpoints import Server

from ethogram.backends import Budget
from ethogram.backends.remote import RemoteBackend
from ethogram.spec import Decoding, Generation, Message, Request
from ethogram.spec.endpoint import Api, RemoteModel


def requests(number: int = 1, chat: bool = False, **decoding: Any) -> list[Request]:
    settings = Decoding(**{"temperature": 0.7, "max_new_tokens": 9, **decoding})
    return [
        Request(
            f"id{i}",
            f"p{i}",
            0,
            (Message("system", "Be brief."), Message("user", f"ask {i}")) if chat else f"ask {i}",
            settings,
            (i + 1) << 40 if settings.is_stochastic else None,
        )
        for i in range(number)
    ]


def backend(server: Server, api: Api = "openai", budget: Budget | None = None) -> RemoteBackend:
    return RemoteBackend(RemoteModel("small", server.url, api), budget=budget)


def made(server: Server, wanted: list[Request], **options: Any) -> dict[str, Generation]:
    return {one.identity: one for one in backend(server, **options).generate(wanted)}
