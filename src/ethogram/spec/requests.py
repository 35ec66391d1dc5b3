"""From a version and a suite to requests: what has to be generated, once each."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ethogram.spec.generation import ChatFormat, Message, Request
from ethogram.spec.guidance import Amateur
from ethogram.spec.identity import digest_of, noise_keys
from ethogram.spec.suite import Suite
from ethogram.spec.version import Version

#: Given a prompt's id, messages and format: its finished text, or None.
Finish = Callable[[str, tuple[Message, ...], ChatFormat], str | None]


def make_requests(
    version: Version,
    suite: Suite,
    *,
    samples: int,
    seed: int,
    model_identity: str,
    amateur_identity: str | None = None,
    independent_noise: bool = False,
    finish: Finish | None = None,
) -> list[Request]:
    """One request per prompt and sample index, in the order of the suite.

    A deterministic decoding gives one request per prompt: every sample would be the same.

    Args:
        version: resolved.
        suite: its prompts.
        samples: sample indices 0..samples-1.
        seed: the study's seed.
        model_identity: digest of the weights.
        amateur_identity: the same of the decoding's amateur; None where it has none.
        independent_noise: key the noise by the version too, so that versions share no random
            numbers; always so under another backend than the engine.
        finish: makes the text of a chat where it is not the same on every day, so that the text is
            part of the identity; returns None where it is.

    Raises:
        ValueError: the decoding has an amateur, and its identity is not given.
    """
    decoding = version.effective_decoding()
    decoding_form = decoding.canonical()
    if isinstance(decoding.guidance_branch, Amateur):
        if amateur_identity is None:
            raise ValueError(
                f"amateur_identity is needed: the amateur is {decoding.contrastive.amateur}"
            )
        # As with the model itself, what counts is the weights and not what they are called.
        decoding_form["view"]["amateur"]["model"] = amateur_identity
    prompt_form = {"chat": version.prompt.chat}
    base: dict[str, Any] = {
        "model": model_identity,
        "decoding": decoding_form,
    }
    wrapper = None if version.wrapper.is_plain else version.wrapper
    if wrapper is not None:
        base["wrapper"] = wrapper.canonical()
    if version.backend != "engine":
        base["backend"] = version.backend
    # Only the engine's noise is keyed token by token; what one seed shares elsewhere is unknown.
    is_apart = independent_noise or version.backend != "engine"
    scope = version.identity if is_apart else ""
    requests = []
    for item in suite.prompts:
        prompt = version.prompt.render(item)
        chat = version.prompt.chat_format(prompt)
        if finish is not None and not isinstance(prompt, str):
            chat = replace(chat, text=finish(item.id, prompt, chat))
        form = {**base, "prompt": prompt_form | _chat_form(chat), "input": _input_form(prompt)}
        identify = digest_of(form, "noise")
        draw = noise_keys(seed, scope, item.id)
        for index in range(samples if decoding.is_stochastic else 1):
            key = draw(index) if decoding.is_stochastic else None
            requests.append(
                Request(identify(key), item.id, index, prompt, decoding, key, chat, wrapper)
            )
    return requests


def _chat_form(chat: ChatFormat) -> dict[str, Any]:
    """What a chat's format adds to the identity: nothing where it is the plain one."""
    form: dict[str, Any] = {}
    if chat.arguments != "{}":
        form["template_args"] = json.loads(chat.arguments)
    if chat.continues:
        form["continues"] = True
    if chat.text is not None:
        form["text"] = chat.text
    return form


def _input_form(prompt: str | tuple[Message, ...]) -> str | list[list[str]]:
    if isinstance(prompt, str):
        return prompt
    return [[message.role, message.content] for message in prompt]
