"""Study: a folder of version files, each resolved over its parents."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from ethogram.errors import SpecError
from ethogram.spec.endpoint import endpoint_refusal, is_remote
from ethogram.spec.groups import OLD_NAMES, TwoNamesError, nest
from ethogram.spec.searches import CHECKED_TOGETHER
from ethogram.spec.setting import Step
from ethogram.spec.source import SourceMap, read_yaml, suggest, validate
from ethogram.spec.steps import SAMPLING_STEPS, STEPS
from ethogram.spec.suite import Suite, load_suite
from ethogram.spec.version import OWN_FIELDS, VERSION_NAME, StudyFile, Version
from ethogram.spec.vllm import refusal

STUDY_FILE = "study.yaml"


@dataclass(frozen=True)
class StudySpec:
    """A study as written in its files: the settings and every version, resolved and in order.

    Attributes:
        folder: the study's folder.
        settings: study.yaml.
        versions: resolved versions by name; parents before children, then by version number.
        stated: what each version's own file states, old names of settings replaced.
        old_names: the flat names of version 0.1 that each version's own file still uses.
        places: where each version's fields are written; inherited ones, in the ancestor's file.
        own_places: where the fields of study.yaml are written.
    """

    folder: Path
    settings: StudyFile
    versions: dict[str, Version]
    stated: dict[str, dict[str, Any]] = field(default_factory=dict)
    old_names: dict[str, tuple[str, ...]] = field(default_factory=dict)
    places: dict[str, SourceMap] = field(default_factory=dict)
    own_places: SourceMap = field(default_factory=SourceMap)

    def version(self, name: str) -> Version:
        """The resolved version of that name.

        Raises:
            SpecError: there is none; names the nearest.
        """
        if name not in self.versions:
            raise SpecError(
                f"no version {name!r} in this study",
                where=str(self.folder),
                hint=suggest(name, list(self.versions)),
            )
        return self.versions[name]

    def suite_path(self, name: str) -> Path:
        """The suite file of a version."""
        return self.folder / (self.version(name).suite or self.settings.suite)

    def suite(self, name: str) -> Suite:
        """The suite of a version."""
        return load_suite(self.suite_path(name))

    def samples(self, name: str) -> int:
        """Samples per prompt of a version."""
        return self.version(name).samples or self.settings.samples

    def outputs_path(self, name: str) -> Path | None:
        """The file of outputs made elsewhere, for an imported version."""
        outputs = self.version(name).outputs
        return self.folder / outputs if outputs else None


def load_study(folder: Path) -> StudySpec:
    """Read study.yaml and every file in versions/.

    Raises:
        SpecError: the first mistake found, with file, line and field.
    """
    if not (folder / STUDY_FILE).is_file():
        raise SpecError(
            f"no {STUDY_FILE} here",
            where=str(folder),
            hint="make a study with `ethogram init FOLDER`, or name one with --study",
        )
    data, places = read_yaml(folder / STUDY_FILE)
    settings = validate(StudyFile, data, folder / STUDY_FILE, places)
    files = {path.stem: path for path in _version_files(folder)}
    raw = {name: _read_version(path) for name, path in files.items()}
    _refuse_remote_stand_ins(settings, folder / STUDY_FILE, places)
    versions: dict[str, Version] = {}
    places_of: dict[str, SourceMap] = {}
    for name in _parents_first(raw, files):
        merged, merged_places = _merge_line(name, raw, files)
        version = validate(Version, merged, files[name], merged_places)
        refuse_without_effect(version, raw[name].data, files[name], raw[name].places)
        _refuse_what_vllm_lacks(version, files[name], merged_places)
        _refuse_what_endpoints_lack(version, files[name], merged_places, raw[name].data)
        _refuse_paths_outside(folder, version, files[name], merged_places)
        versions[name], places_of[name] = version, merged_places
    return StudySpec(
        folder=folder,
        settings=settings,
        versions=versions,
        stated={name: file.data for name, file in raw.items()},
        old_names={name: file.old_names for name, file in raw.items()},
        places=places_of,
        own_places=places,
    )


def _version_files(folder: Path) -> list[Path]:
    files = sorted(
        path for path in (folder / "versions").glob("*") if path.suffix in (".yaml", ".yml")
    )
    for path, after in pairwise(files):
        if path.stem == after.stem:
            raise SpecError(
                f"version {path.stem} has two files, {path.name} and {after.name}",
                where=str(path.parent),
                hint="delete or rename one of them",
            )
    for path in files:
        if not VERSION_NAME.match(path.stem):
            raise SpecError(
                f"{path.stem!r} is not a version name",
                where=str(path),
                hint="name the file like v0.1.0.yaml",
            )
    return files


class _File(NamedTuple):
    """A version file: its data, where each field is written, and the old names it uses."""

    data: dict[str, Any]
    places: SourceMap
    old_names: tuple[str, ...]


def _read_version(path: Path) -> _File:
    data, places = read_yaml(path)
    data = alone = {} if data is None else data
    old_names: tuple[str, ...] = ()
    if isinstance(data, dict) and isinstance(data.get("decoding"), dict):
        old_names = tuple(name for name in data["decoding"] if name in OLD_NAMES)
        data = {**data, "decoding": _with_current_names(data["decoding"], path, places)}
        alone = {**data, "decoding": _without_cross_checks(data["decoding"])}
    # Validated by itself first, so that the message names the file that contains the mistake.
    validate(Version, alone, path, places)
    return _File(data, places, old_names)


def _with_current_names(decoding: dict[str, Any], path: Path, places: SourceMap) -> dict[str, Any]:
    """Settings with the flat names of version 0.1 in their groups.

    Raises:
        SpecError: one setting is given by both names.
    """
    try:
        nested = nest(decoding)
    except TwoNamesError as error:
        raise SpecError(
            f"{error.old} is the old name of {error.new}, which is also set",
            where=places.where(("decoding", error.old), path),
            hint=f"keep {error.new}",
        ) from None
    for old in decoding:
        if old in OLD_NAMES:
            places.rename(("decoding", old), ("decoding", *OLD_NAMES[old]))
    return nested


def _without_cross_checks(decoding: dict[str, Any]) -> dict[str, Any]:
    """Leaves out settings that are checked against others, until the parent's are merged in."""
    return {key: value for key, value in decoding.items() if key not in CHECKED_TOGETHER}


def _parents_first(raw: dict[str, _File], files: dict[str, Path]) -> list[str]:
    """Version names in numeric order, each after its parent.

    Raises:
        SpecError: a missing parent or a cycle.
    """
    order: list[str] = []

    def visit(name: str, trail: tuple[str, ...]) -> None:
        if name in order:
            return
        data, places, _ = raw[name]
        parent = data.get("parent")
        if name in trail:
            cycle = " -> ".join((*trail[trail.index(name) :], name))
            raise SpecError(
                f"versions are each other's parents: {cycle}",
                where=places.where(("parent",), files[name]),
                hint="break the cycle",
            )
        if parent is not None and parent not in raw:
            raise SpecError(
                f"no version {parent!r}",
                where=places.where(("parent",), files[name]),
                hint=suggest(str(parent), [other for other in raw if other != name]),
            )
        if parent is not None:
            visit(parent, (*trail, name))
        order.append(name)

    for name in sorted(raw, key=version_key):
        visit(name, ())
    return order


def version_key(name: str) -> tuple[list[int], bool, str]:
    """Sorts version names as semantic versions; a pre-release comes before its release."""
    numbers, _, pre = name.removeprefix("v").partition("-")
    return [int(part) for part in re.findall(r"\d+", numbers)], not pre, pre


def _merge_line(
    name: str, raw: dict[str, _File], files: dict[str, Path]
) -> tuple[dict[str, Any], SourceMap]:
    """A version's fields merged over those of its ancestors."""
    line: list[str] = []
    step: str | None = name
    while step is not None:
        line.append(step)
        step = raw[step].data.get("parent")
    merged: dict[str, Any] = {}
    places = SourceMap()
    for ancestor in reversed(line):
        data, own_places, _ = raw[ancestor]
        if ancestor != name:
            data = {key: value for key, value in data.items() if key not in OWN_FIELDS}
        merged = deep_merge(merged, data)
        places.update(own_places)
    places.set((), files[name], 1)
    return merged, places


def deep_merge(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """`over` laid over `base`: mappings merge, everything else replaces.

    A response format replaces another one whole: two schemas merged are a third one.
    """
    merged = dict(base)
    for key, value in over.items():
        is_whole = key == "response_format"
        if isinstance(value, dict) and isinstance(merged.get(key), dict) and not is_whole:
            merged[key] = deep_merge(merged[key], value)
        else:
            merged[key] = value
    return merged


def refuse_without_effect(
    version: Version, data: Mapping[str, Any], file: Path, places: SourceMap
) -> None:
    """Refuse a sampling setting that is stated where nothing is sampled, so has no effect.

    Args:
        version: resolved.
        data: what it states itself.
        file: where it is written.
        places: of its fields.

    Raises:
        SpecError: names the setting and how to make it count.
    """
    stated = data.get("decoding") or {}
    if version.decoding.is_stochastic or "strategy" in stated:
        return
    strategy = version.decoding.resolved_strategy
    is_own = "penalty_alpha" in stated or "num_beams" in stated
    for setting in SAMPLING_STEPS:
        if setting == "top_k" and strategy == "contrastive":
            continue
        is_set = setting in stated and _turns_on(STEPS[setting], stated[setting])
        if is_set and "temperature" not in stated:
            cause = f"has no effect under {strategy} decoding"
        elif setting == "temperature" and stated.get(setting):
            origin = "strategy" if is_own else "inherited strategy"
            cause = f"has no effect under the {origin} {strategy}"
        else:
            continue
        raise SpecError(
            cause,
            where=places.where(("decoding", *STEPS[setting].setting.split(".")), file),
            hint="add `strategy: sample` (and a temperature above 0) to decoding",
        )


def _turns_on(step: Step, stated: Any) -> bool:
    """Whether a stated value, or the switch of a stated group, is not the neutral one."""
    if step.switch is None:
        return bool(stated != step.neutral)
    return bool(stated.get(step.switch, step.off) != step.off)


def _refuse_what_vllm_lacks(version: Version, file: Path, places: SourceMap) -> None:
    """Refuse what the backend cannot do, before anything runs.

    Raises:
        SpecError: names the setting and how to fix it.
    """
    if version.backend != "vllm" or version.outputs:
        return
    if version.adapter is not None:
        raise SpecError(
            "adapters are supported by Ethogram's engine, not with vLLM",
            where=places.where(("adapter",), file),
            hint="save the merged model to a folder and name it as the model, "
            "or set `backend: engine`",
        )
    if version.wrapper.loop_breaker is not None:
        raise SpecError(
            "vLLM has no forced first tokens, which the loop breaker continues with",
            where=places.where(("wrapper", "loop_breaker"), file),
            hint="turn it off (loop_breaker: null) or set `backend: engine`",
        )
    found = refusal(version.decoding)
    if found:
        where = places.where(("decoding", *found.setting.split(".")), file)
        raise SpecError(found.what, where=where, hint=found.hint)


def _refuse_what_endpoints_lack(
    version: Version, file: Path, places: SourceMap, stated: dict[str, Any]
) -> None:
    """Refuse what an endpoint cannot take, and an address or backend without such a model.

    Raises:
        SpecError: names the setting and how to fix it.
    """
    if version.outputs:
        return
    if not is_remote(version.model):
        is_inherited = version.backend == "openai" and "backend" not in stated
        for name in ("backend", "base_url", "api"):
            if (name in stated or is_inherited) and getattr(version, name) not in _LOCAL[name]:
                raise SpecError(
                    f"is of models at endpoints, and the model is {version.model}",
                    where=places.where((name,), file),
                    hint="name the model as openai:NAME, or set `backend: engine`",
                )
        return
    found = endpoint_refusal(version)
    if found:
        where = places.where(tuple(found.setting.split(".")), file)
        raise SpecError(found.what, where=where, hint=found.hint)


def _refuse_paths_outside(folder: Path, version: Version, file: Path, places: SourceMap) -> None:
    """Refuse a suite or outputs that a version file names outside the study, also by a link.

    Versions are passed on between people, one by one; what runs on a machine is what the study's
    own study.yaml names.

    Raises:
        SpecError: names the field, and where the file may be.
    """
    hints = {
        "suite": "copy the suite into the study, or name it in study.yaml",
        "outputs": "import the file: `ethogram import FILE`",
    }
    for name, hint in hints.items():
        named = getattr(version, name)
        if named and not (folder / named).resolve().is_relative_to(folder.resolve()):
            where = places.where((name,), file)
            raise SpecError(f"{named} is outside the study's folder", where=where, hint=hint)


def _refuse_remote_stand_ins(settings: StudyFile, file: Path, places: SourceMap) -> None:
    """A model at an endpoint is another backend: neither has it a stand-in, nor is it one."""
    for name, other in settings.stand_ins.items():
        if is_remote(name) or is_remote(other):
            raise SpecError(
                "a model at an endpoint neither has a stand-in nor is one",
                where=places.where(("stand_ins", name), file),
                hint="write a version with that model",
            )


#: Values of fields of endpoints that mean nothing with another model.
_LOCAL: dict[str, tuple[Any, ...]] = {
    "backend": ("engine", "vllm"),
    "base_url": (None,),
    "api": ("openai",),
}
