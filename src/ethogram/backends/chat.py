"""A client for the chat completions of judges: concurrent requests, replies as they arrive.

Replies are untrusted text: cleaned of characters that no database takes, never executed, never used
as a path.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

from ethogram.backends.asking import Asking, Retry, Spending
from ethogram.backends.client import (
    JUDGE_HINTS,
    LONGEST_REPLY,
    Connection,
    clean,
    token_count,
)
from ethogram.backends.endpoint import KEY_VARIABLE, Endpoint

#: Settings that some models refuse, and that are then renamed or omitted: OpenAI's reasoning models
#: have another name for the limit and set their own temperature.
_RENAMED = {"max_tokens": "max_completion_tokens"}
_OPTIONAL = ("temperature",)


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One question.

    Attributes:
        identity: returned with the reply.
        text: the question, sent as the only user message.
        max_tokens: of the reply.
    """

    identity: str
    text: str
    max_tokens: int = 1024


@dataclass(frozen=True, slots=True)
class ChatReply:
    """A reply, as the endpoint reports it.

    Attributes:
        identity: of the request.
        text: the reply; may be empty.
        finish_reason: stop, length, …; empty if not reported.
        served_model: the endpoint's name for the model that answered.
        prompt_tokens: zero if not reported.
        completion_tokens: likewise.
        seconds: of the try that brought the reply.
    """

    identity: str
    text: str
    finish_reason: str
    served_model: str
    prompt_tokens: int
    completion_tokens: int
    seconds: float


class ChatClient:
    """Sends requests to one model of one endpoint.

    Args:
        model: its name at the endpoint.
        endpoint: where and how.

    Raises:
        MissingExtraError: without the extra `judge`.
        BackendError: no usable address, or no key for OpenAI's own endpoint.
    """

    def __init__(self, model: str, endpoint: Endpoint) -> None:
        key = endpoint.api_key or os.environ.get(KEY_VARIABLE) or ""
        self._endpoint = replace(endpoint, api_key=key)
        self._connection = Connection(model, self._endpoint, JUDGE_HINTS, extra="judge")
        self.model, self.where = model, self._connection.where
        self._refused: set[str] = set()

    def __repr__(self) -> str:
        return f"ChatClient({self.model!r}, base_url={self.where!r})"

    def close(self) -> None:
        """Close the connections."""
        self._connection.close()

    def ask(self, requests: Iterable[ChatRequest]) -> Iterator[ChatReply]:
        """Replies as they arrive, in any order.

        After a failure no more requests are sent, but replies in flight are still returned, so that
        nothing that was paid for is lost.

        Raises:
            BackendError: the endpoint is unreachable, refuses, or answers with something else.
        """
        asking: Asking[ChatRequest, ChatReply] = Asking(
            self._one,
            self._failed,
            self._endpoint,
            spending=Spending(None, self.model),
            costs=lambda request: (0, request.max_tokens),
            used=lambda reply: (reply.prompt_tokens, reply.completion_tokens),
            where=self.where,
            hanging=self._connection.hanging(),
        )
        return asking.ask(requests)

    def _failed(self, error: Exception, tries: int) -> Retry:
        return self._connection.failed(error, tries)

    def _one(self, request: ChatRequest) -> ChatReply:
        """One try; refused settings are omitted or renamed from then on."""
        began = perf_counter()
        while True:
            refused = frozenset(self._refused)
            settings: dict[str, Any] = {"temperature": 0.0, "max_tokens": request.max_tokens}
            for name in refused:
                value = settings.pop(name)
                if name in _RENAMED:
                    settings[_RENAMED[name]] = value
            try:
                completion = self._connection.openai.chat.completions.create(
                    model=self.model,
                    messages=[{"role": "user", "content": clean(request.text)}],
                    **settings,
                )
            except Exception as error:
                again = self._connection.refused_settings(error, (*_RENAMED, *_OPTIONAL))
                if not again - refused:
                    raise
                self._refused |= again
            else:
                return self._reply(request, completion, perf_counter() - began)

    def _reply(self, request: ChatRequest, completion: Any, seconds: float) -> ChatReply:
        try:
            choice = completion.choices[0]
            text = choice.message.content
            if not isinstance(text, str | None):
                raise self._connection.malformed()
            usage = getattr(completion, "usage", None)
            return ChatReply(
                identity=request.identity,
                text=clean(text or "")[:LONGEST_REPLY],
                finish_reason=clean(str(choice.finish_reason or ""))[:16],
                served_model=clean(str(completion.model or ""))[:200],
                prompt_tokens=token_count(getattr(usage, "prompt_tokens", 0)),
                completion_tokens=token_count(getattr(usage, "completion_tokens", 0)),
                seconds=seconds,
            )
        except (AttributeError, IndexError, TypeError, KeyError):
            raise self._connection.malformed() from None
