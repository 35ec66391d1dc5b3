"""Study: a folder of versions resolved over their parents. Reads files; never generates."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ethogram.errors import SpecError
from ethogram.spec.searches import SEARCH_SETTINGS
from ethogram.spec.source import SourceMap, read_yaml, suggest, validate
from ethogram.spec.steps import NEUTRAL, SAMPLING_STEPS
from ethogram.spec.suite import Suite, load_suite
from ethogram.spec.version import OWN_FIELDS, VERSION_NAME, StudyFile, Version
from ethogram.spec.vllm import refusal

STUDY_FILE = "study.yaml"


@dataclass(frozen=True)
class StudySpec:
    """A study as its files say it: the settings and every version, resolved and in order.

    Attributes:
        folder: the study's folder.
        settings: study.yaml.
        versions: resolved versions by name; parents before children, then by version number.
        stated: what each version's own file states.
        places: where each version's fields stand, inherited ones in the file of the ancestor.
        own_places: where the fields of study.yaml stand.
    """

    folder: Path
    settings: StudyFile
    versions: dict[str, Version]
    stated: dict[str, dict[str, Any]] = field(default_factory=dict)
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
    versions: dict[str, Version] = {}
    places_of: dict[str, SourceMap] = {}
    for name in _parents_first(raw, files):
        merged, merged_places = _merge_line(name, raw, files)
        version = validate(Version, merged, files[name], merged_places)
        _refuse_silent_sampling(name, raw, files, version)
        _refuse_what_vllm_lacks(version, files[name], merged_places)
        versions[name], places_of[name] = version, merged_places
    stated = {name: data for name, (data, _) in raw.items()}
    return StudySpec(
        folder=folder,
        settings=settings,
        versions=versions,
        stated=stated,
        places=places_of,
        own_places=places,
    )


def _version_files(folder: Path) -> list[Path]:
    files = sorted(
        path for path in (folder / "versions").glob("*") if path.suffix in (".yaml", ".yml")
    )
    for path in files:
        if not VERSION_NAME.match(path.stem):
            raise SpecError(
                f"{path.stem!r} is no version name",
                where=str(path),
                hint="name the file like v0.1.0.yaml",
            )
    return files


def _read_version(path: Path) -> tuple[dict[str, Any], SourceMap]:
    data, places = read_yaml(path)
    data = {} if data is None else data
    # Validated alone first, so that a mistake is told in the file that makes it.
    alone = dict(data) if isinstance(data, dict) else data
    if isinstance(alone, dict) and isinstance(alone.get("decoding"), dict):
        alone["decoding"] = _without_cross_checks(alone["decoding"])
    validate(Version, alone, path, places)
    return data, places


def _without_cross_checks(decoding: dict[str, Any]) -> dict[str, Any]:
    """Settings that are checked against each other wait until the parent's are merged in."""
    together = ("strategy", "num_beams", "min_new_tokens", "order", *SEARCH_SETTINGS)
    return {key: value for key, value in decoding.items() if key not in together}


def _parents_first(
    raw: dict[str, tuple[dict[str, Any], SourceMap]], files: dict[str, Path]
) -> list[str]:
    """Version names in numeric order, each after its parent.

    Raises:
        SpecError: a missing parent or a cycle.
    """
    order: list[str] = []

    def visit(name: str, trail: tuple[str, ...]) -> None:
        if name in order:
            return
        data, places = raw[name]
        parent = data.get("parent")
        if name in trail:
            circle = " -> ".join((*trail[trail.index(name) :], name))
            raise SpecError(
                f"versions are each other's parents: {circle}",
                where=places.where(("parent",), files[name]),
                hint="break the circle",
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
    """Sorts version names as semantic versions; a pre-release stands before its release."""
    numbers, _, pre = name.removeprefix("v").partition("-")
    return [int(part) for part in re.findall(r"\d+", numbers)], not pre, pre


def _merge_line(
    name: str, raw: dict[str, tuple[dict[str, Any], SourceMap]], files: dict[str, Path]
) -> tuple[dict[str, Any], SourceMap]:
    """A version's fields merged over those of its ancestors."""
    line: list[str] = []
    step: str | None = name
    while step is not None:
        line.append(step)
        step = raw[step][0].get("parent")
    merged: dict[str, Any] = {}
    places = SourceMap()
    for ancestor in reversed(line):
        data, own_places = raw[ancestor]
        if ancestor != name:
            data = {key: value for key, value in data.items() if key not in OWN_FIELDS}
        merged = deep_merge(merged, data)
        places.update(own_places)
    places.set((), files[name], 1)
    return merged, places


def deep_merge(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """`over` laid over `base`: mappings merge, everything else replaces."""
    merged = dict(base)
    for key, value in over.items():
        if isinstance(value, dict) and isinstance(merged.get(key), dict):
            merged[key] = deep_merge(merged[key], value)
        else:
            merged[key] = value
    return merged


def _refuse_silent_sampling(
    name: str,
    raw: dict[str, tuple[dict[str, Any], SourceMap]],
    files: dict[str, Path],
    version: Version,
) -> None:
    """A sampling setting stated where nothing is sampled would do nothing.

    Raises:
        SpecError: names the setting and how to make it count.
    """
    data, places = raw[name]
    stated = data.get("decoding") or {}
    if version.decoding.is_stochastic or "strategy" in stated:
        return
    strategy = version.decoding.resolved_strategy
    is_own = "penalty_alpha" in stated or "num_beams" in stated
    for setting in SAMPLING_STEPS:
        if setting == "top_k" and strategy == "contrastive":
            continue
        is_set = setting in stated and stated[setting] != NEUTRAL[setting]
        if is_set and "temperature" not in stated:
            cause = f"has no effect under {strategy} decoding"
        elif setting == "temperature" and stated.get(setting):
            origin = "strategy" if is_own else "inherited strategy"
            cause = f"has no effect under the {origin} {strategy}"
        else:
            continue
        raise SpecError(
            cause,
            where=places.where(("decoding", setting), files[name]),
            hint="add `strategy: sample` (and a temperature above 0) to decoding",
        )


def _refuse_what_vllm_lacks(version: Version, file: Path, places: SourceMap) -> None:
    """What the backend cannot do is told before anything runs.

    Raises:
        SpecError: names the setting and how to mend it.
    """
    if version.backend != "vllm" or version.outputs:
        return
    if version.adapter is not None:
        raise SpecError(
            "adapters are merged by Ethogram's own engine, not for vLLM",
            where=places.where(("adapter",), file),
            hint="save the merged model to a folder and name it as the model, "
            "or set `backend: engine`",
        )
    found = refusal(version.decoding)
    if found:
        where = places.where(("decoding", found.setting), file)
        raise SpecError(found.what, where=where, hint=found.hint)
