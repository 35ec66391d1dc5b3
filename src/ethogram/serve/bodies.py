"""Bodies: what a request may hold, and what it means. Fields that are not served are refused."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from ethogram.errors import SpecError
from ethogram.serve.errors import ApiError, wrong
from ethogram.spec.decoding import Decoding
from ethogram.spec.generation import Message
from ethogram.spec.suite import ChatMessage

#: Most outputs of one request.
MOST_CHOICES = 128
#: Fields that say nothing about the output.
_IGNORED = (
    "user",
    "service_tier",
    "safety_identifier",
    "prompt_cache_key",
    "parallel_tool_calls",
)
#: Fields that are fine at the value that changes nothing.
_NEUTRAL: dict[str, tuple[Any, ...]] = {
    "best_of": (1,),
    "suffix": ("",),
    "tools": ([],),
    "functions": ([],),
    "tool_choice": ("none", "auto"),
    "modalities": (["text"],),
    "background": (False,),
    "truncation": ("disabled",),
    "include": ([],),
    "encoding_format": ("float",),
}
#: Settings of a decoding that a body may name as they are.
SETTINGS = [
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "typical_p",
    "epsilon_cutoff",
    "eta_cutoff",
    "top_n_sigma",
    "top_h",
    "repetition_penalty",
    "frequency_penalty",
    "presence_penalty",
    "no_repeat_ngram_size",
    "stop_token_ids",
    "bad_words",
    "xtc",
    "dry",
    "mirostat",
    "logit_bias",
    "response_format",
]
_Body = TypeVar("_Body", bound="Body")
_Count = Annotated[int, Field(strict=True, ge=1, le=1_000_000)]
_Seed = Annotated[int, Field(strict=True, ge=-(2**63), lt=2**64)]


class StreamOptions(BaseModel):
    """What a stream tells beside its text."""

    model_config = ConfigDict(extra="ignore")

    include_usage: bool = False


class Body(BaseModel):
    """What the bodies of all endpoints have."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str = Field(strict=True)
    metadata: dict[str, str] = Field(default_factory=dict)


class Sampled(Body):
    """What the bodies that generate text have.

    Sampling parameters replace those of the version; what is not named stays the version's.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    stream: bool = Field(False, strict=True)
    stream_options: StreamOptions | None = None
    store: bool = False
    n: int = Field(1, strict=True, ge=1, le=MOST_CHOICES)
    seed: _Seed | None = None
    max_tokens: _Count | None = None
    stop: tuple[str, ...] | None = Field(None, max_length=64)
    ignore_eos: Literal[False] = False
    min_tokens: int | None = Field(None, ge=0, strict=True)

    @field_validator("stop", mode="before")
    @classmethod
    def _one_stop_is_a_list(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @field_validator("stop")
    @classmethod
    def _stops_are_texts(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        return None if value is None else tuple(stop for stop in value if stop)

    @model_validator(mode="after")
    def _only_what_is_served(self) -> Self:
        extra = self.model_extra or {}
        for name in extra:
            if name not in SETTINGS:
                raise ValueError(f"@{name}@the parameter {name!r:.80} is not served")
        if self.stream_options is not None and not self.stream:
            raise ValueError("@stream_options@stream_options needs stream: true")
        return self

    def decoding(self, version: Decoding) -> Decoding:
        """The version's decoding with the parameters of the body.

        Raises:
            ApiError: they are out of range or contradict each other.
        """
        changes: dict[str, Any] = dict(self.model_extra or {})
        if self.max_tokens is not None:
            changes["max_new_tokens"] = self.max_tokens
        if self.min_tokens is not None:
            changes["min_new_tokens"] = self.min_tokens
        if self.stop is not None:
            changes["stop"] = self.stop
        if "logit_bias" in changes:
            changes["logit_bias"] = _bias(changes["logit_bias"])
        if changes.get("top_k") == -1:  # vLLM's way to say off.
            changes["top_k"] = 0
        if "response_format" in changes:
            changes["response_format"] = _without_nulls(changes["response_format"])
        if not changes:
            return version
        if "temperature" in changes and version.strategy in ("greedy", "sample"):
            changes["strategy"] = None
        try:
            return Decoding.model_validate({**version.model_dump(), **changes})
        except ValidationError as error:
            first = error.errors()[0]
            where = [str(each) for each in first["loc"]]
            name = {"max_new_tokens": "max_tokens"}.get(where[0], where[0]) if where else None
            raise wrong(name, _said(first["msg"])) from None
        except SpecError as error:
            raise wrong(None, error.what) from None


class ChatBody(Sampled):
    """A body of /v1/chat/completions."""

    messages: tuple[Message, ...]
    logprobs: bool = Field(False, strict=True)
    top_logprobs: int = Field(0, strict=True, ge=0, le=20)

    @model_validator(mode="before")
    @classmethod
    def _limits_have_one_name(cls, data: Any) -> Any:
        if "max_completion_tokens" in data:
            data = dict(data)
            data["max_tokens"] = data.pop("max_completion_tokens")
        return data

    @field_validator("messages", mode="before")
    @classmethod
    def _messages_are_read(cls, value: Any) -> Any:
        return read_messages(value)

    @model_validator(mode="after")
    def _top_needs_logprobs(self) -> Self:
        if self.top_logprobs and not self.logprobs:
            raise ValueError("@top_logprobs@top_logprobs needs logprobs: true")
        return self


class CompletionBody(Sampled):
    """A body of /v1/completions."""

    prompt: tuple[str | tuple[int, ...], ...]
    echo: bool = Field(False, strict=True)
    logprobs: int | None = Field(None, ge=0, le=20)

    @field_validator("logprobs", mode="before")
    @classmethod
    def _a_boolean_asks_for_none_beside(cls, value: Any) -> Any:
        return {True: 0, False: None}[value] if isinstance(value, bool) else value

    @field_validator("prompt", mode="before")
    @classmethod
    def _prompts_are_a_list(cls, value: Any) -> Any:
        if isinstance(value, str) or (
            isinstance(value, list) and value and all(_is_id(each) for each in value)
        ):
            value = [value]
        if not isinstance(value, list) or not value:
            raise ValueError("the prompt is a text, token ids, or a list of these; none is empty")
        if len(value) > 2048:
            raise ValueError("at most 2048 prompts")
        for each in value:
            is_ids = isinstance(each, list) and all(_is_id(token) for token in each)
            if not each or not (isinstance(each, str) or is_ids):
                raise ValueError("a prompt is a text or a list of token ids, and not empty")
        return tuple(each if isinstance(each, str) else tuple(each) for each in value)


class ResponsesBody(Sampled):
    """A body of /v1/responses."""

    messages: tuple[Message, ...]

    @model_validator(mode="before")
    @classmethod
    def _input_is_messages(cls, data: Any) -> Any:
        data = dict(data)
        if data.get("previous_response_id") is not None:
            raise ValueError("@previous_response_id@replies are not kept; send the whole input")
        if "messages" in data or "n" in data:
            name = "messages" if "messages" in data else "n"
            raise ValueError(f"@{name}@the parameter {name!r} is not served here")
        if "max_output_tokens" in data:
            data["max_tokens"] = data.pop("max_output_tokens")
        given = data.pop("input", None)
        instructions = data.pop("instructions", None)
        if "response_format" in data:
            raise ValueError("@response_format@this endpoint takes a format as text.format")
        data["response_format"] = _format_of(data.pop("text", None))
        turns = [{"role": "user", "content": given}] if isinstance(given, str) else given
        if not isinstance(turns, list) or not turns:
            raise ValueError("@input@the input is a text or a list of messages")
        turns = [_plain_item(turn) for turn in turns]
        if instructions is not None:
            turns = [{"role": "system", "content": instructions}, *turns]
        data["messages"] = read_messages(turns, "input")
        return {name: value for name, value in data.items() if value is not None}


class EmbeddingsBody(Body):
    """A body of /v1/embeddings."""

    input: tuple[str, ...]
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: None = None

    @field_validator("input", mode="before")
    @classmethod
    def _inputs_are_a_list(cls, value: Any) -> Any:
        value = [value] if isinstance(value, str) else value
        texts = isinstance(value, list) and all(isinstance(each, str) and each for each in value)
        if not texts or not value or len(value) > 2048:
            raise ValueError("the input is a text or a list of up to 2048 texts; none is empty")
        return tuple(value)


def parse(raw: bytes, kind: type[_Body]) -> _Body:
    """Read a body.

    Raises:
        ApiError: it is no JSON object, a field is wrong, or one is not served.
    """
    try:
        data = json.loads(raw.decode("utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise wrong(None, "the body is not valid JSON") from None
    if not isinstance(data, dict):
        raise wrong(None, "the body is not a JSON object")
    try:
        json.dumps(data, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise wrong(None, "a text holds half of a surrogate pair, which is no character") from None
    try:
        return kind.model_validate(_asked(data, kind))
    except ValidationError as error:
        raise _explained(error) from None
    except RecursionError:
        raise wrong(None, "the body is nested too deep") from None


def _asked(data: Mapping[str, Any], kind: type[Body]) -> dict[str, Any]:
    """What a body asks for: nulls are unset, and neutral values say nothing."""
    asked = {}
    for name, value in data.items():
        if value is None or name in _IGNORED:
            continue
        if name in _NEUTRAL and name not in kind.model_fields:
            if any(value == neutral for neutral in _NEUTRAL[name]):
                continue
            raise wrong(name, f"the parameter {name!r} is not supported with this value")
        if name == "metadata" and not isinstance(value, dict):
            raise wrong(name, "metadata is an object of texts")
        asked[name] = value
    return asked


def read_messages(value: Any, name: str = "messages") -> tuple[Message, ...]:
    """The turns of a conversation; further fields of a message are ignored.

    Raises:
        ValueError: they are not a list of messages with texts.
    """
    if not isinstance(value, list) or not value:
        raise ValueError(f"@{name}@{name} is a list of messages, at least one")
    turns = []
    for at, each in enumerate(value):
        where = f"{name}[{at}]"
        if not isinstance(each, dict):
            raise ValueError(f"@{where}@a message is an object with role and content")
        if each.get("tool_calls"):
            raise ValueError(f"@{where}@tool calls are not supported")
        try:
            turn = ChatMessage.model_validate(
                {"role": each.get("role"), "content": each.get("content")}, strict=True
            )
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(map(str, first["loc"])) or "message"
            kind = "invalid message content type" if "content" in field else "invalid role"
            raise ValueError(f"@{where}.{field}@{kind}: {_said(first['msg'])}") from None
        turns.append(Message(turn.role, turn.content))
    return tuple(turns)


def _without_nulls(form: Any) -> Any:
    """A response format without fields that are null, which some clients send; schemas stay."""
    if isinstance(form, dict) and isinstance(form.get("json_schema"), dict):
        inner = {name: each for name, each in form["json_schema"].items() if each is not None}
        return {**form, "json_schema": inner}
    return form


def _format_of(text: Any) -> Any:
    """The response format that `text` of /v1/responses holds, as chat completions write it."""
    if text is None:
        return None
    if not isinstance(text, dict) or set(text) - {"format"}:
        raise ValueError("@text@text is an object with a format, and nothing else is served of it")
    form = text.get("format")
    if not isinstance(form, dict) or form.get("type") != "json_schema":
        return form
    inner = {name: value for name, value in form.items() if name != "type" and value is not None}
    return {"type": "json_schema", "json_schema": inner}


def _plain_item(item: Any) -> Any:
    """An item of /v1/responses as a chat's message; its parts are texts under other names."""
    if not isinstance(item, dict) or not isinstance(item.get("content"), list):
        return item
    kinds = ("input_text", "output_text")
    parts = [
        {**part, "type": "text"} if isinstance(part, dict) and part.get("type") in kinds else part
        for part in item["content"]
    ]
    return {**item, "content": parts}


def _explained(error: ValidationError) -> ApiError:
    first = error.errors()[0]
    where, message = ".".join(str(each) for each in first["loc"][:1]), _said(first["msg"])
    if message.startswith("@"):
        _, where, message = message.split("@", 2)
    if first["type"] == "extra_forbidden":
        message = f"the parameter {where!r:.80} is not served"
    elif first["type"] == "missing":
        message = f"{where} is missing"
    return wrong(where or None, message)


def _said(message: str) -> str:
    return message.removeprefix("Value error, ")


def _bias(value: Any) -> dict[int, float]:
    if not isinstance(value, dict) or len(value) > 1024:
        raise wrong("logit_bias", "logit_bias is an object of token ids and numbers")
    try:
        return {int(token): float(bias) for token, bias in value.items()}
    except (TypeError, ValueError):
        raise wrong("logit_bias", "logit_bias is an object of token ids and numbers") from None


def _is_id(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _no_constant(name: str) -> None:
    raise ValueError(name)
