"""What vLLM supports of a decoding, read from the declarations of the steps."""

from __future__ import annotations

from itertools import combinations
from typing import NamedTuple

from ethogram.spec.decoding import Decoding
from ethogram.spec.guidance import SWITCHES
from ethogram.spec.setting import value_of
from ethogram.spec.steps import ORDER_PRESETS, STEPS

#: Steps whose settings `vllm.SamplingParams` takes by the same names.
SAME_NAMES = tuple(
    name for name, step in STEPS.items() if step.vllm is not None and step.vllm.by_name
)
_COMMUTING = {
    frozenset((name, other)) for name, step in STEPS.items() for other in step.commutes_with
}


class Refusal(NamedTuple):
    """Why vLLM cannot run a decoding.

    Attributes:
        setting: dotted name of the field of the decoding.
        what: what is wrong.
        hint: how to fix it.
    """

    setting: str
    what: str
    hint: str


def refusal(decoding: Decoding) -> Refusal | None:
    """The first part of a decoding that vLLM cannot run as Ethogram does; None if there is none."""
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
    setting = decoding.guidance_setting
    if setting is None:
        return None
    off = value_of(Decoding(), setting)
    return _lacks(setting, SWITCHES[setting], "null" if off is None else f"{off:g}")


def _lacking_step(decoding: Decoding) -> Refusal | None:
    for name in decoding.active_step_names():
        step = STEPS[name]
        if step.vllm is None:
            off = "null" if step.off is None else f"{step.off:g}"
            return _lacks(step.setting, step.label, off)
    return None


def _lacks(setting: str, label: str, off: str) -> Refusal:
    name, _, inner = setting.partition(".")
    written = f"{name}: {{{inner}: {off}}}" if inner else f"{name}: {off}"
    return Refusal(
        setting, f"vLLM has no {label}", f"turn it off ({written}) or set `backend: engine`"
    )


def _out_of_bounds(decoding: Decoding) -> Refusal | None:
    for name in decoding.active_step_names():
        support, value = STEPS[name].vllm, getattr(decoding, name)
        if support is None or support.bounds is None:
            continue
        low, high = support.bounds
        if not low <= value <= high:
            return Refusal(
                name,
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
    """Two orders give the same result if every two steps that change places commute."""
    for first, second in combinations(decoding.active_step_names(), 2):
        position = ORDER_PRESETS["vllm"].index
        if position(first) > position(second) and frozenset((first, second)) not in _COMMUTING:
            return Refusal(
                "order",
                f"vLLM applies {second} before {first}, this order after it",
                "set `order: vllm` or `backend: engine`",
            )
    return None
