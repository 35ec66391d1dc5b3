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
from ethogram.spec import StudySpec, Suite, Version
from ethogram.spec.aims import BOUND
from ethogram.spec.source import SourceMap
from ethogram.spec.suite import SuitePrompt
from ethogram.spec.version import VERSION_NAME, StudyFile
from ethogram.study.beside import are_tests, suite_of, with_file
from ethogram.study.calling import takes_study
from ethogram.study.check import CheckResult
from ethogram.study.check import check as check_versions
from ethogram.study.compare import Comparison
from ethogram.study.compare import compare as compare_versions
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
        outputs = {name: read_imported(path, group) for name, (path, group) in files.items()}
        places = {name: SourceMap() for name in files}
        for name, (path, _) in files.items():
            places[name].set((), path, 1)
        spec = StudySpec(
            folder=Path(),
            settings=StudyFile(name=" and ".join(files), store="sqlite://"),
            versions={
                name: Version(model="imported", outputs=str(path), expect=expect or {})
                for name, (path, _) in files.items()
            },
            places=places,
        )
        super().__init__(spec=spec)
        suites = {name: suite_of(each) for name, each in outputs.items()}
        if all(are_tests(path, group) for path, group in files.values()):
            # The wording of a test may differ from one file to another: one suite for all.
            known: dict[str, SuitePrompt] = {}
            for item in (item for suite in suites.values() for item in suite.prompts):
                known.setdefault(item.id, item)
            suites = dict.fromkeys(suites, Suite(prompts=tuple(known.values())))
        self.beside = {name: (suites[name], outputs[name]) for name in files}


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
def compare(
    study: Study | str | Path,
    before: str | Path,
    after: str | Path,
    *,
    select: Sequence[str] = (),
    **options: Any,
) -> Comparison: ...


@overload
def compare(
    study: str | Path, before: str | Path, *, select: Sequence[str] = (), **options: Any
) -> Comparison: ...


def compare(
    study: Study | str | Path,
    before: str | Path,
    after: str | Path | None = None,
    *,
    select: Sequence[str] = (),
    **options: Any,
) -> Comparison:
    """Compare two versions of a study, or two files of outputs: `compare("a.jsonl", "b.jsonl")`.

    A version is compared with a file by `compare(study, "v0.1.0", "theirs.json")`, on the prompts
    that both have.

    Args:
        study: the opened study; or the first file.
        before: name of the first version, or a file of outputs; or the second of two files.
        after: name of the second version, or a file of outputs; left out for two files.
        select: for files with several groups (models, providers), which one of each.
        options: those of `study.compare.compare`: `metrics` (names; default those of the study's
            table, of files the default ones), `samples` (how many prompts to show side by side).

    Raises:
        SpecError: a generation is missing, a file cannot be read, no prompt is shared, or an id
            belongs to two different prompts.
    """
    if after is not None:
        return _in_study(study, str(before), str(after), select, options)
    if isinstance(study, Study):
        raise SpecError("a comparison needs two versions", where=str(before))
    with study_of_files([study, before], select=select) as files:
        first, second = files.versions
        return compare_versions(files, first, second, **options)


@takes_study
def _in_study(
    study: Study, before: str, after: str, select: Sequence[str], options: dict[str, Any]
) -> Comparison:
    """Two versions, or a version and a file."""
    with beside_files(study, before, after, select=select) as (view, first, second):
        return compare_versions(view, first, second, **options)


@contextmanager
def beside_files(
    study: Study, before: str, after: str, *, select: Sequence[str] = ()
) -> Iterator[tuple[Study, str, str]]:
    """A study in which a file named in place of a version is one, and the names of both.

    Raises:
        SpecError: the file cannot be read, shares no prompt with the version, or there are groups
            to select and no file.
    """
    names = [before, after]
    files = [name not in study.versions and Path(name).is_file() for name in names]
    if all(files):
        with study_of_files(names, select=select) as found:
            first, second = found.versions
            yield found, first, second
        return
    if any(files):
        place = files.index(True)
        version = names[1 - place]
        if len(select) > 1:
            raise SpecError(f"{len(select)} groups for 1 file", where="--select", hint="name one")
        study, names[place] = with_file(
            study, version, Path(names[place]), select[0] if select else None
        )
    elif select:
        raise SpecError("groups are selected of files", where="--select", hint="name a file")
    yield study, names[0], names[1]


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
