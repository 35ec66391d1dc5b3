"""From files: output files taken where versions are meant, compared and checked without a study.

Each file becomes an imported version of a study that is never written; its store is in memory.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, overload

from ethogram.errors import SpecError
from ethogram.formats import rows
from ethogram.metrics import Output
from ethogram.spec import StudySpec, Suite, Version
from ethogram.spec.aims import BOUND
from ethogram.spec.source import SourceMap
from ethogram.spec.suite import SuitePrompt
from ethogram.spec.version import VERSION_NAME, StudyFile
from ethogram.study.check import CheckResult
from ethogram.study.check import check as check_versions
from ethogram.study.compare import Comparison
from ethogram.study.compare import compare as compare_versions
from ethogram.study.importing import suite_rows
from ethogram.study.workspace import Study, read_imported

_EXPECTED = re.compile(r"^\s*(\w+)\s*((?:<=|>=|<|>)\s*\S+)\s*$")


def are_files(names: Sequence[str]) -> bool:
    """Whether files of outputs are named where versions are meant.

    Raises:
        SpecError: some are files, and one is neither a file nor the name of a version.
    """
    files = [Path(name).is_file() for name in names]
    for name, found in zip(names, files, strict=True):
        if any(files) and not found and not VERSION_NAME.match(name):
            raise SpecError("no such file", where=name)
    return bool(files) and all(files)


class FileStudy(Study):
    """A study of output files, in memory: each file is a version with unknown settings.

    Args:
        files: version name to the file and the group of it to take (None for its only one).
        expect: bounds on metrics, the same for each.

    Raises:
        SpecError: a file has no usable outputs.
    """

    def __init__(
        self, files: dict[str, tuple[Path, str | None]], expect: dict[str, str] | None = None
    ) -> None:
        self._sources = files
        self._outputs = {name: read_imported(path, group) for name, (path, group) in files.items()}
        places = {name: SourceMap() for name in files}
        for name, (path, _) in files.items():
            places[name].set((), path, 1)
        spec = StudySpec(
            folder=Path(),
            settings=StudyFile(name=" and ".join(files), store="sqlite://"),
            versions={
                name: Version(title=name, model="imported", outputs=str(path), expect=expect or {})
                for name, (path, _) in files.items()
            },
            places=places,
        )
        super().__init__(spec=spec)
        self._by_version = self._suites_of()

    def _suites_of(self) -> dict[str, Suite]:
        """A suite for each file; where all of them name tests, whose wording may differ, one."""
        built = {
            name: Suite(prompts=tuple(map(SuitePrompt.model_validate, suite_rows(outputs))))
            for name, outputs in self._outputs.items()
        }
        if all(_are_tests(path, group) for path, group in self._sources.values()):
            known: dict[str, SuitePrompt] = {}
            for suite in built.values():
                for item in suite.prompts:
                    known.setdefault(item.id, item)
            return dict.fromkeys(built, Suite(prompts=tuple(known.values())))
        return built

    def suite(self, version: str) -> Suite:
        """The prompts of a file."""
        self.spec.version(version)
        return self._by_version[version]

    def imported_outputs(self, version: str) -> list[Output]:
        """The outputs of a file."""
        return self._outputs[version]


def _are_tests(path: Path, group: str | None) -> bool:
    return next((row.test for row in rows(path, group)), False)


@contextmanager
def study_of_files(
    files: Sequence[str | Path],
    *,
    select: Sequence[str] = (),
    expect: dict[str, str] | None = None,
) -> Iterator[FileStudy]:
    """A study whose versions are output files, closed at the end.

    Args:
        files: paths.
        select: a group for each file, or one for all; one file and several groups compares these.
        expect: bounds on metrics.

    Raises:
        SpecError: a file cannot be read or has no usable outputs.
    """
    paths = [Path(file) for file in files]
    if len(select) > 1 and len(paths) == 1:
        paths *= len(select)
    if len(select) not in (0, 1, len(paths)):
        raise SpecError(
            f"{len(select)} groups for {len(paths)} files", where="--select", hint="one for each"
        )
    chosen: list[str | None] = list(select) if select else [None]
    chosen = chosen if len(chosen) == len(paths) else chosen * len(paths)
    named: dict[str, tuple[Path, str | None]] = {}
    same = len({path.name for path in paths}) < len(paths)
    for path, group in zip(paths, chosen, strict=True):
        name = str(path) if same and len(set(paths)) > 1 else path.name
        name = f"{name}: {group}" if group else name
        named[f"{name} ({len(named) + 1})" if name in named else name] = (path, group)
    study = FileStudy(named, expect)
    try:
        yield study
    finally:
        study.close()


def expectations(bounds: Sequence[str]) -> dict[str, str]:
    """Bounds as a version's `expect` has them: `loop_rate < 0.02` to name and bound.

    Raises:
        SpecError: one is not a metric, a comparison and a number.
    """
    found: dict[str, str] = {}
    for bound in bounds:
        parts = _EXPECTED.match(bound)
        if not parts or not BOUND.match(parts[2]):
            raise SpecError(
                f"invalid bound {bound!r}",
                where="--expect",
                hint="write a metric, a comparison and a number, like 'loop_rate < 0.02'",
            )
        if parts[1] in found:
            raise SpecError(
                f"two bounds on {parts[1]}", where="--expect", hint="check them one by one"
            )
        found[parts[1]] = parts[2]
    return found


@overload
def compare(study: Study | str | Path, before: str, after: str, **options: Any) -> Comparison: ...


@overload
def compare(
    study: str | Path, before: str | Path, *, select: Sequence[str] = (), **options: Any
) -> Comparison: ...


def compare(
    study: Study | str | Path,
    before: str | Path,
    after: str | None = None,
    *,
    select: Sequence[str] = (),
    **options: Any,
) -> Comparison:
    """Compare two versions of a study, or two files of outputs: `compare("a.jsonl", "b.jsonl")`.

    Args:
        study: the opened study; or the first file.
        before: name of the first version; or the second file.
        after: name of the second version; left out for files.
        select: for files with several groups (models, providers), which one of each.
        options: those of `study.compare.compare`: `metrics` (names; default those of the study's
            table, of files the default ones), `samples` (how many prompts to show side by side).

    Raises:
        SpecError: a generation is missing, a file cannot be read, no prompt is shared, or an id
            belongs to two different prompts.
    """
    if after is not None:
        return compare_versions(study, str(before), after, **options)
    if isinstance(study, Study):
        raise SpecError("a comparison needs two versions", where=str(before))
    with study_of_files([study, before], select=select) as files:
        first, second = files.versions
        return compare_versions(files, first, second, **options)


def check_files(
    files: Sequence[str | Path], expect: Sequence[str], *, select: Sequence[str] = ()
) -> CheckResult:
    """Decide bounds on the outputs of files: `check_files(["a.jsonl"], ["loop_rate < 0.02"])`.

    Args:
        files: paths.
        expect: metric, comparison and number each.
        select: of files that hold several groups, which one of each.

    Raises:
        SpecError: a file cannot be read, or a bound or metric is wrong.
    """
    with study_of_files(files, select=select, expect=expectations(expect)) as study:
        return check_versions(study)
