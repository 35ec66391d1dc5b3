"""PROGRESS.md: the log as Markdown, in which each generated line can be derived again.

A generated block stands between two comment lines. Regeneration replaces whole blocks and keeps
every character outside them, so hand-written text is never lost.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ethogram.report.claims import (
    EXAMPLE_CHARACTERS,
    Entry,
    entries,
    number,
    printable,
    signed,
)
from ethogram.study.workspace import Study

PROGRESS_FILE = "PROGRESS.md"
BLOCK = re.compile(
    r"<!-- ethogram:begin (?P<name>\S+) -->\n(?P<body>.*?)<!-- ethogram:end (?P=name) -->\n?",
    re.DOTALL,
)


@dataclass(frozen=True)
class Problem:
    """A claim of PROGRESS.md that the store does not bear out."""

    block: str
    line: int
    found: str
    expected: str

    @property
    def words(self) -> str:
        """One line for the reader."""
        return (
            f"{PROGRESS_FILE}:{self.line}: {self.block}: the log says {self.found!r}, "
            f"the store says {self.expected!r}"
        )


def write_progress(study: Study) -> Path:
    """Write PROGRESS.md: new blocks are added, known ones replaced, the rest is kept.

    Returns:
        The path of the file.
    """
    path = study.folder / PROGRESS_FILE
    blocks = _blocks(study)
    old = path.read_text(encoding="utf-8") if path.exists() else _opening(study)
    seen: set[str] = set()

    def replace(match: re.Match[str]) -> str:
        name = match["name"]
        seen.add(name)
        return _wrap(name, blocks[name]) if name in blocks else match[0]

    text = BLOCK.sub(replace, old)
    for name, body in blocks.items():
        if name not in seen:
            text = f"{text.rstrip()}\n\n{_wrap(name, body)}"
    temporary = path.with_suffix(".md.tmp")
    temporary.write_text(text, encoding="utf-8")
    os.replace(temporary, path)
    return path


def verify_progress(study: Study) -> tuple[int, list[Problem]]:
    """Derive every generated block again and compare it line by line.

    Returns:
        How many lines were checked, and the problems: edited, stale or missing claims.
    """
    path = study.folder / PROGRESS_FILE
    blocks = _blocks(study)
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    found = {match["name"]: match for match in BLOCK.finditer(text)}
    problems: list[Problem] = []
    checked = 0
    for name, expected in blocks.items():
        if name not in found:
            problems.append(Problem(name, 1, "nothing", "an entry; run `ethogram log`"))
            continue
        first_line = text.count("\n", 0, found[name].start("body")) + 1
        checked += len(expected.splitlines())
        problems.extend(_compare(name, first_line, found[name]["body"], expected))
    for name, match in found.items():
        if name not in blocks:
            line = text.count("\n", 0, match.start()) + 1
            problems.append(Problem(name, line, "an entry", "no stored run of this version"))
    return checked, problems


def _compare(name: str, first_line: int, found: str, expected: str) -> list[Problem]:
    old, new = found.splitlines(), expected.splitlines()
    problems = []
    for offset in range(max(len(old), len(new))):
        said = old[offset] if offset < len(old) else ""
        true = new[offset] if offset < len(new) else ""
        if said != true:
            problems.append(Problem(name, first_line + offset, said, true))
    return problems


def _opening(study: Study) -> str:
    settings = study.spec.settings
    about = f"\n{settings.about.strip()}\n" if settings.about else ""
    return f"# {settings.title or settings.name}\n{about}\n## Progress log\n"


def _wrap(name: str, body: str) -> str:
    return f"<!-- ethogram:begin {name} -->\n{body}<!-- ethogram:end {name} -->\n"


def _blocks(study: Study) -> dict[str, str]:
    return {entry.version: render(entry) for entry in entries(study)}


def render(entry: Entry) -> str:
    """The Markdown of one entry."""
    heading = f"### {entry.version}" + (f" — {entry.title}" if entry.title else "")
    parts = [
        f"{heading}\n",
        f"- **Model:** `{entry.model}`",
        f"- **Evidence:** {entry.generations} generations on {entry.prompts} prompts "
        f"(identity `{entry.identity}`)",
    ]
    if entry.changes:
        parts.append(f"- **Changed from {entry.parent}:**")
        parts += [f"  - {_one_line(change.words)}" for change in entry.changes]
    if entry.pitfalls:
        parts.append("- **Pitfalls:**")
        parts += [
            f"  - {pitfall.name}: {pitfall.found} of {pitfall.total} outputs ({pitfall.meaning})"
            for pitfall in entry.pitfalls
        ]
    for label, notes in (
        ("Learned", entry.learned),
        ("Takeaway", entry.takeaway),
        ("Limitation", entry.limitation),
        ("Notes", entry.notes),
    ):
        if notes:
            parts.append(f"- **{label}:**")
            parts += [f"  - {_one_line(note)}" for note in notes]
    return "\n".join([*parts, "", *_results(entry), "", *_example(entry)]) + "\n"


def _results(entry: Entry) -> list[str]:
    if not entry.differences:
        rows = ["| result | value |", "|---|---|"]
        return rows + [
            f"| {_cell(item.metric.title)} | {number(item.value)} |"
            for item in entry.values.values()
        ]
    rows = [f"| result | {entry.parent} | {entry.version} | difference, 95 % interval | |"]
    rows.append("|---|---|---|---|---|")
    for item in entry.differences.values():
        interval = f"{signed(item.estimate)} [{signed(item.low)}, {signed(item.high)}]"
        rows.append(
            f"| {_cell(item.metric.title)} | {number(item.before)} | {number(item.after)} "
            f"| {interval} | {item.verdict} |"
        )
    return rows


def _example(entry: Entry) -> Sequence[str]:
    example = entry.example
    if example is None:
        return []
    text = printable(example.text)
    if len(text) > EXAMPLE_CHARACTERS:
        text = text[:EXAMPLE_CHARACTERS].rstrip() + " …"
    quoted = [f"> {_inert(line)}" for line in (text or "(empty)").splitlines()]
    return [
        f"**Example** ({example.why}; prompt `{example.prompt_id}`, sample "
        f"{example.sample_index}, generation `{example.identity}`): "
        f"{_inert(_one_line(printable(example.prompt)))}",
        "",
        *quoted,
    ]


def _inert(text: str) -> str:
    """Model text as plain words: no HTML, links, images or markup come alive in a viewer."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_\[\]#|!~$@])", r"\\\1", escaped).replace("://", "&#58;//")


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
