"""A client for OpenAI-compatible chat endpoints: concurrent requests, replies as they arrive.

Replies are untrusted text: cleaned of characters that no database takes, never executed, never used
as a path.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from queue import SimpleQueue
from threading import Thread
from time import perf_counter
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from ethogram.errors import BackendError
from ethogram.extras import require

URL_VARIABLE = "OPENAI_BASE_URL"
KEY_VARIABLE = "OPENAI_API_KEY"
#: The openai package's default address; only there is a key always needed.
DEFAULT_URL = "https://api.openai.com/v1"
#: Local servers mostly need no key, but the client has to send one.
_NO_KEY = "none"
#: Characters of a reply that are kept; a judge's reply has some hundred words.
LONGEST_REPLY = 200_000
#: Characters of an endpoint's own message that an error quotes.
_LONGEST_MESSAGE = 200
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
        seconds: from the first try to the reply.
    """

    identity: str
    text: str
    finish_reason: str
    served_model: str
    prompt_tokens: int
    completion_tokens: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The server of a model, and how to send requests to it.

    Attributes:
        base_url: address of the API, up to `/v1`; default OPENAI_BASE_URL, then OpenAI's own.
        api_key: default OPENAI_API_KEY. Sent to the endpoint, and neither stored nor shown.
        concurrency: requests in flight at once. Eight keep a local server's batch filled and stay
            below common rate limits.
        timeout: seconds for one try.
        retries: further tries after a refused connection, a timeout, 408, 409, 429 or 5xx; they
            wait half a second, one, two, …, or as long as Retry-After requires.
    """

    base_url: str | None = None
    api_key: str | None = field(default=None, repr=False)
    concurrency: int = 8
    timeout: float = 120.0
    retries: int = 4


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
        openai: Any = require("openai", extra="judge", needed_for="a model at an endpoint")
        address = endpoint.base_url or os.environ.get(URL_VARIABLE) or DEFAULT_URL
        self.where = _shown(address)
        self._key = endpoint.api_key or os.environ.get(KEY_VARIABLE) or ""
        if not self._key and self.where == DEFAULT_URL:
            raise BackendError(
                "no key",
                where=self.where,
                hint=f"set {KEY_VARIABLE}, or name another endpoint with --base-url",
            )
        self.model = model
        self._tries = endpoint.retries + 1
        self._timeout = endpoint.timeout
        self._concurrency = max(1, endpoint.concurrency)
        self._openai = openai
        self._client = openai.OpenAI(
            api_key=self._key or _NO_KEY,
            base_url=address,
            timeout=openai.Timeout(endpoint.timeout, connect=min(endpoint.timeout, 10.0)),
            max_retries=endpoint.retries,
        )
        if self.where != DEFAULT_URL:
            # The package would send these from the environment to any endpoint.
            self._client.organization = self._client.project = None
        self._refused: set[str] = set()

    def __repr__(self) -> str:
        return f"ChatClient({self.model!r}, base_url={self.where!r})"

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def ask(self, requests: Iterable[ChatRequest]) -> Iterator[ChatReply]:
        """Replies as they arrive, in any order.

        After a failure no more requests are sent, but replies in flight are still returned, so that
        nothing that was paid for is lost.

        Raises:
            BackendError: the endpoint is unreachable, refuses, or answers with something else.
        """
        replies: SimpleQueue[ChatReply | BaseException] = SimpleQueue()

        def answer(request: ChatRequest) -> None:
            try:
                replies.put(self._one(request))
            except BaseException as error:
                replies.put(error)

        left = iter(requests)
        in_flight = 0
        failed: BaseException | None = None
        while True:
            while failed is None and in_flight < self._concurrency:
                request = next(left, None)
                if request is None:
                    break
                # Daemon threads, unlike those of a pool: an interrupted program ends at once,
                # without waiting for the slowest reply and all its retries.
                Thread(target=answer, args=(request,), daemon=True).start()
                in_flight += 1
            if not in_flight:
                break
            reply = replies.get()
            in_flight -= 1
            if isinstance(reply, BaseException):
                failed = failed or reply
            else:
                yield reply
        if failed is not None:
            raise failed

    def _one(self, request: ChatRequest) -> ChatReply:
        began = perf_counter()
        try:
            completion = self._create(request)
        except self._openai.OpenAIError as error:
            raise self._explained(error) from None
        except ValueError:  # A body that is declared JSON and is not.
            raise self._malformed() from None
        return self._reply(request, completion, perf_counter() - began)

    def _create(self, request: ChatRequest) -> Any:
        """One completion; refused settings are omitted or renamed from then on."""
        while True:
            refused = frozenset(self._refused)
            settings: dict[str, Any] = {"temperature": 0.0, "max_tokens": request.max_tokens}
            for name in refused:
                value = settings.pop(name)
                if name in _RENAMED:
                    settings[_RENAMED[name]] = value
            try:
                return self._client.chat.completions.create(
                    model=self.model,
                    messages=[{"role": "user", "content": clean(request.text)}],
                    **settings,
                )
            except self._openai.BadRequestError as error:
                words = str(error)
                again = {name for name in (*_RENAMED, *_OPTIONAL) if f"'{name}'" in words}
                if not again - refused:
                    raise
                self._refused |= again

    def _reply(self, request: ChatRequest, completion: Any, seconds: float) -> ChatReply:
        try:
            choice = completion.choices[0]
            text = choice.message.content
            if not isinstance(text, str | None):
                raise self._malformed()
            usage = getattr(completion, "usage", None)
            return ChatReply(
                identity=request.identity,
                text=clean(text or "")[:LONGEST_REPLY],
                finish_reason=clean(str(choice.finish_reason or ""))[:16],
                served_model=clean(str(completion.model or ""))[:200],
                prompt_tokens=_count(getattr(usage, "prompt_tokens", 0)),
                completion_tokens=_count(getattr(usage, "completion_tokens", 0)),
                seconds=seconds,
            )
        except (AttributeError, IndexError, TypeError, KeyError):
            raise self._malformed() from None

    def _malformed(self) -> BackendError:
        return BackendError(
            "the response is not a chat completion",
            where=self.where,
            hint="check the address; most end in /v1",
        )

    def _explained(self, error: Exception) -> BackendError:
        """The error in one line."""
        openai, tries = self._openai, self._tries
        status = getattr(error, "status_code", None)
        if isinstance(error, openai.APITimeoutError):
            what = f"no answer within {self._timeout:g} s, tried {_times(tries)}"
            hint = "give it more time with --timeout, or lower --concurrency"
        elif isinstance(error, openai.APIConnectionError):
            what = f"unreachable ({_cause(error)}), tried {_times(tries)}"
            hint = "check the address and that the server runs"
        elif isinstance(error, openai.AuthenticationError | openai.PermissionDeniedError):
            # The endpoint's own message often repeats the key.
            what = f"refuses the key ({status})" if self._key else f"requires a key ({status})"
            hint = (
                f"set {KEY_VARIABLE}, or the variable of --key-variable, "
                f"to one that may use {self.model!r}"
            )
        elif isinstance(error, openai.NotFoundError):
            what = f"no model {self.model!r}, or no chat API, at this address (404)"
            hint = "check --model and --base-url; most addresses end in /v1"
        elif isinstance(error, openai.RateLimitError):
            what = f"too many requests or quota exceeded (429), tried {_times(tries)}"
            hint = "lower --concurrency, or try again later; replies so far are stored"
        elif isinstance(error, openai.InternalServerError):
            words = self._message(error)
            what = f"fails ({status}), tried {_times(tries)}" + (f": {words}" if words else "")
            hint = "check its log and run again; replies so far are stored"
        elif isinstance(error, openai.APIStatusError):
            what = f"refuses the request ({status}): {self._message(error) or 'no reason given'}"
            hint = "replies so far are stored"
        else:
            return self._malformed()
        return BackendError(what, where=self.where, hint=hint)

    def _message(self, error: Any) -> str:
        """The endpoint's own message, short and without the key; may be empty."""
        body = error.body
        message = body.get("message") if isinstance(body, dict) else None
        words = message if isinstance(message, str) else ""
        if self._key:
            words = words.replace(self._key, "…")
        words = " ".join(clean(words).split())
        return words if len(words) <= _LONGEST_MESSAGE else words[:_LONGEST_MESSAGE] + " …"


def clean(text: str) -> str:
    """Text without NUL and unpaired surrogates, which databases refuse."""
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return whole.replace("\x00", "�")


def _count(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def _times(tries: int) -> str:
    return "once" if tries == 1 else f"{tries} times"


def _cause(error: BaseException) -> str:
    """Why a connection failed, as the system reports it."""
    cause = error.__cause__ or error
    return str(cause).splitlines()[0] if str(cause) else type(cause).__name__


def _shown(address: str) -> str:
    """An address without a user or password in it.

    Raises:
        BackendError: it is not one.
    """
    try:
        parts = urlsplit(address)
        usable = parts.scheme in ("http", "https") and parts.hostname
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        usable, port = None, ""
    if not usable:
        raise BackendError(
            "not an API address",
            where="base URL",
            hint="write it like http://localhost:8000/v1",
        )
    host = f"[{parts.hostname}]" if ":" in str(parts.hostname) else parts.hostname
    return urlunsplit((parts.scheme, f"{host}{port}", parts.path.rstrip("/"), "", ""))
