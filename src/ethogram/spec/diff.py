"""Diff: what changed from one version to another, as data and in words."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ethogram.spec.decoding import VIEW_SETTINGS
from ethogram.spec.searches import SEARCHES_OFF, SPEED_SETTINGS
from ethogram.spec.steps import NEUTRAL, SAMPLING_STEPS
from ethogram.spec.version import OWN_FIELDS, Version

#: Tells a setting that cannot be off from one whose off is None.
_NO_VALUE = object()
#: What a setting's change means, for the reader of a log: (lower, higher).
_MEANING: dict[str, tuple[str, str]] = {
    "decoding.temperature": ("less randomness", "more randomness"),
    "decoding.top_k": ("tighter responses", "more diversity"),
    "decoding.top_p": ("tighter responses", "more diversity"),
    "decoding.min_p": ("more diversity", "tighter responses"),
    "decoding.typical_p": ("tighter responses", "more diversity"),
    "decoding.epsilon_cutoff": ("more diversity", "tighter responses"),
    "decoding.eta_cutoff": ("more diversity", "tighter responses"),
    "decoding.top_n_sigma": ("tighter responses", "more diversity"),
    "decoding.top_h": ("tighter responses", "more diversity"),
    "decoding.xtc_probability": ("fewer surprising turns", "more surprising turns"),
    "decoding.xtc_threshold": ("more surprising turns", "fewer surprising turns"),
    "decoding.mirostat_tau": ("less surprise", "more surprise"),
    "decoding.mirostat_eta": ("slower steering", "quicker steering"),
    "decoding.repetition_penalty": ("less discouragement of echoes", "less echo"),
    "decoding.frequency_penalty": ("less discouragement of reuse", "less reuse of words"),
    "decoding.presence_penalty": ("less push to new words", "more push to new words"),
    "decoding.dry_multiplier": ("less discouragement of loops", "more discouragement of loops"),
    "decoding.dry_base": ("long loops cost less", "long loops cost more"),
    "decoding.dry_allowed_length": ("shorter repeats count", "only longer repeats count"),
    "decoding.guidance_scale": ("the prompt counts less", "the prompt counts more"),
    "decoding.contrastive_alpha": ("more unlikely tokens let in", "fewer unlikely tokens let in"),
    "decoding.contrastive_beta": ("less weight against the amateur", "more against the amateur"),
    "decoding.amateur_temperature": ("a surer amateur", "a flatter amateur"),
    "decoding.max_new_tokens": ("shorter outputs", "longer outputs"),
    "decoding.num_beams": ("a narrower search", "a wider search"),
    "decoding.num_beam_groups": ("fewer kinds of beams", "more kinds of beams"),
    "decoding.diversity_penalty": ("groups more alike", "groups less alike"),
    "decoding.penalty_alpha": (
        "less push away from earlier text",
        "more push away from earlier text",
    ),
    "decoding.best_of": ("fewer candidates to choose from", "more candidates to choose from"),
    "decoding.self_consistency": ("fewer votes", "more votes"),
}


#: Truncations that 0 turns off, so that 0 lets through more than any other value.
_OPEN_AT_ZERO = (
    "decoding.top_k",
    "decoding.top_n_sigma",
    "decoding.top_h",
    "decoding.mirostat_tau",
)
#: What is known of outputs made elsewhere; their decoding and prompt are not the defaults.
_KNOWN_OF_IMPORTS = ("model", "outputs", "suite")


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

    def _line(self, mark: str) -> str:
        before, after = (_show(self.field, value, mark) for value in (self.before, self.after))
        line = f"{mark}{self.field}{mark} {before} → {after}"
        return f"{line} ({self.meaning})" if self.meaning else line

    def to_json(self) -> dict[str, Any]:
        """Field, values and words."""
        return {
            "field": self.field,
            "before": self.before,
            "after": self.after,
            "words": self.words,
        }


@dataclass(frozen=True)
class Diff:
    """The settings in which two versions of a study differ.

    Attributes:
        before: name of the first version.
        after: name of the second.
        changes: in the order of the version file; titles, notes and bounds are no settings.
    """

    before: str
    after: str
    changes: Sequence[Change]

    def to_json(self) -> list[dict[str, Any]]:
        """Plain data, an entry a change."""
        return [change.to_json() for change in self.changes]

    def to_text(self) -> str:
        """A line a change."""
        return "\n".join(change.plain for change in self.changes) or "No setting differs."

    def _repr_html_(self) -> str:
        lines = "".join(f"<li>{html.escape(change.plain)}</li>" for change in self.changes)
        heading = f"{self.before} → {self.after}"
        return f"<p>{html.escape(heading)}</p><ul>{lines or '<li>No setting differs.</li>'}</ul>"


def diff_versions(before: Version, after: Version) -> list[Change]:
    """The settings in which two resolved versions differ, in the order of the version file."""
    old, new = _flat(before), _flat(after)
    strategies = (before.decoding.resolved_strategy, after.decoding.resolved_strategy)
    unknown = before.outputs or after.outputs
    return [
        Change(name, old[name], new[name], _meaning(name, old[name], new[name], strategies))
        for name in old
        if old[name] != new[name] and not (unknown and name not in _KNOWN_OF_IMPORTS)
    ]


def _meaning(field: str, before: Any, after: Any, strategies: tuple[str, str]) -> str:
    """What a change of a number does; a step of sampling does nothing where nothing is sampled."""
    setting = field.removeprefix("decoding.")
    if setting in SPEED_SETTINGS:
        return "the same output, sooner or later"
    if setting == "top_k" and "contrastive" in strategies:
        both = strategies[0] == strategies[1]
        return ("fewer candidates", "more candidates")[after > before] if both else ""
    sampled = [strategy == "sample" for strategy in strategies]
    if setting in SAMPLING_STEPS and not all(sampled):
        return "" if any(sampled) else "no effect without sampling"
    if field not in _MEANING or not _comparable(before, after):
        return ""
    if field in _OPEN_AT_ZERO:
        before, after = (value or math.inf for value in (before, after))
    return _MEANING[field][after > before]


def _flat(version: Version) -> dict[str, Any]:
    form: dict[str, Any] = {}
    for name, value in version.model_dump(mode="json").items():
        if name in (*OWN_FIELDS, "expect") and name != "outputs":
            continue
        if name in ("decoding", "prompt"):
            form.update({f"{name}.{key}": inner for key, inner in value.items()})
        else:
            form[name] = value
    form["decoding.strategy"] = version.decoding.resolved_strategy
    return form


def _comparable(*values: Any) -> bool:
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)


def _show(field: str, value: Any, mark: str) -> str:
    step = field.removeprefix("decoding.")
    off = (NEUTRAL | SEARCHES_OFF | VIEW_SETTINGS).get(step, _NO_VALUE)
    if off is not _NO_VALUE and step != "temperature" and _comparable(value) and value == off:
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
