"""Client: the openai package bounded in time and size, and its failures in one line each.

Answers are untrusted: their size and time are bounded, redirects are not followed, and their text
is cleaned of characters that no database takes.
"""

from __future__ import annotations

import time
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ethogram.backends.addresses import check_connections
from ethogram.backends.asking import Retry
from ethogram.backends.endpoint import DEFAULT_URL, KEY_VARIABLE, Endpoint, shown_address
from ethogram.errors import BackendError
from ethogram.extras import require

#: Local servers mostly need no key, but the client has to send one.
_NO_KEY = "none"
#: Bytes of an answer that are read; a reply of 200 000 characters is far below.
MOST_BYTES = 8_000_000
#: Characters of a reply that are kept.
LONGEST_REPLY = 200_000
#: Characters of an endpoint's own message that an error quotes.
_LONGEST_MESSAGE = 200


@dataclass(frozen=True, slots=True)
class Hints:
    """How the user sets what an error speaks of.

    Attributes:
        key: where the key comes from.
        model: where the model and the address come from.
        timeout: how to give an answer more time.
        concurrency: how to send fewer requests at once.
        stored: what is stored of the replies so far.
    """

    key: str
    model: str
    timeout: str
    concurrency: str
    stored: str


class Connection:
    """A connection to one model of one endpoint.

    Args:
        model: its name at the endpoint.
        endpoint: where and how.
        hints: for errors.
        extra: of the package, for the error that it is missing.

    Raises:
        MissingExtraError: the openai package is not installed.
        BackendError: no usable address, or no key for OpenAI's own endpoint.
    """

    def __init__(self, model: str, endpoint: Endpoint, hints: Hints, *, extra: str) -> None:
        openai: Any = require("openai", extra=extra, needed_for="a model at an endpoint")
        self.where, self.model = shown_address(endpoint.address), model
        self.timeout = endpoint.timeout
        self._openai, self._hints = openai, hints
        self._key = endpoint.api_key or ""
        if not self._key and self.where == DEFAULT_URL:
            raise BackendError("no key", where=self.where, hint=hints.key)
        timeout = openai.Timeout(endpoint.timeout, connect=min(endpoint.timeout, 10.0))
        http = _bounded_client(timeout, endpoint)
        weakref.finalize(self, http.close).atexit = False
        self.openai = openai.OpenAI(
            api_key=self._key or _NO_KEY,
            base_url=endpoint.address,
            timeout=timeout,
            max_retries=0,
            http_client=http,
            default_headers={"Accept-Encoding": "identity"},
        )
        if self.where != DEFAULT_URL:
            # The package would send these from the environment to any endpoint.
            self.openai.organization = self.openai.project = None

    def close(self) -> None:
        """Close the connections."""
        self.openai.close()

    def refused_settings(self, error: Exception, names: tuple[str, ...]) -> set[str]:
        """Which of these parameters a refusal (400) names."""
        if not isinstance(error, self._openai.BadRequestError):
            return set()
        words = str(error)
        return {name for name in names if f"'{name}'" in words or f'"{name}"' in words}

    def malformed(self, what: str = "the response is not a completion") -> BackendError:
        """The error for an answer that is something else."""
        return BackendError(
            what,
            where=self.where,
            hint="check the address; most end in /v1",
        )

    def hanging(self) -> BackendError:
        """The error for a server that does not answer in time."""
        return BackendError(
            f"no answer within {self.timeout:g} s",
            where=self.where,
            hint=f"{self._hints.timeout}, or {self._hints.concurrency}; {self._hints.stored}",
        )

    def failed(self, error: Exception, tries: int) -> Retry:
        """What to do after an exception of the package, and what to tell the user."""
        openai = self._openai
        if isinstance(error, BackendError):
            return Retry(error, may_pass=True, charged=True, most=1)
        if isinstance(error, openai.APITimeoutError):
            return Retry(self.hanging(), may_pass=True, timed_out=True, charged=True)
        if isinstance(error, openai.APIConnectionError):
            cause = error.__cause__
            if isinstance(cause, BackendError):  # The address of a name is refused.
                return Retry(cause, may_pass=False)
            cut = type(cause).__name__ in ("ReadError", "RemoteProtocolError")
            found = self._error(
                f"unreachable ({_cause(error)}), tried {_times(tries)}",
                "check the address and that the server runs",
            )
            return Retry(found, may_pass=True, charged=cut)
        if isinstance(error, openai.APIStatusError):
            found = self._status_error(error, tries)
            passes = error.status_code in (408, 409, 429) or error.status_code >= 500
            should = error.response.headers.get("x-should-retry")
            if should in ("true", "false"):
                passes = should == "true"
            return Retry(found, may_pass=passes, after=_retry_after(error.response.headers))
        # A body that is declared JSON and is not, an event of a stream that is an error, …
        return Retry(self.malformed(), may_pass=True, charged=True, most=1)

    def _error(self, what: str, hint: str) -> BackendError:
        return BackendError(what, where=self.where, hint=hint)

    def _status_error(self, error: Any, tries: int) -> BackendError:
        status, hints = error.status_code, self._hints
        words = self._message(error)
        if status in (401, 403):  # The endpoint's own message often repeats the key.
            what = f"refuses the key ({status})" if self._key else f"requires a key ({status})"
            return self._error(what, hints.key)
        if status == 404:
            what = f"no model {self.model!r}, or no such API, at this address (404)"
            return self._error(what, f"{hints.model}; most addresses end in /v1")
        if status == 429:
            what = f"too many requests or quota exceeded (429), tried {_times(tries)}"
            return self._error(what, f"{hints.concurrency}, or try again later; {hints.stored}")
        if status >= 500:
            what = f"fails ({status}), tried {_times(tries)}" + (f": {words}" if words else "")
            return self._error(what, f"check its log and run again; {hints.stored}")
        if status < 400:
            what = f"answers with a redirect ({status}), which is not followed"
            return self._error(what, f"{hints.model} as it is at last")
        return self._error(
            f"refuses the request ({status}): {words or 'no reason given'}", hints.stored
        )

    def _message(self, error: Any) -> str:
        """The endpoint's own message, short and without the key; may be empty."""
        body = error.body
        message = body.get("message") if isinstance(body, dict) else None
        words = message if isinstance(message, str) else ""
        if self._key:
            words = words.replace(self._key, "…")
        words = " ".join(clean(words).split())
        return words if len(words) <= _LONGEST_MESSAGE else words[:_LONGEST_MESSAGE] + " …"


def _bounded_client(timeout: Any, endpoint: Endpoint) -> Any:
    """An HTTP client that follows no redirect, and ends an answer that is too long or too slow."""
    import httpx2

    class Bounded(httpx2.SyncByteStream):
        def __init__(self, stream: Any, deadline: float) -> None:
            self._stream, self._deadline = stream, deadline

        def __iter__(self) -> Iterator[bytes]:
            size = 0
            for chunk in self._stream:
                size += len(chunk)
                if time.monotonic() > self._deadline:
                    raise httpx2.ReadTimeout("the answer takes too long")
                if size > MOST_BYTES:
                    raise httpx2.ReadError(f"the answer has more than {MOST_BYTES} bytes")
                yield chunk

        def close(self) -> None:
            self._stream.close()

    def start(request: Any) -> None:
        request.extensions["deadline"] = time.monotonic() + endpoint.timeout

    def bound(response: Any) -> None:
        if response.headers.get("content-encoding", "identity") != "identity":
            # A few bytes can unpack to gigabytes.
            raise httpx2.ReadError("the answer is compressed, which was not asked for")
        response.stream = Bounded(response.stream, response.request.extensions["deadline"])

    client = httpx2.Client(
        timeout=timeout,
        limits=httpx2.Limits(max_connections=endpoint.concurrency + 8),
        follow_redirects=False,
        event_hooks={"request": [start], "response": [bound]},
    )
    check_connections(client, shown_address(endpoint.address))
    return client


def clean(text: str) -> str:
    """Text without NUL and unpaired surrogates, which databases refuse."""
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return whole.replace("\x00", "�")


def token_count(value: Any) -> int:
    """A count that an endpoint reports; zero for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def _retry_after(headers: Any) -> float | None:
    """Seconds that the endpoint asks to wait, if it says so in seconds."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        try:
            seconds = float(headers.get(name, "")) / unit
        except ValueError:
            continue
        if seconds >= 0:
            return seconds
    return None


def _times(tries: int) -> str:
    return "once" if tries == 1 else f"{tries} times"


def _cause(error: BaseException) -> str:
    """Why a connection failed, as the system reports it."""
    cause = error.__cause__ or error
    return str(cause).splitlines()[0] if str(cause) else type(cause).__name__


#: Where the options of `ethogram judge` are set.
JUDGE_HINTS = Hints(
    key=f"set {KEY_VARIABLE}, or the variable of --key-variable",
    model="check --model and --base-url",
    timeout="give it more time with --timeout",
    concurrency="lower --concurrency",
    stored="replies so far are stored",
)
