"""Serving: whether generation reads what training read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ethogram.errors import RequestError
from ethogram.train.child import resolved, writes_adapter
from ethogram.train.job import Finding, Job
from ethogram.train.preflight.showing import example

if TYPE_CHECKING:
    from ethogram.models import LoadedModel
    from ethogram.spec import Request, Version
    from ethogram.train.chats import Chat

#: Conversations that are rendered both ways: the first ones, and each of another form.
_TALKS = 50


def unused_template(job: Job) -> Finding | None:
    """A version that generates without the chat template that it was trained with."""
    version = resolved(job)
    if job.recipe.version is None or version.prompt.chat:
        return None
    return Finding(
        "unused_template",
        f"{job.recipe.version} would generate without the chat template that it is trained with: "
        f"its prompt is {example(version.prompt.template)}",
        "add to the recipe: changes: {prompt: {chat: true}}",
        where=str(job.path),
    )


def served_otherwise(
    job: Job, chat: Chat, loaded: LoadedModel, talks: Sequence[Any]
) -> Finding | None:
    """A conversation of which generation reads other ids than training.

    Both ways are the real ones: the rows that are learned, and the request that the child version
    makes, prepared by the engine.

    Args:
        job: the training.
        chat: the chat format that trains.
        loaded: the parent.
        talks: conversations: `messages`, `where`.
    """
    if job.recipe.version is None:
        return None
    version = resolved(job)
    served = _served(job, chat, loaded)
    for talk in talks[:_TALKS]:
        first = next(
            (at for at, turn in enumerate(talk.messages) if turn.role == "assistant"), None
        )
        if not first:
            continue
        row = chat.rows(talk.messages[: first + 1], where=talk.where)[0]
        trained = row.source or tuple(
            token for token, learned in zip(row.ids, row.learned, strict=True) if not learned
        )
        if len(trained) >= loaded.context_length:
            continue  # Cut or refused by other checks.
        try:
            ids = _request_ids(version, talk.messages[:first], served)
        except RequestError as error:
            return Finding("served_otherwise", error.what, error.hint or "", where=talk.where)
        if ids != trained:
            return _differing(chat.tokenizer, trained, ids, talk.where)
    return None


def _differing(
    tokenizer: Any, trained: Sequence[int], served: Sequence[int], where: str
) -> Finding:
    pairs = enumerate(zip(trained, served, strict=False))
    at = next((at for at, (a, b) in pairs if a != b), min(len(trained), len(served)))
    return Finding(
        "served_otherwise",
        f"generation would read other tokens than training, from token {at} on: "
        f"{example(tokenizer.decode(served[at : at + 12]))} where training reads "
        f"{example(tokenizer.decode(trained[at : at + 12]))}",
        "give the version the prompt of the data in changes.prompt (system, template, examples), "
        "or put its system message into the data",
        where=where,
    )


def _served(job: Job, chat: Chat, loaded: LoadedModel) -> LoadedModel:
    """The model as it will be served, with the tokenizer that training saves.

    An adapter alone runs with the tokenizer of the parent.
    """
    from ethogram.models import load_tokenizer

    words = chat.tokenizer
    if writes_adapter(job) and job.parent is not None:
        words = load_tokenizer(job.parent)
    return replace(loaded, tokenizer=words, has_chat_template=bool(words.chat_template))


def _request_ids(version: Version, messages: Sequence[Any], served: LoadedModel) -> tuple[int, ...]:
    from ethogram.engine.jobs import make_jobs

    (job,) = make_jobs([_request(version, messages)], served, _Reader(served.context_length))
    return job.prompt_ids


def _request(version: Version, messages: Sequence[Any]) -> Request:
    from ethogram.spec import Decoding, Request
    from ethogram.spec.suite import ChatMessage, SuitePrompt

    turns = tuple(ChatMessage(role=turn.role, content=turn.content) for turn in messages)
    alone = len(turns) == 1 and turns[0].role == "user" and turns[0].content
    item = SuitePrompt(id="row", text=alone) if alone else SuitePrompt(id="row", messages=turns)
    prompt = version.prompt.render(item)
    # Greedy, with a token at most: only what it reads counts.
    decoding = Decoding(temperature=0, max_new_tokens=1)
    return Request("row", "row", 0, prompt, decoding, chat=version.prompt.chat_format(prompt))


@dataclass(frozen=True)
class _Reader:
    """A reader of prompts that prepares no decoder."""

    context_length: int

    def decoder_prompt(self, prompt_ids: Sequence[int]) -> tuple[int, ...]:
        return tuple(prompt_ids)
