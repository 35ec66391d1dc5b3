"""What a field of a decoding declares beyond its type and bounds: its effect, and its step.

Both are metadata of a pydantic field (`Annotated[int, Step(...), Effect(...)]`). Whatever lists
settings or steps (orders, differences in words, vLLM's limits, the tables of docs/decoding.md) is
read from them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import reduce
from typing import Any, Literal, NamedTuple, TypeVar

from pydantic import BaseModel
from pydantic.fields import FieldInfo

#: penalty: moves the scores of particular tokens; ban: rules particular tokens out; both act under
#: every strategy. warper: reshapes the distribution; truncation: removes a part of it; both act
#: only when sampling.
Kind = Literal["penalty", "ban", "warper", "truncation"]
T = TypeVar("T")


@dataclass(frozen=True)
class Effect:
    """What a change of a setting does to the output, for the reader of a log or a table.

    Attributes:
        lower: what a lower value does; empty where values have no order.
        higher: what a higher value does.
        off: whether the default turns the setting off.
        zero_is_open: whether 0 lets more through than any other value, as `top_k: 0` does.
        speed_only: whether it changes no output, and so no identity.
    """

    lower: str = ""
    higher: str = ""
    off: bool = False
    zero_is_open: bool = False
    speed_only: bool = False


class Order(NamedTuple):
    """The position of a step in each order preset.

    Positions only sort; steps of one preset are ten apart, so that a new one fits between.
    """

    transformers: int
    vllm: int
    llamacpp: int


@dataclass(frozen=True)
class VllmSupport:
    """How vLLM provides a step.

    Attributes:
        by_name: `vllm.SamplingParams` has the setting under the same name and meaning.
        bounds: the values that it accepts, both included; None for ours.
    """

    by_name: bool = False
    bounds: tuple[float, float] | None = None


def _always(value: Any) -> bool:
    return True


def _unchanged(value: Any) -> Any:
    return value


@dataclass(frozen=True)
class Step:
    """One step of the decoding chain: all that is declared of it.

    Its name is that of the field that carries it; its neutral value is the field's default. The
    function of that name in `engine/steps` runs it, and `engine/native` has its kernel.

    Attributes:
        kind: what it does to scores, and when it acts.
        label: name for a sentence or a table.
        order: its position in each preset.
        vllm: how vLLM provides it; None if it does not.
        commutes_with: steps that give the same scores before it as after it, each pair stated
            once. A token that is ruled out stays out whatever is added to its score, sums commute,
            dividing all scores keeps ranks and signs, and min-p reads only the ratio to the best
            token, which top-k keeps.
        switch: of a group of settings, the one that turns the step on.
        identity_name: its name in canonical forms, where that is not its own.
        acts: whether a value that is not neutral can change the output.
        normal: one value for all that mean the same; it must be hashable.
        name: filled in from the field.
        neutral: the value at which it changes nothing, filled in from the field.
    """

    kind: Kind
    label: str
    order: Order
    vllm: VllmSupport | None = None
    commutes_with: tuple[str, ...] = ()
    switch: str | None = None
    identity_name: str = ""
    acts: Callable[[Any], bool] = _always
    normal: Callable[[Any], Any] = _unchanged
    name: str = ""
    neutral: Any = None

    @property
    def masks(self) -> bool:
        """Whether it can make tokens impossible."""
        return self.kind in ("ban", "truncation")

    @property
    def needs_sampling(self) -> bool:
        """Whether it acts only under `strategy: sample`."""
        return self.kind in ("warper", "truncation")

    @property
    def setting(self) -> str:
        """Dotted name of the setting that turns it on."""
        return f"{self.name}.{self.switch}" if self.switch else self.name

    @property
    def off(self) -> Any:
        """The value of `setting` that turns it off."""
        return getattr(self.neutral, self.switch) if self.switch else self.neutral

    def can_act(self, value: Any) -> bool:
        """Whether the step changes an output at this value of its field."""
        return value != self.neutral and self.acts(value)


def metadata(field: FieldInfo, kind: type[T]) -> T | None:
    """The first metadata of that kind on a field."""
    return next((one for one in field.metadata if isinstance(one, kind)), None)


def leaves(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Every setting of a model with its dotted name; of a group, its inner settings instead."""
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from leaves(inner, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", field


def value_of(model: BaseModel, dotted: str) -> Any:
    """The value of a setting by its dotted name."""
    return reduce(getattr, dotted.split("."), model)
