"""What vLLM and other servers support of a decoding, read from the declarations of the steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Taker:
    """What takes a decoding, and what of it.

    Attributes:
        name: in messages.
        order: the preset of the order in which it applies steps.
        bounds: the steps that it has; the values that it accepts, or None for ours.
        instead: what else than turning a setting off helps; empty if nothing does.
    """

    name: str
    order: str
    bounds: Mapping[str, tuple[float, float] | None]
    instead: str = ""

    @property
    def otherwise(self) -> str:
        """The end of a hint."""
        return f" or {self.instead}" if self.instead else ""


VLLM = Taker(
    "vLLM",
    "vllm",
    {name: step.vllm.bounds for name, step in STEPS.items() if step.vllm is not None},
    "set `backend: engine`",
)


class Refusal(NamedTuple):
    """Why a decoding cannot be run.

    Attributes:
        setting: dotted name of the field of the decoding.
        what: what is wrong.
        hint: how to fix it.
    """

    setting: str
    what: str
    hint: str


def refusal(decoding: Decoding, taker: Taker = VLLM) -> Refusal | None:
    """The first part of a decoding that cannot be run as Ethogram does; None if there is none."""
    return (
        _lacking_strategy(decoding, taker)
        or _lacking_step(decoding, taker)
        or _out_of_bounds(decoding, taker)
        or _unnamed_words(decoding, taker)
        or _other_order(decoding, taker)
    )


def _lacking_strategy(decoding: Decoding, taker: Taker) -> Refusal | None:
    if decoding.resolved_strategy == "beam":
        return _lacks("num_beams", "beam search like that of transformers", "1", taker)
    if decoding.resolved_strategy == "contrastive":
        return _lacks("penalty_alpha", "contrastive search", "0", taker)
    if decoding.forced_tokens:
        return _lacks("forced_tokens", "forced first tokens", "[]", taker)
    setting = decoding.guidance_setting
    if setting is None:
        return None
    off = value_of(Decoding(), setting)
    return _lacks(setting, SWITCHES[setting], "null" if off is None else f"{off:g}", taker)


def _lacking_step(decoding: Decoding, taker: Taker) -> Refusal | None:
    for name in decoding.active_step_names():
        step = STEPS[name]
        if name not in taker.bounds:
            off = "null" if step.off is None else "[]"
            off = f"{step.off:g}" if isinstance(step.off, int | float) else off
            return _lacks(step.setting, step.label, off, taker)
    return None


def _lacks(setting: str, label: str, off: str, taker: Taker) -> Refusal:
    name, _, inner = setting.partition(".")
    written = f"{name}: {{{inner}: {off}}}" if inner else f"{name}: {off}"
    return Refusal(
        setting, f"{taker.name} has no {label}", f"turn it off ({written}){taker.otherwise}"
    )


def _out_of_bounds(decoding: Decoding, taker: Taker) -> Refusal | None:
    for name in decoding.active_step_names():
        bounds, value = taker.bounds[name], getattr(decoding, name)
        if bounds is None:
            continue
        low, high = bounds
        if not low <= value <= high:
            return Refusal(
                name,
                f"{taker.name} takes {low:g} to {high:g} and it is {value:g}",
                f"change it{taker.otherwise}",
            )
    return None


def _unnamed_words(decoding: Decoding, taker: Taker) -> Refusal | None:
    if any(isinstance(word, tuple) for word in decoding.bad_words):
        return Refusal(
            "bad_words",
            f"{taker.name} takes words, not lists of token ids",
            f"write the words as text{taker.otherwise}",
        )
    return None


def _other_order(decoding: Decoding, taker: Taker) -> Refusal | None:
    """Two orders give the same result if every two steps that change places commute."""
    for first, second in combinations(decoding.active_step_names(), 2):
        position = ORDER_PRESETS[taker.order].index
        if position(first) > position(second) and frozenset((first, second)) not in _COMMUTING:
            return Refusal(
                "order",
                f"{taker.name} applies {second} before {first}, this order after it",
                f"set `order: {taker.order}`{taker.otherwise}",
            )
    return None
