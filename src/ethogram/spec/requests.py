"""From a version and a suite to requests: what has to be generated, once each."""

from __future__ import annotations

from ethogram.spec.generation import Message, Request
from ethogram.spec.identity import digest, noise_key
from ethogram.spec.suite import Suite
from ethogram.spec.version import Version
from ethogram.spec.views import Amateur


def make_requests(
    version: Version,
    suite: Suite,
    *,
    samples: int,
    seed: int,
    model_identity: str,
    amateur_identity: str | None = None,
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
        amateur_identity: the same of the decoding's amateur; None where it has none.
        independent_noise: key the noise by the version too, so that versions do not share luck.

    Raises:
        ValueError: the decoding has an amateur, and its identity is not given.
    """
    decoding = version.effective_decoding()
    decoding_form = decoding.canonical()
    if isinstance(decoding.second_view, Amateur):
        if amateur_identity is None:
            raise ValueError(f"amateur_identity is needed: the amateur is {decoding.amateur}")
        # As with the model itself, what counts is the weights and not what they are called.
        decoding_form["view"]["amateur"]["model"] = amateur_identity
    prompt_form = {"chat": version.prompt.chat}
    base = {"model": model_identity, "decoding": decoding_form, "prompt": prompt_form}
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
