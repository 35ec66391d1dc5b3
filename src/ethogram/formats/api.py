"""Responses of APIs, and batches of them: OpenAI (chat, completions, responses), Anthropic, Gemini.

The prompt is not in a response; a batch's `custom_id` is the prompt's id.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ethogram.formats.base import Fields, Row, Shape, Value, stateless
from ethogram.formats.content import TOOL_CALL, answer_of, prompt_of, reason_of, text_of


def _is_response(data: Fields) -> bool:
    return (
        _has_choices(data)
        or _listed(data, "candidates", "content")
        or (data.get("object") == "response" and isinstance(data.get("output"), list))
        or (data.get("type") == "message" and isinstance(data.get("content"), list))
    )


def _has_choices(data: Fields) -> bool:
    return _listed(data, "choices", "message") or _listed(data, "choices", "finish_reason")


def _listed(data: Fields, name: str, inner: str) -> bool:
    """Whether a field is a list of objects that have a field."""
    rows = data.get(name)
    is_list = isinstance(rows, list) and bool(rows)
    return is_list and all(isinstance(row, dict) and inner in row for row in rows or ())


def answers(body: Fields) -> Iterator[tuple[Fields, str | None]]:
    """The outputs of one response, each with why it has no text, if it has none."""
    if _has_choices(body):
        for choice in body["choices"]:
            text, problem = choice.get("text"), None
            if not isinstance(text, str):
                text, problem = answer_of(choice.get("message"))
            reason = choice.get("finish_reason", choice.get("stop_reason"))
            logprobs = choice.get("logprobs")
            yield {"text": text, "finish_reason": reason, "logprobs": logprobs}, problem
    elif _listed(body, "candidates", "content"):
        for candidate in body["candidates"]:
            text, problem = answer_of(candidate.get("content"))
            yield {"text": text, "finish_reason": candidate.get("finishReason")}, problem
    elif isinstance(body.get("output"), list):
        yield _of_responses(body)
    elif isinstance(body.get("content"), list):
        text, problem = answer_of({"content": body["content"]})
        yield {"text": text, "finish_reason": body.get("stop_reason")}, problem
    else:
        yield {}, "the response has no answer"


def _of_responses(body: Fields) -> tuple[Fields, str | None]:
    """The answer of OpenAI's Responses API: the text of its messages."""
    items = [item for item in body["output"] if isinstance(item, dict)]
    said = [text_of(item.get("content")) for item in items if item.get("type") == "message"]
    texts = [text for text in said if text is not None]
    details = body.get("incomplete_details")
    reason = details.get("reason") if isinstance(details, dict) else body.get("status")
    if texts:
        return {"text": "".join(texts), "finish_reason": reason}, None
    called = any("call" in str(item.get("type")) for item in items)
    return {}, TOOL_CALL if called else "the response has no answer"


def _rows(value: Value, body: Fields, known: Fields) -> Iterator[Row]:
    """The outputs of one response as rows."""
    model = body.get("model") or body.get("modelVersion")
    group = model if isinstance(model, str) else None
    for fields, problem in answers(body):
        yield value.row({**known, **fields}, group=group, problem=problem)


def _response(value: Value) -> Iterator[Row]:
    data = value.data
    known = {key: data[key] for key in ("prompt_id", "sample", "prompt") if key in data}
    yield from _rows(value, data, known)


def _is_batch(data: Fields) -> bool:
    return "custom_id" in data and bool({"response", "error", "result", "body"} & data.keys())


def _batch(value: Value) -> Iterator[Row]:
    """A line of a batch's output, or of its input, which has a prompt only."""
    data = value.data
    known = {"prompt_id": data["custom_id"]}
    request = data.get("body") or data.get("params")
    if isinstance(request, dict) and not {"response", "result"} & data.keys():
        prompt = prompt_of(request.get("messages", request.get("prompt", request.get("input"))))
        yield value.row({**known, "prompt": prompt}, problem="a batch's input has no output")
        return
    response, error = data.get("response"), data.get("error")
    body: Any = response.get("body", response) if isinstance(response, dict) else None
    result = data.get("result")
    if isinstance(result, dict):
        body, error = result.get("message"), result.get("error") or error
        if not isinstance(body, dict) and not error:
            error = result.get("type")
    status = response.get("status_code", 200) if isinstance(response, dict) else 200
    if isinstance(body, dict) and (body.get("error") or status != 200):
        error = body.get("error") or error or f"status {status}"
    if error or not isinstance(body, dict):
        problem = f"the request failed: {reason_of(error)}" if error else "response: null"
        yield value.row(known, problem=problem)
        return
    yield from _rows(value, body, known)


BATCH = Shape("batch", "output of a batch (OpenAI, Anthropic)", _is_batch, stateless(_batch))
RESPONSE = Shape(
    "response", "API responses (OpenAI, Anthropic, Gemini)", _is_response, stateless(_response)
)
