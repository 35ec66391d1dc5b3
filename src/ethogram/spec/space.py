"""Space: the settings that a sweep tries, as axes over fields of a version.

An axis is written `FIELD=VALUES`: a list `0.8,0.9,0.95`, steps `0.2:1.2:0.2` with both ends, or a
range `0.2:1.2` (`0.001:0.1:log` on a logarithmic scale), which only a search can draw from.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from ethogram.errors import SpecError
from ethogram.spec.decoding import Decoding
from ethogram.spec.groups import OLD_NAMES
from ethogram.spec.source import SourceMap, parse_yaml, suggest, validate
from ethogram.spec.study import deep_merge, refuse_without_effect
from ethogram.spec.version import BEHAVIOUR_FIELDS, OWN_FIELDS, Version

#: Steps of one axis; more is a range that somebody meant to search.
MOST_STEPS = 1000


@dataclass(frozen=True)
class Axis:
    """The values that one field takes in a sweep.

    Attributes:
        field: dotted path in a version file.
        values: what a grid tries, in order; empty for a range.
        low: of a range.
        high: of a range, included.
        log: whether a search draws from the range on a logarithmic scale.
    """

    field: str
    values: tuple[Any, ...] = ()
    low: float = 0.0
    high: float = 0.0
    log: bool = False

    @property
    def is_range(self) -> bool:
        """Whether it has no list of values, so that no grid can be made of it."""
        return not self.values

    @property
    def text(self) -> str:
        """As `parse_axis` reads it."""
        if self.is_range:
            return f"{self.field}={self.low!r}:{self.high!r}{':log' if self.log else ''}"
        return f"{self.field}={json.dumps(list(self.values), ensure_ascii=False)}"


@dataclass(frozen=True)
class Setting:
    """One point of a space: what a version would state over its parent.

    Attributes:
        values: dotted field to value.
    """

    values: tuple[tuple[str, Any], ...]

    @property
    def words(self) -> str:
        """For a reader: the fields within decoding or prompt, in full where two are the same."""
        inner = [field.split(".", 1)[-1] for field, _ in self.values]
        is_clear = len(set(inner)) == len(inner)
        names = inner if is_clear else [field for field, _ in self.values]
        pairs = zip(names, (value for _, value in self.values), strict=True)
        return ", ".join(f"{name} {value_word(value)}" for name, value in pairs)

    def stated(self) -> dict[str, Any]:
        """The fields as a version file nests them."""
        nested: dict[str, Any] = {}
        for field, value in self.values:
            for part in reversed(field.split(".")):
                value = {part: value}
            nested = deep_merge(nested, value)
        return nested


def value_word(value: Any) -> str:
    """A value of a setting for a reader."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def parse_axis(text: str) -> Axis:
    """Read `FIELD=VALUES`.

    Raises:
        SpecError: not of this form, an unknown field, or steps that never end.
    """
    where = f"--set {text}"
    field, sign, values = text.partition("=")
    if not sign or not field.strip() or not values.strip():
        raise SpecError(
            "an axis is FIELD=VALUES", where=where, hint="write decoding.temperature=0.2:1.2:0.2"
        )
    field = _current(field.strip())
    _check_field(field, where)
    parts = [part.strip() for part in values.split(":")]
    numbers = [_decimal(part) for part in parts]
    if len(parts) in (2, 3) and numbers[0] is not None and numbers[1] is not None:
        if len(parts) == 3 and parts[2] != "log":
            return Axis(field, _steps(numbers[0], numbers[1], numbers[2], where))
        return _range(field, float(numbers[0]), float(numbers[1]), len(parts) == 3, where)
    listed = _yaml_list(values, where)
    if len({repr(value) for value in listed}) != len(listed):
        raise SpecError("duplicate value", where=where, hint="give each value once")
    return Axis(field, tuple(listed))


def _current(field: str) -> str:
    """The dotted path of a field, from that or from its flat name of version 0.1."""
    group, _, name = field.partition(".")
    is_old = group == "decoding" and name in OLD_NAMES
    return ".".join((group, *OLD_NAMES[name])) if is_old else field


def _check_field(field: str, where: str) -> None:
    owner: Any = Version
    for depth, part in enumerate(field.split(".")):
        fields = getattr(owner, "model_fields", None)
        if fields is None:
            return  # Inside a mapping such as logit_bias, which the version validates.
        names = list(fields) if depth else list(BEHAVIOUR_FIELDS)
        if part not in names:
            hint = suggest(part, names)
            if not depth and part in Decoding.model_fields:
                hint = f"did you mean decoding.{field}?"
            raise SpecError(f"no field {part!r} that a sweep can set", where=where, hint=hint)
        owner = fields[part].annotation
    if getattr(owner, "model_fields", None):
        raise SpecError(
            "this is a group of fields",
            where=where,
            hint=f"name one of them, such as {field}.{next(iter(owner.model_fields))}",
        )


def _decimal(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _steps(low: Decimal, high: Decimal, step: Decimal | None, where: str) -> tuple[Any, ...]:
    """The values from low to high, both included, in decimal arithmetic: 0.1 + 0.2 is 0.3."""
    if step is None or step <= 0 or high < low:
        raise SpecError(
            "steps are LOW:HIGH:STEP with LOW below HIGH and a positive STEP",
            where=where,
            hint="write 0.2:1.2:0.2",
        )
    count = int((high - low) / step) + 1
    if count > MOST_STEPS:
        raise SpecError(
            f"{count} steps on one axis", where=where, hint=f"use at most {MOST_STEPS}, or a range"
        )
    whole = all(number == number.to_integral_value() for number in (low, step))
    kind = int if whole else float
    return tuple(kind(low + index * step) for index in range(count))


def _range(field: str, low: float, high: float, log: bool, where: str) -> Axis:
    if not low < high or (log and low <= 0):
        raise SpecError(
            "a range is LOW:HIGH with LOW below HIGH, and above 0 on a logarithmic scale",
            where=where,
            hint="write 0.2:1.2 or 0.001:0.1:log",
        )
    return Axis(field, low=low, high=high, log=log)


def _yaml_list(values: str, where: str) -> list[Any]:
    from ruamel.yaml.error import YAMLError

    text = values.strip()
    try:
        listed = parse_yaml(text if text.startswith("[") else f"[{text}]")
    except YAMLError:
        raise SpecError(
            "cannot parse these values", where=where, hint="write a,b,c or a YAML list [a, b]"
        ) from None
    return list(listed)


def grid(axes: Sequence[Axis]) -> list[Setting]:
    """Every combination, the last axis moving fastest.

    Raises:
        SpecError: an axis is a range.
    """
    for axis in axes:
        if axis.is_range:
            raise SpecError(
                "a grid needs values, but this is a range",
                where=f"--set {axis.field}",
                hint="add a step, or search it with --search tpe",
            )
    combinations = itertools.product(*([(axis.field, v) for v in axis.values] for axis in axes))
    return [Setting(tuple(combination)) for combination in combinations]


def apply(base: Version, setting: Setting, *, parent: str) -> Version:
    """The version that states `setting` over its parent.

    Args:
        base: the parent, resolved.
        setting: what is stated.
        parent: the parent's name.

    Raises:
        SpecError: a value is out of bounds, contradicts another setting, or has no effect.
    """
    inherited: Mapping[str, Any] = base.model_dump(exclude_unset=True)
    data = {key: value for key, value in inherited.items() if key not in OWN_FIELDS}
    data = deep_merge(data, setting.stated()) | {"parent": parent, "title": setting.words}
    where = Path(f"--set ({setting.words})")
    version = validate(Version, data, where, SourceMap())
    refuse_without_effect(version, setting.stated(), where, SourceMap())
    return version


def distinct(versions: Iterable[tuple[Setting, Version]]) -> dict[str, tuple[Setting, Version]]:
    """The first setting of each behaviour, by version identity: greedy has no top-p to vary."""
    found: dict[str, tuple[Setting, Version]] = {}
    for setting, version in versions:
        found.setdefault(version.identity, (setting, version))
    return found
