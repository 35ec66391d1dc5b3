"""From a version and a suite to requests: what has to be generated, once each."""

from __future__ import annotations

from ethogram.spec.generation import Message, Request
from ethogram.spec.identity import digest, noise_key
from ethogram.spec.suite import Suite
from ethogram.spec.version import Version


def make_requests(
    version: Version,
    suite: Suite,
    *,
    samples: int,
    seed: int,
    model_identity: str,
    independent_noise: bool = False,
) -> list[Request]:
    """One request per prompt and sample index, in the order of the suite.

    A deterministic decoding gives one request per prompt: every sample would be the same.

    Args:
        version: resolved.
        suite: its prompts.
        samples: sample indices 0..samples-1.
        seed: the study's seed.
        model_identity: what tells these weights from all others.
        independent_noise: key the noise by the version too, so that versions do not share luck.
    """
    decoding = version.effective_decoding()
    prompt_form = {"chat": version.prompt.chat}
    base = {"model": model_identity, "decoding": decoding.canonical(), "prompt": prompt_form}
    scope = version.identity if independent_noise else ""
    requests = []
    for item in suite.prompts:
        prompt = version.prompt.render(item)
        for index in range(samples if decoding.is_stochastic else 1):
            key = noise_key(seed, scope, item.id, index) if decoding.is_stochastic else None
            identity = digest({**base, "input": _input_form(prompt), "noise": key})
            requests.append(Request(identity, item.id, index, prompt, decoding, key))
    return requests


def _input_form(prompt: str | tuple[Message, ...]) -> str | list[list[str]]:
    if isinstance(prompt, str):
        return prompt
    return [[message.role, message.content] for message in prompt]
