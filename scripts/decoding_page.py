"""Writes the tables of docs/decoding.md from the declarations of settings and steps.

Each table lies between `<!-- table: NAME -->` and `<!-- end -->`; the rest of the page is written
by hand.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

from annotated_types import Ge, Gt, Le, Lt
from pydantic.fields import FieldInfo

from ethogram.spec.decoding import Decoding
from ethogram.spec.groups import OLD_NAMES
from ethogram.spec.setting import Effect, leaves, metadata
from ethogram.spec.steps import ORDER_PRESETS, STEPS

PAGE = Path(__file__).resolve().parent.parent / "docs" / "decoding.md"
KINDS = {
    "penalty": "penalty: changes the scores of particular tokens",
    "ban": "ban: excludes particular tokens",
    "warper": "warper: reshapes the distribution",
    "truncation": "truncation: removes part of the distribution",
}


def settings() -> str:
    """Every setting: default, range, what it does, and what a higher value does."""
    lines = ["| setting | default | range | what it does | a higher value gives |"]
    lines.append("|---|---|---|---|---|")
    for name, field in leaves(Decoding):
        effect = metadata(field, Effect) or Effect()
        description = field.description or ""
        if effect.off:  # The default says so.
            description = re.sub(r"; (0|1) is off$", "", description)
        description = re.sub(r"\b[a-z]+(_[a-z]+)+\b", r"`\g<0>`", description)
        cells = (f"`{name}`", _default(field, effect), _range(field), description, effect.higher)
        lines.append(f"| {' | '.join(_escaped(cell) for cell in cells)} |")
    return "\n".join(lines)


def steps() -> str:
    """Every step: kind, when it acts, and whether vLLM has it."""
    lines = ["| step | turned on by | kind | acts | in vLLM |", "|---|---|---|---|---|"]
    for name in ORDER_PRESETS["transformers"]:
        step = STEPS[name]
        when = "when sampling" if step.needs_sampling else "always"
        vllm = "no" if step.vllm is None else "yes"
        if step.vllm is not None and step.vllm.bounds is not None:
            low, high = step.vllm.bounds
            vllm = f"yes, {_number(low)} to {_number(high)}"
        lines.append(f"| `{name}` | `{step.setting}` | {KINDS[step.kind]} | {when} | {vllm} |")
    return "\n".join(lines)


def orders() -> str:
    """The order of the steps in every preset."""
    lines = ["| preset | order |", "|---|---|"]
    for preset, names in ORDER_PRESETS.items():
        labels = ", ".join(STEPS[name].label for name in names)
        lines.append(f"| `{preset}` | {labels} |")
    return "\n".join(lines)


def old_names() -> str:
    """The flat names of version 0.1 and what they are now."""
    rows = [f"| `{old}` | `{group}: {{{field}: …}}` |" for old, (group, field) in OLD_NAMES.items()]
    return "\n".join(["| in 0.1 | now |", "|---|---|", *rows])


def _default(field: FieldInfo, effect: Effect) -> str:
    value = field.get_default(call_default_factory=True)
    if value is None or value in ((), {}):
        return "none"
    if isinstance(value, tuple):
        return " ".join(f"`{_visible(part)}`" for part in value)
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    text = _number(value) if isinstance(value, int | float) else f"`{value}`"
    return f"{text} (off)" if effect.off else text


def _range(field: FieldInfo) -> str:
    words = _choices(field.annotation)
    if words:
        return ", ".join(f"`{word}`" for word in words)
    bounds = {type(bound): bound for bound in field.metadata}
    low = high = ""
    if Gt in bounds:
        low = f"above {_number(bounds[Gt].gt)}"
    elif Ge in bounds:
        low = _number(bounds[Ge].ge)
    if Lt in bounds:
        high = f"below {_number(bounds[Lt].lt)}"
    elif Le in bounds:
        high = _number(bounds[Le].le)
    if low and high:
        return f"{low}{',' if Gt in bounds else ''} to {high}"
    return f"{low} or more" if low and Ge in bounds else low


def _choices(annotation: Any) -> list[str]:
    """The words of a Literal, also within a union; `true` and `false` for a bool."""
    if annotation is bool:
        return ["true", "false"]
    found = []
    for part in get_args(annotation):
        found += [part] if isinstance(part, str) else _choices(part)
    return found


def _number(value: float) -> str:
    return f"{value:g}".replace("-", "−")


def _visible(text: str) -> str:
    return text.replace("\n", "\\n")


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


TABLES: dict[str, Callable[[], str]] = {
    "settings": settings,
    "steps": steps,
    "orders": orders,
    "old names": old_names,
}


def page(text: str) -> str:
    """The page with every table written anew.

    Raises:
        ValueError: a table has no place on the page.
    """
    for name, write in TABLES.items():
        start, end = f"<!-- table: {name} -->\n", "\n<!-- end -->"
        before, found, rest = text.partition(start)
        if not found:
            raise ValueError(f"{PAGE.name} has no place for the table {name!r}")
        text = f"{before}{start}\n{write()}\n{end}{rest.partition(end)[2]}"
    return text


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
