"""/v1/completions: texts and token ids as they are, also to score them."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response

from ethogram.serve.bodies import CompletionBody, parse
from ethogram.serve.catalogue import Served
from ethogram.serve.choices import Entry
from ethogram.serve.errors import wrong
from ethogram.serve.generating import Generating
from ethogram.serve.replies import (
    EventStream,
    json_reply,
    read_body,
    sse,
    unless_left,
    usage,
)
from ethogram.serve.service import Service, new_id

if TYPE_CHECKING:
    from ethogram.engine import Engine
    from ethogram.spec.generation import Request as EngineRequest

#: An echoed prompt: its text and, where they are asked for, its entries.
Echo = tuple[str, list[Entry]]


async def completions(request: Request) -> Response:
    """Continue texts, whole or as a stream."""
    service: Service = request.app.state.service
    body = parse(await read_body(request, service.limits.max_body), CompletionBody)
    served = service.catalogue.get(body.model)
    _check_ids(service, served, body)
    requests, token_ids = _requests(served, body)
    made = Generating(request, served, body, requests)
    rows = AsyncExitStack()
    try:
        await made.start(rows, alternatives=body.logprobs or 0, token_ids=token_ids, keeps_end=True)
        headers = made.headers
        if body.stream:
            echoes = await _echoes(made, body)
            stream = EventStream(_events(made, body, echoes), rows, headers)
            rows = AsyncExitStack()  # The stream closes them.
            return stream
        await unless_left(request, made.finish())
        echoes = await unless_left(request, _echoes(made, body))
        return json_reply(_whole(made, body, echoes), headers=headers)
    finally:
        await rows.aclose()


def _check_ids(service: Service, served: Served, body: CompletionBody) -> None:
    vocabulary = service.loop_of(served).engine.loaded.vocab_size
    for prompt in body.prompt:
        if not isinstance(prompt, str) and not all(0 <= each < vocabulary for each in prompt):
            raise wrong("prompt", f"a token id is not from 0 to {vocabulary - 1}")


def _requests(
    served: Served, body: CompletionBody
) -> tuple[list[EngineRequest], dict[str, tuple[int, ...]]]:
    decoding = body.decoding(served.version.decoding)
    found: list[EngineRequest] = []
    token_ids: dict[str, tuple[int, ...]] = {}
    for prompt in body.prompt:
        made = served.completion(
            prompt,
            decoding,
            count=body.n,
            seed=body.seed,
            prompt_id=body.metadata.get("prompt_id"),
        )
        found += made
        if not isinstance(prompt, str):
            token_ids |= {each.identity: prompt for each in made}
    return found, token_ids


async def _echoes(made: Generating, body: CompletionBody) -> list[Echo]:
    """The prompt of each choice, with log-probabilities by teacher forcing."""
    assert made.running is not None
    if not body.echo:
        return [("", []) for _ in made.choices]
    engine = made.service.loop_of(made.served).engine
    found: list[Echo] = []
    for prompt, ids in zip(body.prompt, made.running.prompts[:: body.n], strict=True):
        text = prompt if isinstance(prompt, str) else engine.text(ids)
        entries: list[Entry] = []
        if body.logprobs is not None:
            forced = partial(prompt_entries, engine, ids, body.logprobs)
            entries = await made.service.in_engine(made.served, forced)
        found += [(text, entries)] * body.n
    return found


def prompt_entries(engine: Engine, ids: tuple[int, ...], count: int) -> list[Entry]:
    """The tokens of a prompt with their log-probabilities; the first has none.

    Args:
        engine: whose model gives them; called in its thread.
        ids: of the prompt.
        count: how many of the most probable tokens beside each.
    """
    from ethogram.engine.forward.teacher_forcing import TeacherForced

    forced = TeacherForced(engine.loaded)
    own, likeliest = forced.likeliest(ids, max(count, 1)) if len(ids) > 1 else ([], [])
    entries = [Entry(ids[0], None, (), 0)]
    offset = len(engine.text(ids[:1]))
    for at, (logprob, beside) in enumerate(zip(own, likeliest, strict=True), start=1):
        entries.append(Entry(ids[at], logprob, tuple(beside[:count]), offset))
        offset += len(engine.text(ids[at : at + 1]))
    return entries


def _head(made: Generating) -> dict[str, Any]:
    return {
        "id": new_id("cmpl"),
        "object": "text_completion",
        "created": int(time.time()),
        "model": made.served.name,
        "system_fingerprint": made.served.version.identity[:16],
    }


def _logprobs(made: Generating, body: CompletionBody, entries: list[Entry], start: int) -> Any:
    if body.logprobs is None:
        return None
    lists = made.texts.completion(entries)
    lists["text_offset"] = [start + offset for offset in lists["text_offset"]]
    return lists


def _joined(first: Any, second: Any) -> Any:
    return first and {name: [*first[name], *second[name]] for name in first}


def _whole(made: Generating, body: CompletionBody, echoes: list[Echo]) -> dict[str, Any]:
    choices = []
    for index, (choice, (prompt, entries)) in enumerate(zip(made.choices, echoes, strict=True)):
        logprobs = _joined(
            _logprobs(made, body, entries, 0),
            _logprobs(made, body, choice.entries, len(prompt)),
        )
        choices.append(
            {
                "index": index,
                "text": prompt + choice.text.sent,
                "logprobs": logprobs,
                "finish_reason": choice.finish_reason,
            }
        )
    counts = usage(made.prompt_tokens, made.choices)
    return {**_head(made), "choices": choices, "usage": counts}


async def _events(
    made: Generating, body: CompletionBody, echoes: list[Echo]
) -> AsyncIterator[bytes]:
    head = _head(made)
    counted = body.stream_options is not None and body.stream_options.include_usage

    def chunk(index: int, text: str, logprobs: Any, reason: str | None) -> bytes:
        choice = {"index": index, "text": text, "logprobs": logprobs, "finish_reason": reason}
        return sse({**head, "choices": [choice], **({"usage": None} if counted else {})})

    for index, (prompt, entries) in enumerate(echoes):
        if body.echo:
            yield chunk(index, prompt, _logprobs(made, body, entries, 0), None)
    async for index, text, entries, ended in made.steps():
        if text or (entries and body.logprobs is not None):
            start = len(echoes[index][0])
            yield chunk(index, text, _logprobs(made, body, entries, start), None)
        if ended:
            yield chunk(index, "", None, made.choices[index].finish_reason)
    if counted:
        yield sse({**head, "choices": [], "usage": usage(made.prompt_tokens, made.choices)})
