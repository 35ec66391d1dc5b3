"""Beside: a file of outputs taken where a version is meant, next to the versions of a study.

Nothing of the file is stored. Its prompts are those of the version where id and wording are the
same, or the wording alone: other tools number their prompts in their own ways.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ethogram.errors import SpecError
from ethogram.formats import rows
from ethogram.metrics import Output
from ethogram.spec import Suite, Version
from ethogram.spec.suite import SuitePrompt
from ethogram.study.importing import suite_rows
from ethogram.study.shared_prompts import UNKNOWN_PROMPT
from ethogram.study.workspace import Study, read_imported


def are_tests(path: Path, select: str | None) -> bool:
    """Whether a file's ids name tests, whose wording may differ from one group to another."""
    return next((row.test for row in rows(path, select)), False)


def suite_of(outputs: Sequence[Output]) -> Suite:
    """The prompts of outputs."""
    return Suite(prompts=tuple(map(SuitePrompt.model_validate, suite_rows(outputs))))


def with_file(
    study: Study, version: str, path: Path, select: str | None = None
) -> tuple[Study, str]:
    """A view of a study in which a file's outputs are a version, and that version's name.

    Args:
        study: the opened study; the view must not outlive it.
        version: the one that the file is compared with.
        path: the file.
        select: whose outputs, where the file holds those of several models.

    Raises:
        SpecError: the file cannot be read, or none of its prompts is one of the version's.
    """
    suite = study.suite(version)
    found = read_imported(path, select)
    ids = _Ids(study.spec.version(version), suite, tests=are_tests(path, select))
    outputs = _renamed(found, ids)
    known = {item.id: item for item in suite.prompts}
    prompts = suite_of(outputs)
    shared = [item for item in prompts.prompts if item.id in known]
    if not shared:
        count = len(prompts.prompts)
        raise SpecError(
            f"none of its {count} prompts is one of {version}'s, by id or by wording"
            if count > 1
            else f"its prompt is none of {version}'s, by id or by wording",
            where=str(path),
            hint=f"run a version on its prompts: `ethogram import {path.name} --suite NAME`",
        )
    merged = tuple(
        _merged(known[item.id], item) if item.id in known else item for item in prompts.prompts
    )
    name = f"{path.name}: {select}" if select else path.name
    view = study.with_versions({name: Version(model="imported", outputs=str(path))})
    view.beside = {**study.beside, name: (Suite(prompts=merged), outputs)}
    return view, name


def _merged(own: SuitePrompt, theirs: SuitePrompt) -> SuitePrompt:
    """The version's prompt, with the file's right answer where it has none."""
    if own.reference is not None or theirs.reference is None:
        return own
    return own.model_copy(update={"reference": theirs.reference})


class _Ids:
    """Finds the version's id of a file's prompt."""

    def __init__(self, version: Version, suite: Suite, *, tests: bool) -> None:
        self._tests = tests
        self._words = {item.id: _words(item.as_text()) for item in suite.prompts}
        self._by_words: dict[str, str] = {}
        for item in suite.prompts:
            rendered = version.prompt.render(item)
            seen = rendered if isinstance(rendered, str) else ""
            for text in (item.as_text(), seen):
                self._by_words.setdefault(_words(text), item.id)
        self._by_words.pop("", None)

    def find(self, output: Output) -> str:
        """Its id in the version's suite, else one that the suite does not have."""
        words = "" if output.prompt == UNKNOWN_PROMPT else _words(output.prompt)
        own = self._words.get(output.prompt_id)
        if own is not None and (self._tests or words in ("", own)):
            return output.prompt_id
        if words in self._by_words:
            return self._by_words[words]
        return output.prompt_id if own is None else f"file/{output.prompt_id}"


def _words(text: str) -> str:
    return " ".join(text.split())


def _renamed(outputs: Sequence[Output], ids: _Ids) -> list[Output]:
    """The outputs under the version's ids; those of two prompts that are one, numbered on."""
    found: list[Output] = []
    sources: dict[str, dict[str, int]] = {}
    for output in outputs:
        name = ids.find(output)
        of_name = sources.setdefault(name, {output.prompt_id: 0})
        offset = of_name.get(output.prompt_id)
        if offset is None:
            last = max(each.sample_index for each in found if each.prompt_id == name)
            offset = of_name[output.prompt_id] = last + 1
        found.append(replace(output, prompt_id=name, sample_index=output.sample_index + offset))
    return found
