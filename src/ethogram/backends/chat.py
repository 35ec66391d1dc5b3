"""Chat: questions to an OpenAI-compatible endpoint, some at once, and its replies as they come.

Knows addresses, keys and retries; knows nothing of what is asked. What an endpoint says is
untrusted text: cleaned of what no text may hold, never run, never a path.
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
#: Where the openai package goes without an address; only there is a key always needed.
DEFAULT_URL = "https://api.openai.com/v1"
#: Servers of one's own mostly ask for no key, but the client has to send something.
_NO_KEY = "none"
#: A judge's reply has some hundred words; beyond this, an endpoint sends something else.
LONGEST_REPLY = 200_000
#: Of an endpoint's own words in an error, this many characters.
_LONGEST_MESSAGE = 200
#: Settings that some models refuse and that then go without: reasoning models of OpenAI count
#: their thoughts under another name and choose their temperature themselves.
_RENAMED = {"max_tokens": "max_completion_tokens"}
_OPTIONAL = ("temperature",)


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One question.

    Attributes:
        identity: comes back with the reply.
        text: the question, sent as the only message of the user.
        max_tokens: of the reply.
    """

    identity: str
    text: str
    max_tokens: int = 1024


@dataclass(frozen=True, slots=True)
class ChatReply:
    """What came back; all of it as the endpoint says.

    Attributes:
        identity: of the request.
        text: the reply; empty where there is none.
        finish_reason: stop, length, …; empty if nobody said.
        served_model: what the endpoint calls the model that answered.
        prompt_tokens: zero if nobody counted.
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
    """Where a model is served, and how to ask there.

    Attributes:
        base_url: address of the API, up to `/v1`; default OPENAI_BASE_URL, then OpenAI's own.
        api_key: default OPENAI_API_KEY. Sent to the endpoint, and neither stored nor shown.
        concurrency: questions under way at once. Eight keep a local server's batch filled and stay
            below common limits per minute.
        timeout: seconds that one try may take.
        retries: further tries after a refused connection, a timeout, 408, 409, 429 or 5xx; they
            wait half a second, one, two, …, or as long as the endpoint asks (Retry-After).
    """

    base_url: str | None = None
    api_key: str | None = field(default=None, repr=False)
    concurrency: int = 8
    timeout: float = 120.0
    retries: int = 4


class ChatClient:
    """Asks one model of one endpoint.

    Args:
        model: its name there.
        endpoint: where and how.

    Raises:
        MissingExtraError: without the extra `judge`.
        BackendError: no usable address, or no key for OpenAI's own endpoint.
    """

    def __init__(self, model: str, endpoint: Endpoint) -> None:
        openai: Any = require("openai", extra="judge", needed_for="asking a model elsewhere")
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
            # The package reads these from the environment and sends them to whomever it asks.
            self._client.organization = self._client.project = None
        self._refused: set[str] = set()

    def __repr__(self) -> str:
        return f"ChatClient({self.model!r}, base_url={self.where!r})"

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def ask(self, requests: Iterable[ChatRequest]) -> Iterator[ChatReply]:
        """Replies as they come, in any order.

        After a failure nothing more is asked, but replies under way are still given, so that
        whoever stores them loses nothing that was paid for.

        Raises:
            BackendError: the endpoint cannot be reached, refuses, or answers with something else.
        """
        replies: SimpleQueue[ChatReply | BaseException] = SimpleQueue()

        def answer(request: ChatRequest) -> None:
            try:
                replies.put(self._one(request))
            except BaseException as error:
                replies.put(error)

        left = iter(requests)
        under_way = 0
        failed: BaseException | None = None
        while True:
            while failed is None and under_way < self._concurrency:
                request = next(left, None)
                if request is None:
                    break
                # Daemons, unlike a pool's threads: an interrupted program ends at once, and not
                # only after the slowest reply and all its retries.
                Thread(target=answer, args=(request,), daemon=True).start()
                under_way += 1
            if not under_way:
                break
            reply = replies.get()
            under_way -= 1
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
        except ValueError:  # A body that says it is JSON and is not.
            raise self._malformed() from None
        return self._reply(request, completion, perf_counter() - began)

    def _create(self, request: ChatRequest) -> Any:
        """One completion; a setting that the model refuses is left out or renamed from then on."""
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
            "answers with something that is not a chat completion",
            where=self.where,
            hint="check the address; most end in /v1",
        )

    def _explained(self, error: Exception) -> BackendError:
        """One line for whatever went wrong."""
        openai, tries = self._openai, self._tries
        status = getattr(error, "status_code", None)
        if isinstance(error, openai.APITimeoutError):
            what = f"no answer within {self._timeout:g} s, tried {_times(tries)}"
            hint = "give it more time with --timeout, or ask fewer at once with --concurrency"
        elif isinstance(error, openai.APIConnectionError):
            what = f"cannot be reached ({_cause(error)}), tried {_times(tries)}"
            hint = "check the address and that the server runs"
        elif isinstance(error, openai.AuthenticationError | openai.PermissionDeniedError):
            # The endpoint's own words often repeat the key.
            what = f"refuses the key ({status})" if self._key else f"asks for a key ({status})"
            hint = (
                f"set {KEY_VARIABLE}, or the variable of --key-variable, "
                f"to one that may use {self.model!r}"
            )
        elif isinstance(error, openai.NotFoundError):
            what = f"knows no model {self.model!r}, or no chat at this address (404)"
            hint = "check --model and --base-url; most addresses end in /v1"
        elif isinstance(error, openai.RateLimitError):
            what = f"too many requests, or nothing left to spend (429), tried {_times(tries)}"
            hint = "ask fewer at once with --concurrency, or later; what was answered is stored"
        elif isinstance(error, openai.InternalServerError):
            words = self._words(error)
            what = f"fails ({status}), tried {_times(tries)}" + (f": {words}" if words else "")
            hint = "look at its log and run again; what was answered is stored"
        elif isinstance(error, openai.APIStatusError):
            what = f"refuses the request ({status}): {self._words(error) or 'no reason given'}"
            hint = "what was answered is stored"
        else:
            return self._malformed()
        return BackendError(what, where=self.where, hint=hint)

    def _words(self, error: Any) -> str:
        """The endpoint's own words, short and without the key; none if it gives none."""
        body = error.body
        message = body.get("message") if isinstance(body, dict) else None
        words = message if isinstance(message, str) else ""
        if self._key:
            words = words.replace(self._key, "…")
        words = " ".join(clean(words).split())
        return words if len(words) <= _LONGEST_MESSAGE else words[:_LONGEST_MESSAGE] + " …"


def clean(text: str) -> str:
    """Text that every database takes: without NUL and without halves of surrogate pairs."""
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return whole.replace("\x00", "�")


def _count(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def _times(tries: int) -> str:
    return "once" if tries == 1 else f"{tries} times"


def _cause(error: BaseException) -> str:
    """Why a connection failed, in the system's words."""
    cause = error.__cause__ or error
    return str(cause).splitlines()[0] if str(cause) else type(cause).__name__


def _shown(address: str) -> str:
    """An address without a user or password in it.

    Raises:
        BackendError: it is none.
    """
    try:
        parts = urlsplit(address)
        usable = parts.scheme in ("http", "https") and parts.hostname
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        usable, port = None, ""
    if not usable:
        raise BackendError(
            "no address of an API",
            where="base URL",
            hint="write it like http://localhost:8000/v1",
        )
    host = f"[{parts.hostname}]" if ":" in str(parts.hostname) else parts.hostname
    return urlunsplit((parts.scheme, f"{host}{port}", parts.path.rstrip("/"), "", ""))
