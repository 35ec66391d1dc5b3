"""The decoding steps by name: kinds, neutral values and orders. Knows no bound and runs nothing."""

from __future__ import annotations

from typing import Any, NamedTuple

#: Steps that edit scores of particular tokens, most of them from the token history; they act
#: under every strategy.
HISTORY_STEPS = (
    "logit_bias",
    "repetition_penalty",
    "frequency_penalty",
    "presence_penalty",
    "dry_multiplier",
    "no_repeat_ngram_size",
    "bad_words",
    "min_new_tokens",
)
#: Steps that reshape or truncate the distribution; they act only when sampling.
SAMPLING_STEPS = (
    "temperature",
    "top_k",
    "top_p",
    "min_p",
    "typical_p",
    "epsilon_cutoff",
    "eta_cutoff",
    "top_n_sigma",
    "top_h",
    "xtc_probability",
    "mirostat_tau",
)
#: Steps that move scores and never make a token impossible.
MOVING_STEPS = frozenset(
    (
        "logit_bias",
        "repetition_penalty",
        "frequency_penalty",
        "presence_penalty",
        "dry_multiplier",
        "temperature",
    )
)
STEP_NAMES = HISTORY_STEPS + SAMPLING_STEPS

#: The order in which each engine applies the steps it shares with us. Read in: transformers 5.23
#: `GenerationMixin._get_logits_processor`; vLLM 0.33 `v1/sample/sampler.py`; llama.cpp
#: `common/common.h` default sampler chain (temperature last). Steps that an engine lacks stand
#: where its nearest relative stands: a ban beside another ban, a floor on the probability beside
#: min-p, a share of mass or entropy beside top-p; top-n-sigma measures all logits, so it comes
#: before any truncation, and XTC, which wants the likely tokens that the others left, after all.
ORDER_PRESETS: dict[str, tuple[str, ...]] = {
    "transformers": (
        "logit_bias",
        "repetition_penalty",
        "frequency_penalty",
        "presence_penalty",
        "dry_multiplier",
        "no_repeat_ngram_size",
        "bad_words",
        "min_new_tokens",
        "temperature",
        "top_n_sigma",
        "top_h",
        "top_k",
        "top_p",
        "min_p",
        "typical_p",
        "epsilon_cutoff",
        "eta_cutoff",
        "xtc_probability",
        "mirostat_tau",
    ),
    "vllm": (
        "bad_words",
        "min_new_tokens",
        "logit_bias",
        "no_repeat_ngram_size",
        "repetition_penalty",
        "frequency_penalty",
        "presence_penalty",
        "dry_multiplier",
        "temperature",
        "top_n_sigma",
        "min_p",
        "epsilon_cutoff",
        "eta_cutoff",
        "top_k",
        "top_p",
        "top_h",
        "typical_p",
        "xtc_probability",
        "mirostat_tau",
    ),
    "llamacpp": (
        "logit_bias",
        "bad_words",
        "min_new_tokens",
        "repetition_penalty",
        "frequency_penalty",
        "presence_penalty",
        "dry_multiplier",
        "no_repeat_ngram_size",
        "top_n_sigma",
        "top_k",
        "typical_p",
        "top_h",
        "top_p",
        "min_p",
        "epsilon_cutoff",
        "eta_cutoff",
        "xtc_probability",
        "temperature",
        "mirostat_tau",
    ),
}

#: The value at which a step changes nothing.
NEUTRAL: dict[str, Any] = {
    "logit_bias": {},
    "bad_words": (),
    "repetition_penalty": 1.0,
    "frequency_penalty": 0.0,
    "presence_penalty": 0.0,
    "dry_multiplier": 0.0,
    "no_repeat_ngram_size": 0,
    "min_new_tokens": 0,
    "temperature": 1.0,
    "top_k": 0,
    "top_p": 1.0,
    "min_p": 0.0,
    "typical_p": 1.0,
    "epsilon_cutoff": 0.0,
    "eta_cutoff": 0.0,
    "top_n_sigma": 0.0,
    "top_h": 0.0,
    "xtc_probability": 0.0,
    "mirostat_tau": 0.0,
}


class Dry(NamedTuple):
    """The settings of DRY without their prefix."""

    multiplier: float
    base: float
    allowed_length: int
    penalty_last_n: int
    sequence_breakers: tuple[str, ...]


class Xtc(NamedTuple):
    """The settings of XTC without their prefix."""

    probability: float
    threshold: float


class Mirostat(NamedTuple):
    """The settings of mirostat without their prefix."""

    tau: float
    eta: float
