"""Show and diff: the settings of versions, resolved or as written."""

from __future__ import annotations

import html
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import StringIO
from typing import Any

from ethogram.spec import Diff, diff_versions
from ethogram.spec.groups import OLD_NAMES
from ethogram.study.calling import takes_study
from ethogram.study.workspace import Study


@dataclass(frozen=True)
class Shown:
    """The settings of a version.

    Attributes:
        version: its name.
        identity: digest of all that can change its output.
        fields: what its file states, or, resolved, everything with what it inherits.
        old_names: flat names of version 0.1 that its file uses, each with the name of today.
    """

    version: str
    identity: str
    fields: Mapping[str, Any]
    old_names: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {"version": self.version, "identity": self.identity, **self.fields}

    def to_text(self) -> str:
        """As a version file."""
        from ruamel.yaml import YAML

        stream = StringIO()
        yaml = YAML(typ="safe", pure=True)
        yaml.width = sys.maxsize  # A value is not broken over lines …
        yaml.Representer = _representer()  # … but a text of several keeps them.
        yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
        yaml.dump(_ordered(self.fields), stream)
        lines = [f"# {self.version}, identity {self.identity[:12]}"]
        lines += [
            f"# {old} in the file is an old name of {new}" for old, new in self.old_names.items()
        ]
        return "\n".join([*lines, stream.getvalue().rstrip()])

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(self.to_text())}</pre>"


def _ordered(value: Any) -> Any:
    """Mappings by name, but a schema as it is: a reply has its properties in that order."""
    if not isinstance(value, Mapping):
        return value
    return {
        name: value[name] if name == "response_format" else _ordered(value[name])
        for name in sorted(value, key=str)
    }


def _representer() -> Any:
    """Writes texts of several lines as blocks."""
    from ruamel.yaml.representer import SafeRepresenter

    class Representer(SafeRepresenter):
        pass

    def represent(representer: Any, text: str) -> Any:
        style = "|" if "\n" in text else None
        return representer.represent_scalar("tag:yaml.org,2002:str", text, style=style)

    Representer.add_representer(str, represent)
    return Representer


@takes_study
def show(study: Study, version: str, *, resolved: bool = False) -> Shown:
    """The settings that a version's file states, or all of them.

    Args:
        study: the opened study.
        version: its name.
        resolved: include inherited settings and defaults.

    Raises:
        SpecError: there is no such version.
    """
    whole = study.spec.version(version)
    if not resolved:
        stated, old_names = study.spec.stated[version], study.spec.old_names[version]
        today = {old: ".".join(OLD_NAMES[old]) for old in old_names}
        return Shown(version, whole.identity, stated, today)
    fields = whole.model_dump(mode="json")
    # Defaults that follow from the study and from other settings.
    fields["samples"] = study.spec.samples(version)
    fields["suite"] = whole.suite or study.spec.settings.suite
    fields["decoding"]["strategy"] = whole.decoding.resolved_strategy
    return Shown(version, whole.identity, fields)


@takes_study
def diff(study: Study, before: str, after: str) -> Diff:
    """The settings that differ between two resolved versions; needs no generations.

    Raises:
        SpecError: there is no such version.
    """
    first, second = study.spec.version(before), study.spec.version(after)
    return Diff(before, after, diff_versions(first, second))
