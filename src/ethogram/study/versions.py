"""Versions of a study: which there are, what of each is stored, how a new one is written."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ethogram.errors import EthogramError, SpecError
from ethogram.files import write_whole
from ethogram.spec.space import Setting, apply
from ethogram.spec.version import VERSION_NAME
from ethogram.study.stale import results_of
from ethogram.study.workspace import Study


@dataclass(frozen=True)
class VersionStatus:
    """A version and what of it is stored.

    Attributes:
        version: its name.
        title: its title.
        parent: the version it differs from, if any.
        identity: digest of all settings that can change its outputs.
        stored: outputs in the store.
        wanted: outputs that it needs; None if nobody can say, because its model is not here.
        traced: of those stored, the ones with a trace.
        problem: why `wanted` is unknown.
        stale: what the results of an incomplete or edited version are those of.
    """

    version: str
    title: str
    parent: str | None
    identity: str
    stored: int
    wanted: int | None
    traced: int
    problem: str = ""
    stale: str = ""

    @property
    def is_complete(self) -> bool:
        """Whether every output is stored."""
        return self.stored == self.wanted


def versions(study: Study) -> list[VersionStatus]:
    """Every version of the study, parents first, with what is stored of it. Generates nothing."""
    return [_status(study, name) for name in study.versions]


def _status(study: Study, name: str) -> VersionStatus:
    version = study.versions[name]
    about = (name, version.title, version.parent, version.identity[:12])
    try:
        identities = study.identities(name)
    except EthogramError as error:
        return VersionStatus(*about, stored=0, wanted=None, traced=0, problem=str(error))
    missing = len(study.store.missing(identities))
    untraced = len(study.store.missing_traces(identities))
    return VersionStatus(
        *about,
        stored=len(identities) - missing,
        wanted=len(identities),
        traced=max(0, len(identities) - untraced),
        stale=results_of(study, name).stale,
    )


def parse_setting(text: str) -> tuple[str, Any]:
    """Read `FIELD=VALUE`, the value as YAML.

    Raises:
        SpecError: no such form, or the value is no YAML.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    field, sign, value = text.partition("=")
    where = f"--set {text}"
    if not sign or not field.strip() or not value.strip():
        raise SpecError(
            "a setting is FIELD=VALUE", where=where, hint="write decoding.temperature=0.5"
        )
    try:
        return field.strip(), YAML(typ="safe").load(value)
    except YAMLError:
        raise SpecError("this value is not valid YAML", where=where, hint="quote it") from None


def new_version(
    study: Study, name: str, parent: str, settings: Mapping[str, Any], *, title: str = ""
) -> Path:
    """Write the file of a version that changes settings of another.

    Args:
        study: the opened study. It does not contain the new version until it is opened again.
        name: of the new version, such as v0.2.0.
        parent: the version to change.
        settings: dotted field, such as `decoding.temperature`, to its value.
        title: what the version tries. Default: its settings in words.

    Returns:
        The path of the version file.

    Raises:
        SpecError: the name is not a version name or is taken, the parent or a field is unknown, or
            a value is out of bounds.
        WriteError: the file cannot be written.
    """
    from ruamel.yaml import YAML

    if not VERSION_NAME.match(name):
        raise SpecError("not a version name", where=name, hint="use a name like v0.1.0")
    if name in study.versions:
        raise SpecError("this version already exists", where=name, hint="choose another name")
    setting = Setting(tuple(settings.items()))
    apply(study.spec.version(parent), setting, parent=parent)
    data: dict[str, Any] = {
        "title": title or setting.words or f"A copy of {parent}",
        "parent": parent,
        **setting.stated(),
    }
    yaml = YAML()
    yaml.default_flow_style = False
    yaml.width = 100
    text = io.StringIO()
    yaml.dump(data, text)
    path = study.folder / f"versions/{name}.yaml"
    write_whole(path, [text.getvalue()])
    return path
