"""Diff: what changed from one version to another, as data and in words."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import unified_diff
from functools import reduce
from operator import getitem
from typing import Any

from ethogram.spec.decoding import Decoding
from ethogram.spec.setting import Effect, leaves, metadata
from ethogram.spec.steps import SAMPLING_STEPS
from ethogram.spec.version import OWN_FIELDS, Version
from ethogram.spec.wrapper import LoopBreaker

#: The effect of each setting of a decoding that declares one, and the setting's default.
_EFFECTS: dict[str, tuple[Effect, Any]] = {
    name: (effect, field.get_default())
    for name, field in leaves(Decoding)
    if (effect := metadata(field, Effect)) is not None
}


@dataclass(frozen=True)
class Change:
    """One setting that differs.

    Attributes:
        field: dotted name.
        before: value in the first version.
        after: value in the second.
        meaning: what the change does, in a few words; empty where nothing can be said.
    """

    field: str
    before: Any
    after: Any
    meaning: str = ""

    @property
    def words(self) -> str:
        """The change as a person would write it down, in Markdown."""
        return self._line("`")

    @property
    def plain(self) -> str:
        """The same without Markdown."""
        return self._line("")

    @property
    def lines(self) -> tuple[str, ...]:
        """Of a text of several lines, a unified diff without its file names; else empty.

        Characters that do not print are escaped.
        """
        if not any(isinstance(value, str) and "\n" in value for value in (self.before, self.after)):
            return ()
        before, after = (
            str(value).split("\n") if value else [] for value in (self.before, self.after)
        )
        found = unified_diff(before, after, lineterm="", n=1)
        return tuple(_escaped(line) for line in list(found)[2:])

    def _line(self, mark: str) -> str:
        if self.lines:
            counts = [sum(line[0] == sign for line in self.lines) for sign in "-+"]
            return f"{mark}{self.field}{mark} {_counted(*counts)}"
        before, after = (_show(self.field, value, mark) for value in (self.before, self.after))
        line = f"{mark}{self.field}{mark} {before} → {after}"
        return f"{line} ({self.meaning})" if self.meaning else line

    def to_json(self) -> dict[str, Any]:
        """Field, values, words, and the lines that differ in a text of several."""
        data = {
            "field": self.field,
            "before": self.before,
            "after": self.after,
            "words": self.words,
        }
        return data | ({"lines": list(self.lines)} if self.lines else {})


@dataclass(frozen=True)
class Diff:
    """The settings in which two versions of a study differ.

    Attributes:
        before: name of the first version.
        after: name of the second.
        changes: in the order of the version file; titles, notes and bounds are not settings.
    """

    before: str
    after: str
    changes: Sequence[Change]

    def to_json(self) -> list[dict[str, Any]]:
        """Plain data, one entry per change."""
        return [change.to_json() for change in self.changes]

    def to_text(self) -> str:
        """One line per change; below it, indented, the lines of a text that differ."""
        lines = [
            line
            for change in self.changes
            for line in (change.plain, *(f"  {line}" for line in change.lines))
        ]
        return "\n".join(lines) or "No setting differs."

    def _repr_html_(self) -> str:
        lines = "".join(f"<li>{_html(change)}</li>" for change in self.changes)
        heading = f"{self.before} → {self.after}"
        return f"<p>{html.escape(heading)}</p><ul>{lines or '<li>No setting differs.</li>'}</ul>"


def _html(change: Change) -> str:
    text = html.escape("\n".join(change.lines))
    return html.escape(change.plain) + (f"<pre>{text}</pre>" if text else "")


def _counted(removed: int, added: int) -> str:
    if not removed:
        return f"{added} lines added" if added > 1 else "1 line added"
    words = f"{removed} lines removed" if removed > 1 else "1 line removed"
    return f"{words}, {added} added" if added else words


def _escaped(line: str) -> str:
    return "".join(
        character if character.isprintable() else repr(character)[1:-1] for character in line
    )


#: What is known of outputs made elsewhere; their decoding and prompt are not the defaults.
_KNOWN_OF_IMPORTS = ("model", "outputs", "suite")


def diff_versions(before: Version, after: Version) -> list[Change]:
    """The settings in which two resolved versions differ, in the order of the version file."""
    old, new = _flat(before), _flat(after)
    strategies = (before.decoding.resolved_strategy, after.decoding.resolved_strategy)
    unknown = before.outputs or after.outputs
    return [
        Change(name, old[name], new[name], _meaning(name, old, new, strategies))
        for name in old
        if old[name] != new[name]
        and not (unknown and name not in _KNOWN_OF_IMPORTS)
        and not (name == "decoding.temperature" and _begins_sampling(strategies))
    ]


def _begins_sampling(strategies: tuple[str, str]) -> bool:
    """Whether the first version samples nothing and so has no temperature to change."""
    return strategies[0] != "sample" and strategies[1] == "sample"


def _meaning(
    field: str, old: dict[str, Any], new: dict[str, Any], strategies: tuple[str, str]
) -> str:
    """What belongs to a change; a sampling step has no effect where nothing is sampled."""
    before, after = old[field], new[field]
    if field == "decoding.strategy" and _begins_sampling(strategies):
        return f"at temperature {new['decoding.temperature']:g}"
    setting = field.removeprefix("decoding.")
    if not field.startswith("decoding.") or setting not in _EFFECTS:
        return ""
    effect, _ = _EFFECTS[setting]
    if effect.speed_only:
        return "the same output, at another speed"
    if setting == "top_k" and "contrastive" in strategies:
        both = strategies[0] == strategies[1]
        return ("fewer candidates", "more candidates")[after > before] if both else ""
    sampled = [strategy == "sample" for strategy in strategies]
    if setting.split(".")[0] in SAMPLING_STEPS and not all(sampled):
        return "" if any(sampled) else "no effect without sampling"
    return ""  # What the change did is measured, not known beforehand.


def _flat(version: Version) -> dict[str, Any]:
    form: dict[str, Any] = {}
    for name, value in version.model_dump(mode="json").items():
        if name in (*OWN_FIELDS, "expect") and name != "outputs":
            continue
        if name == "decoding":
            form |= {
                f"decoding.{key}": reduce(getitem, key.split("."), value)
                for key, _ in leaves(Decoding)
            }
        elif name in ("prompt", "wrapper"):
            form |= {f"{name}.{key}": inner for key, inner in value.items()}
        else:
            form[name] = value
    part = version.wrapper.loop_breaker
    if part == LoopBreaker():
        form["wrapper.loop_breaker"] = True
    form["decoding.strategy"] = version.decoding.resolved_strategy
    return form


def _comparable(*values: Any) -> bool:
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)


def _show(field: str, value: Any, mark: str) -> str:
    effect, default = _EFFECTS.get(field.removeprefix("decoding."), (Effect(), None))
    if effect.off and _comparable(value) and value == default:
        return "off"
    if value is None or value in ([], {}, ""):
        return "none"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, dict | list):
        pairs = value.items() if isinstance(value, dict) else ()
        parts = [f"{key}: {part}" for key, part in pairs] or [
            repr(part) if isinstance(part, str) else str(part) for part in value
        ]
        text = ", ".join(parts)
        return f"[{text}]" if len(text) <= 60 else f"{len(value)} entries"
    text = repr(value) if isinstance(value, str) and ("\n" in value or " " in value) else str(value)
    return f"{mark}{text}{mark}"
