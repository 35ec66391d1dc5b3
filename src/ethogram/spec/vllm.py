"""What vLLM can be asked for: the settings that it lacks, its bounds and its order. Runs nothing.

Read in vLLM 0.32 `sampling_params.py` and `v1/sample/sampler.py`.
"""

from __future__ import annotations

from itertools import combinations
from typing import NamedTuple

from ethogram.spec.decoding import Decoding
from ethogram.spec.steps import NEUTRAL, ORDER_PRESETS

#: Steps that vLLM has too, each with the same meaning.
VLLM_STEPS = (
    "bad_words",
    "min_new_tokens",
    "logit_bias",
    "repetition_penalty",
    "frequency_penalty",
    "presence_penalty",
    "temperature",
    "min_p",
    "top_k",
    "top_p",
)
_LABELS = {
    "dry_multiplier": "DRY",
    "no_repeat_ngram_size": "ban on repeated n-grams",
    "typical_p": "typical sampling",
    "epsilon_cutoff": "epsilon cutoff",
    "eta_cutoff": "eta cutoff",
    "top_n_sigma": "top-n-sigma",
    "top_h": "top-H",
    "xtc_probability": "XTC",
    "mirostat_tau": "mirostat",
    "guidance_scale": "classifier-free guidance",
    "amateur": "contrastive decoding",
    "dola_layers": "DoLa",
}
#: Values that vLLM takes; a temperature above 0 and below the first it raises without asking.
_BOUNDS = {
    "temperature": (0.01, 2.0),
    "frequency_penalty": (-2.0, 2.0),
    "presence_penalty": (-2.0, 2.0),
}
_BANS = ("bad_words", "min_new_tokens")
_PENALTIES = ("repetition_penalty", "frequency_penalty", "presence_penalty")
#: Pairs that give the same scores in either order: a token that is out stays out whatever is added
#: to its score, sums do not mind their order, dividing all scores keeps ranks and signs, and min-p
#: looks only at the ratio to the best token, which top-k keeps.
_COMMUTING = {
    *(frozenset((ban, edit)) for ban in _BANS for edit in ("logit_bias", *_PENALTIES)),
    *(frozenset((ban, "temperature")) for ban in _BANS),
    *(frozenset(pair) for pair in combinations(("logit_bias", *_PENALTIES[1:]), 2)),
    frozenset(_BANS),
    frozenset(("repetition_penalty", "temperature")),
    frozenset(("top_k", "temperature")),
    frozenset(("top_k", "min_p")),
}


class Refusal(NamedTuple):
    """Why vLLM cannot do what a decoding asks for.

    Attributes:
        setting: the field of the decoding.
        what: what is wrong.
        hint: how to mend it.
    """

    setting: str
    what: str
    hint: str


def refusal(decoding: Decoding) -> Refusal | None:
    """The first thing of a decoding that vLLM cannot do as Ethogram does it; None if it can all."""
    return (
        _lacking_strategy(decoding)
        or _lacking_step(decoding)
        or _out_of_bounds(decoding)
        or _unnamed_words(decoding)
        or _other_order(decoding)
    )


def _lacking_strategy(decoding: Decoding) -> Refusal | None:
    if decoding.resolved_strategy == "beam":
        return _lacks("num_beams", "beam search like that of transformers", "1")
    if decoding.resolved_strategy == "contrastive":
        return _lacks("penalty_alpha", "contrastive search", "0")
    if decoding.forced_tokens:
        return _lacks("forced_tokens", "forced first tokens", "[]")
    for setting, off in (("guidance_scale", 1.0), ("amateur", None), ("dola_layers", None)):
        if getattr(decoding, setting) != off:
            return _lacks(setting, _LABELS[setting], "null" if off is None else f"{off:g}")
    return None


def _lacking_step(decoding: Decoding) -> Refusal | None:
    for name in decoding.active_step_names():
        if name not in VLLM_STEPS:
            return _lacks(name, _LABELS[name], f"{NEUTRAL[name]:g}")
    return None


def _lacks(setting: str, label: str, off: str) -> Refusal:
    return Refusal(
        setting, f"vLLM has no {label}", f"turn it off ({setting}: {off}) or set `backend: engine`"
    )


def _out_of_bounds(decoding: Decoding) -> Refusal | None:
    active = decoding.active_step_names()
    for setting, (low, high) in _BOUNDS.items():
        value = getattr(decoding, setting)
        if setting in active and not low <= value <= high:
            return Refusal(
                setting,
                f"vLLM takes {low:g} to {high:g} and it is {value:g}",
                "change it or set `backend: engine`",
            )
    return None


def _unnamed_words(decoding: Decoding) -> Refusal | None:
    if any(isinstance(word, tuple) for word in decoding.bad_words):
        return Refusal(
            "bad_words",
            "vLLM takes words, not lists of token ids",
            "write the words as text or set `backend: engine`",
        )
    return None


def _other_order(decoding: Decoding) -> Refusal | None:
    """Two orders are the same if every two steps that change sides commute."""
    for first, second in combinations(decoding.active_step_names(), 2):
        place = ORDER_PRESETS["vllm"].index
        if place(first) > place(second) and frozenset((first, second)) not in _COMMUTING:
            return Refusal(
                "order",
                f"vLLM applies {second} before {first}, this order after it",
                "set `order: vllm` or `backend: engine`",
            )
    return None
