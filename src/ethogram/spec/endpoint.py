"""Endpoint: versions whose model is behind an API, and what such an API cannot take or tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from ethogram.spec.decoding import Decoding
from ethogram.spec.identity import digest
from ethogram.spec.steps import STEPS
from ethogram.spec.vllm import VLLM, Refusal, Taker, refusal

if TYPE_CHECKING:
    from ethogram.spec.version import Version

#: What the name of a model at an endpoint begins with.
PREFIX = "openai:"
#: Whose parameters an endpoint takes: OpenAI's alone, or those and more of vLLM or llama.cpp.
Api = Literal["openai", "vllm", "llamacpp"]
#: Most stop strings that OpenAI's API takes.
MOST_STOPS = 4
#: `bad_words` needs the tokenizer, which is needed to know how the server spells them.
_VLLM_STEPS = {name: bounds for name, bounds in VLLM.bounds.items() if name != "bad_words"}
TAKERS: dict[str, Taker] = {
    "openai": Taker(
        "OpenAI's API",
        "vllm",
        {
            "temperature": (0.0, 2.0),
            "top_p": None,
            "frequency_penalty": (-2.0, 2.0),
            "presence_penalty": (-2.0, 2.0),
            "logit_bias": None,
        },
    ),
    "vllm": Taker("vLLM's API", "vllm", _VLLM_STEPS),
    "llamacpp": Taker(
        "llama.cpp's API",
        "llamacpp",
        {"temperature": None, "top_k": None, "top_p": None, "min_p": None, "logit_bias": None},
    ),
}


@dataclass(frozen=True, slots=True)
class RemoteModel:
    """A model at an endpoint.

    Attributes:
        name: at the endpoint.
        base_url: address of the API; None is that of the environment.
        api: whose parameters it takes.
    """

    name: str
    base_url: str | None = None
    api: Api = "openai"

    @property
    def identity(self) -> str:
        """What keys its generations: names only, since the weights are not known."""
        return f"endpoint:{digest([self.name, self.base_url or '', self.api])}"


def is_remote(model: str) -> bool:
    """Whether a version's model is at an endpoint."""
    return model.startswith(PREFIX)


def remote_model(version: Version) -> RemoteModel:
    """The model of a version whose model is at an endpoint."""
    return RemoteModel(version.model.removeprefix(PREFIX), version.base_url, version.api)


def check_url(value: str) -> str:
    """The address without a slash at its end.

    Raises:
        ValueError: not an address, or one with a secret in it, which would be stored.
    """
    try:
        parts = urlsplit(value)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname)
        has_secret = parts.username is not None or parts.password is not None or bool(parts.query)
    except ValueError:
        usable = has_secret = False
    if not usable or parts.fragment:
        raise ValueError("not an API address; write it like http://localhost:8000/v1")
    if has_secret:
        raise ValueError(
            "an address with a user, password or query; keys come from the environment only, see "
            "ETHOGRAM_ENDPOINT in docs/endpoints.md"
        )
    return value.rstrip("/")


def endpoint_refusal(version: Version) -> Refusal | None:
    """The first setting of a version that its endpoint cannot take; None if there is none.

    The setting's name is dotted, from the version on.
    """
    return (
        _local_only(version)
        or _of_prompt(version)
        or _of_wrapper(version)
        or decoding_refusal(version.effective_decoding(), version.api)
    )


def _local_only(version: Version) -> Refusal | None:
    for name, off in (("revision", "null"), ("adapter", "null"), ("dtype", "float32")):
        if getattr(version, name) not in (None, "float32"):
            return Refusal(name, "the endpoint decides it", f"set `{name}: {off}`")
    return None


def _of_prompt(version: Version) -> Refusal | None:
    prompt = version.prompt
    if prompt.template_args:
        return Refusal(
            "prompt.template_args",
            "an endpoint takes no arguments of the model's chat template",
            "set `template_args: {}`",
        )
    if prompt.continue_final:
        return Refusal(
            "prompt.continue_final",
            "an endpoint cannot continue a message of the assistant",
            "set `continue_final: null`",
        )
    return None


def _of_wrapper(version: Version) -> Refusal | None:
    wrapper = version.wrapper
    if wrapper.retry is not None and wrapper.retry.decoding:
        merged = {**version.decoding.model_dump(), **wrapper.retry.decoding}
        found = decoding_refusal(Decoding.model_validate(merged), version.api)
        if found is not None:
            return found._replace(setting="wrapper.retry")
    for name, is_on, what, off in (
        ("loop_breaker", wrapper.loop_breaker is not None, "takes no forced first tokens", "null"),
        ("history_tokens", wrapper.history_tokens is not None, "counts no tokens", "null"),
        ("confidence", wrapper.confidence, "is not asked for token probabilities", "false"),
        ("candidates", wrapper.candidates > 1, "is not asked for token probabilities", "1"),
    ):
        if is_on:
            return Refusal(f"wrapper.{name}", f"an endpoint {what}", f"set `{name}: {off}`")
    return None


def decoding_refusal(decoding: Decoding, api: Api) -> Refusal | None:
    """The same of a decoding."""
    found = refusal(decoding, TAKERS[api])
    if found is None and decoding.candidates > 1:
        name = "best_of" if decoding.best_of > 1 else "self_consistency"
        found = Refusal(name, "an endpoint gives one output a request", f"set `{name}: 1`")
    if found is None and decoding.stop_token_ids and api != "vllm":
        what = f"{TAKERS[api].name} takes no token ids that end an output"
        found = Refusal("stop_token_ids", what, "use `stop`, or `api: vllm` where that is served")
    if found is None and api == "openai" and len(decoding.stop) > MOST_STOPS:
        what = f"OpenAI's API takes {MOST_STOPS} stop strings, and here are {len(decoding.stop)}"
        found = Refusal("stop", what, "leave some out, the prompt's own among them")
    return None if found is None else found._replace(setting=f"decoding.{found.setting}")


def parameters(decoding: Decoding, api: Api, seed: int | None) -> dict[str, Any]:
    """The parameters of a request, what is off stated too where servers have other defaults.

    vLLM takes its defaults from the model's files; llama.cpp cuts to the 40 most probable tokens.
    """
    active = decoding.active_step_names()
    found: dict[str, Any] = {
        "max_tokens": decoding.max_new_tokens,
        "temperature": decoding.temperature if decoding.is_stochastic else 0.0,
        "top_p": decoding.top_p if "top_p" in active else 1.0,
    }
    for name in ("frequency_penalty", "presence_penalty"):
        if name in active:
            found[name] = getattr(decoding, name)
    if "logit_bias" in active:
        found["logit_bias"] = {str(token): bias for token, bias in decoding.logit_bias.items()}
    if decoding.stop:
        found["stop"] = list(decoding.stop)
    if seed is not None:
        found["seed"] = seed
    if api in ("vllm", "llamacpp"):
        found["top_k"] = decoding.top_k if "top_k" in active else {"vllm": -1, "llamacpp": 0}[api]
        found["min_p"] = decoding.min_p if "min_p" in active else 0.0
    if api == "vllm":
        found["repetition_penalty"] = (
            decoding.repetition_penalty if "repetition_penalty" in active else 1.0
        )
        if "min_new_tokens" in active:
            found["min_tokens"] = decoding.min_new_tokens
        if decoding.stop_token_ids:
            found["stop_token_ids"] = list(decoding.stop_token_ids)
    if api == "llamacpp":
        found["repeat_penalty"] = 1.0
    return found


#: Parameters that mean nothing at these values, so a server that refuses them can do without.
NEUTRAL = {"top_p": 1.0, "temperature": STEPS["temperature"].neutral}
