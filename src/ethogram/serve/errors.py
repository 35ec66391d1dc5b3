"""Errors in the shape that OpenAI's clients read; none shows a prompt or a path."""

from __future__ import annotations

from typing import Any

from ethogram.errors import EthogramError, PromptTooLongError, RequestError

#: The kind of an error by its status; see OpenAI's reference of error codes.
_KINDS = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
}


class ApiError(Exception):
    """The answer to a request that is not served.

    Args:
        status: of the response.
        message: one sentence.
        param: the field of the body that is meant.
        code: machine-readable, where clients know one.
        retry_after: seconds after which another try makes sense.
        headers: further ones of the response.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        retry_after: int | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.param, self.code = status, message, param, code
        self.headers = dict(headers or {})
        if retry_after is not None:
            self.headers["retry-after"] = str(retry_after)

    @property
    def body(self) -> dict[str, Any]:
        """The JSON of the response."""
        fallback = "invalid_request_error" if self.status < 500 else "api_error"
        return {
            "error": {
                "message": self.message,
                "type": _KINDS.get(self.status, fallback),
                "param": self.param,
                "code": self.code,
            }
        }


def wrong(param: str | None, message: str) -> ApiError:
    """A field of the body is wrong."""
    return ApiError(400, message, param=param)


def refused(error: EthogramError) -> ApiError:
    """A request that the engine refuses. The message names settings and numbers, never a file."""
    if isinstance(error, PromptTooLongError):
        message = f"This model's maximum context length is exceeded: {error.what}"
        return ApiError(400, message, code="context_length_exceeded")
    if not isinstance(error, RequestError):
        return ApiError(500, "the model could not be run")
    where = error.where or ""
    param = where.removeprefix("decoding.") if where.startswith("decoding.") else None
    return wrong({"max_new_tokens": "max_tokens"}.get(param or "", param), error.what)


def not_found(name: str) -> ApiError:
    """No version has the name."""
    shown = "".join(each if each.isprintable() else "�" for each in name[:100])
    return ApiError(
        404, f"The model {shown!r} does not exist", param="model", code="model_not_found"
    )
