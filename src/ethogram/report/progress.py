"""PROGRESS.md: the log as Markdown, in which each generated line can be derived again.

A generated block is the text between two comment lines. Regeneration replaces whole blocks and
keeps every character outside them, so hand-written text is never lost. `entry.py` renders the block
of a version, `findings.py` the one that opens the log.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest
from pathlib import Path
from typing import Any

from ethogram.errors import SpecError
from ethogram.files import write_whole
from ethogram.report.claims import Entry
from ethogram.report.entry import render
from ethogram.report.findings import Findings, find, render_findings
from ethogram.spec.source import read_text
from ethogram.study.stale import has_results
from ethogram.study.workspace import Study

PROGRESS_FILE = "PROGRESS.md"
#: What `verify` finds of a version that was run after the log was written.
NO_ENTRY = "nothing"
#: Name of the block that opens the log.
FINDINGS = "findings"
_HEADING = "## Progress log"
_MARKER = re.compile(r"<!-- ethogram:(?P<side>begin|end) (?P<name>\S+) -->\s*")


@dataclass(frozen=True)
class Block:
    """A generated block of the file.

    Attributes:
        name: the version that it is about.
        first_line: 1-based line of its first generated line.
        lines: what is between its markers, without line ends.
        start: index of the line that begins it, in `text.splitlines(keepends=True)`.
        end: index after the line that ends it.
    """

    name: str
    first_line: int
    lines: Sequence[str]
    start: int
    end: int


@dataclass(frozen=True)
class Problem:
    """A claim of PROGRESS.md that the store does not support.

    Attributes:
        block: the version that it is about.
        line: 1-based line of the file; of a missing line, where it would be.
        found: what is there; None if a line is missing.
        expected: what should be there; None if the store has no such line.
        hint: what to do, where `ethogram log` does not put it right.
    """

    block: str
    line: int
    found: str | None
    expected: str | None
    hint: str = ""

    @property
    def words(self) -> str:
        """One line for the reader."""
        if self.found == NO_ENTRY:
            return f"{PROGRESS_FILE}: {self.block} has no entry yet; run `ethogram log`"
        log = "lacks a line" if self.found is None else f"says {self.found!r}"
        store = "has no such line" if self.expected is None else f"says {self.expected!r}"
        words = f"{PROGRESS_FILE}:{self.line}: {self.block}: the log {log}, the store {store}"
        return f"{words}; {self.hint}" if self.hint else words


@dataclass(frozen=True)
class Verification:
    """What `verify` found.

    Attributes:
        checked: generated lines that were derived again.
        problems: edited, stale or missing lines.
        unshown: titles and notes whose metric does not show what they say.
        unmeasured: notes that name no metric, as `version: note`.
        stale: versions whose entry says that its results are not of the version as it is now.
    """

    checked: int
    problems: Sequence[Problem]
    unshown: Sequence[str] = ()
    unmeasured: Sequence[str] = ()
    stale: Sequence[str] = ()

    @property
    def holds(self) -> bool:
        """Whether the stored runs show every line, title and note that names a metric."""
        return not self.problems and not self.unshown

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "checked": self.checked,
            "problems": [problem.words for problem in self.problems],
            "unshown": list(self.unshown),
            "unmeasured": list(self.unmeasured),
            "stale": list(self.stale),
        }

    def to_text(self) -> str:
        """A line for each problem, and the count."""
        lines = [problem.words for problem in self.problems] + list(self.unshown)
        bad = len(lines)
        lines += [f"names no metric: {note}" for note in self.unmeasured]
        lines += self.stale
        are = "does not match" if bad == 1 else "do not match"
        return "\n".join([*lines, f"{self.checked} lines checked, {bad} {are} the store"])

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(self.to_text())}</pre>"


def find_blocks(text: str, path: Path) -> list[Block]:
    """The generated blocks of a log, in their order.

    Raises:
        SpecError: a marker lacks its other half, or a version has two blocks. Guessing where a
            block ends could take hand-written text with it.
    """
    blocks: list[Block] = []
    opened: tuple[str, int] | None = None
    lines = text.splitlines(keepends=True)
    for index, line in enumerate(lines):
        marker = _MARKER.fullmatch(line)
        if marker is None:
            continue
        where, name = f"{path}:{index + 1}", marker["name"]
        if marker["side"] == "begin":
            if opened:
                raise _unbalanced(f"{path}:{opened[1]}", opened[0], "end")
            if any(block.name == name for block in blocks):
                raise SpecError(
                    f"{name} has a second block", where=where, hint="remove one of the two"
                )
            opened = (name, index + 1)
        elif opened is None or opened[0] != name:
            raise _unbalanced(where, name, "begin")
        else:
            body = [each.rstrip("\r\n") for each in lines[opened[1] : index]]
            blocks.append(Block(name, opened[1] + 1, body, opened[1] - 1, index + 1))
            opened = None
    if opened:
        raise _unbalanced(f"{path}:{opened[1]}", opened[0], "end")
    return blocks


def _unbalanced(where: str, name: str, missing: str) -> SpecError:
    return SpecError(
        f"the block of {name} has no {missing} marker",
        where=where,
        hint=f"put `<!-- ethogram:{missing} {name} -->` back, or remove this line as well",
    )


def write_progress(study: Study, findings: Findings | None = None) -> Path:
    """Write PROGRESS.md: new blocks are added, known ones replaced, the rest is kept.

    Args:
        study: opened.
        findings: of it, where they are known already.

    Returns:
        The path of the file.

    Raises:
        SpecError: the file's markers are broken (nothing is written then), or it is not text.
        WriteError: it cannot be written.
    """
    path = study.folder / PROGRESS_FILE
    fresh = {name: _wrap(name, body) for name, body in _bodies(findings or find(study)).items()}
    text = read_text(path) if path.exists() else _opening(study)
    known = find_blocks(text, path)
    lines = text.splitlines(keepends=True)
    opening = fresh.pop(FINDINGS)
    if FINDINGS in {block.name for block in known}:
        fresh[FINDINGS] = opening
    else:  # A log of 0.1 has none yet.
        place = _before_entries(lines, known)
        lines[place:place] = [*opening.splitlines(keepends=True), "\n"]
        known = find_blocks("".join(lines), path)
    for block in reversed(known):
        if block.name in fresh:
            lines[block.start : block.end] = [fresh[block.name]]
    names = {block.name for block in known}
    for name, body in fresh.items():
        if name not in names:
            gap = "" if not lines else "\n" if lines[-1].endswith("\n") else "\n\n"
            lines += [gap, body]
    write_whole(path, lines)
    return path


def _bodies(findings: Findings) -> dict[str, str]:
    """Every generated block by its name."""
    return {
        FINDINGS: render_findings(findings),
        **{entry.version: render(entry) for entry in findings.entries},
    }


def _before_entries(lines: Sequence[str], blocks: Sequence[Block]) -> int:
    """Where the findings go: above the heading of the entries, else above the first of them."""
    first = min((block.start for block in blocks), default=len(lines))
    headings = [place for place, line in enumerate(lines[:first]) if line.strip() == _HEADING]
    return headings[-1] if headings else first


def verify(study: Study) -> Verification:
    """Derive every generated block again and compare its lines: changed, added, missing.

    Raises:
        SpecError: the file's markers are broken, or it is not text.
    """
    path = study.folder / PROGRESS_FILE
    findings = find(study)
    expected = {name: body.splitlines() for name, body in _bodies(findings).items()}
    text = read_text(path) if path.exists() else ""
    found = {block.name: block for block in find_blocks(text, path)}
    problems: list[Problem] = []
    for name, lines in expected.items():
        if name in found:
            problems += _differing(found[name], lines)
        else:
            problems.append(Problem(name, 1, NO_ENTRY, "an entry", "run `ethogram log`"))
    problems += _without_runs(study, [found[name] for name in found if name not in expected])
    checked = sum(len(lines) for name, lines in expected.items() if name in found)
    return Verification(
        checked,
        problems,
        [words for entry in findings.entries for words in _unshown(entry)],
        [f"{entry.version}: {note}" for entry in findings.entries for note in entry.unmeasured],
        [f"{entry.version} {entry.stale}" for entry in findings.entries if entry.stale],
    )


def _unshown(entry: Entry) -> list[str]:
    return [
        f"versions/{entry.version}: {claim.text!r} says {claim.metric} {claim.claimed}; "
        f"measured: {claim.measured}"
        for claim in entry.claims
        if not claim.holds
    ]


def unsupported(study: Study) -> list[Problem]:
    """Entries of the log without a stored run; `write_progress` leaves them as they are.

    Raises:
        SpecError: the file's markers are broken, or it is not text.
    """
    path = study.folder / PROGRESS_FILE
    blocks = find_blocks(read_text(path), path) if path.exists() else []
    return _without_runs(
        study,
        [
            block
            for block in blocks
            if block.name != FINDINGS
            and (block.name not in study.versions or not has_results(study, block.name))
        ],
    )


def _without_runs(study: Study, blocks: Sequence[Block]) -> list[Problem]:
    problems = []
    for block in blocks:
        known = block.name in study.versions
        expected = "no stored run of this version" if known else "no such version"
        hint = (
            f"run `ethogram run {block.name}`, or delete the block"
            if known
            else ("bring its version file back, or delete the block")
        )
        line = block.first_line - 1
        problems.append(Problem(block.name, line, "an entry", expected, hint))
    return problems


def _differing(block: Block, expected: Sequence[str]) -> list[Problem]:
    """Lines changed, added or missing; those that only moved down or up with them are right."""
    found = block.lines
    shorter = min(len(found), len(expected))
    # The matcher alone may pair the equal lines of a loop that is quoted across a changed one.
    head = next((n for n in range(shorter) if found[n] != expected[n]), shorter)
    rest = shorter - head
    tail = next((n for n in range(rest) if found[-1 - n] != expected[-1 - n]), rest)
    said, true = found[head : len(found) - tail], expected[head : len(expected) - tail]
    problems = []
    for tag, i, i_end, j, j_end in SequenceMatcher(None, said, true, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        for offset, (old, new) in enumerate(zip_longest(said[i:i_end], true[j:j_end])):
            line = block.first_line + head + min(i + offset, i_end)
            problems.append(Problem(block.name, line, old, new))
    return problems


def _opening(study: Study) -> str:
    settings = study.spec.settings
    about = f"\n{settings.about.strip()}\n" if settings.about else ""
    return f"# {settings.title or settings.name}\n{about}\n{_HEADING}\n"


def _wrap(name: str, body: str) -> str:
    return f"<!-- ethogram:begin {name} -->\n{body}<!-- ethogram:end {name} -->\n"
