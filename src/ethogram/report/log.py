"""The verb `log`: PROGRESS.md, written from the store."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ethogram.errors import SpecError
from ethogram.report.findings import Finding, Findings, find, in_short
from ethogram.report.progress import Problem, unsupported, write_progress
from ethogram.study.stale import has_results
from ethogram.study.workspace import Study


@dataclass(frozen=True)
class Log:
    """A log that was written.

    Attributes:
        progress: path of PROGRESS.md.
        unsupported: entries of PROGRESS.md without a stored run; they stay as they were.
        findings: what the versions together show, a sentence each.
        following: commands that show more.
    """

    progress: Path
    unsupported: Sequence[Problem] = ()
    findings: Sequence[Finding] = ()
    following: Sequence[str] = ()

    def short(self, width: int) -> list[str]:
        """The findings in at most six lines of a terminal."""
        return in_short(self.findings, width)

    def to_json(self) -> dict[str, str]:
        """Plain data."""
        return {"progress": str(self.progress)}

    def _repr_html_(self) -> str:
        words = [str(self.progress), *(one.words for one in self.unsupported)]
        return f"<p>{'<br>'.join(map(html.escape, words))}</p>"


def log(study: Study) -> Log:
    """Write PROGRESS.md from the stored runs; hand-written text is kept.

    Raises:
        SpecError: no version has stored outputs, or the markers of PROGRESS.md are broken. Nothing
            is written then.
        WriteError: the file cannot be written.
    """
    lost = unsupported(study)  # Also finds broken markers, before anything is written.
    if not any(has_results(study, name) for name in study.versions):
        raise SpecError(
            "no version has stored outputs, so the log was not changed",
            where=str(study.folder),
            hint="generate outputs with `ethogram run`",
        )
    findings = find(study)
    progress = write_progress(study, findings)
    return Log(progress, lost, findings.sentences, _following(findings))


def _following(findings: Findings) -> list[str]:
    """The comparison that shows most, outputs to read, the check of the log, and the report."""
    compared = [entry for entry in findings.entries if entry.differences]
    met = [entry for entry in compared if entry.aims and entry.aims.outcome == "met"]
    shown = next(iter(met or compared), None)
    more = [f"ethogram compare {shown.parent} {shown.version}"] if shown else []
    return [
        *more,
        f"ethogram outputs {findings.entries[-1].version}",
        "ethogram verify",
        "ethogram report",
    ]
