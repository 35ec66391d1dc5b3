"""Lists words that this project does not use, each with what to write instead; exit code 1 if any.

Scanned: the source, the documentation, names and docstrings of tests, the examples, the README and
the unreleased part of the changelog. `words: allow` on a line lets it pass.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ALLOWED = "words: allow"

#: Whole words not to write, as a pattern, and what to write instead. Underscores are spaces.
WORDS = {
    "(in (any |whatever )?|any |whatever )company": "batch-invariant; whatever is in the batch",
    "luck": "randomness, random stream, noise",
    "mend(s|ed|ing)?": "fix, hint",
    "(borne|bears?) out": "matches, agrees with, supported by",
    "dear(er|ly)?": "expensive",
    "told(?! apart)": "given, called with, reported",
    "twins?": "fused model, counterpart",
    "takes? up the model": "fuse",
    "stands? (already|twice)": "duplicate …, already defined",
    "(?<!there )is no (bound|count|name|version name|step|regular expression)": "is not a …",
    "out of reach": "unreachable, offline",
    "second (view|history|histories)": "guidance branch, contrastive branch",
    "companions?": "guidance rows",
    "quickens?": "patch, speed up",
    "anew": "again, from scratch",
    "left away": "omitted, dropped",
    "dealt into": "split into",
    "asks nobody": "offline, needs no model (or delete)",
    "(draws?|drawn) by chance": "drawn at random",
    "recorded and played": "captured and replayed",
    "merged histor(y|ies)": "prefix sharing",
    "shared beginnings?": "prefix caching, cached prefix",
    "deaf": "has low power",
    "cheap cousin": "cheaper alternative",
    "unanimous(ly)?": "zero variance",
    "row class(es)?": "invariant batch sizes",
}
PATTERN = re.compile(
    "|".join(rf"(?P<w{i}>\b(?:{words})\b)" for i, words in enumerate(WORDS)), re.IGNORECASE
)
ADVICE = tuple(WORDS.values())


def findings(lines: Iterator[tuple[int, str]]) -> Iterator[tuple[int, str, str]]:
    """Line number, the words found and what to write instead."""
    for number, line in lines:
        if ALLOWED in line:
            continue
        for match in PATTERN.finditer(line.replace("_", " ")):
            which = next(int(name[1:]) for name, text in match.groupdict().items() if text)
            yield number, match[0], ADVICE[which]


def every_line(text: str) -> Iterator[tuple[int, str]]:
    """All lines, numbered from 1."""
    yield from enumerate(text.splitlines(), start=1)


def unreleased(text: str) -> Iterator[tuple[int, str]]:
    """The lines of a changelog before the first released version."""
    for number, line in every_line(text):
        if re.match(r"## \[\d", line):
            return
        yield number, line


def names_and_docstrings(text: str) -> Iterator[tuple[int, str]]:
    """Of Python code, the lines that name a function or class, and its docstrings."""
    lines = text.splitlines()
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            continue
        if not isinstance(node, ast.Module):
            yield node.lineno, node.name if ALLOWED not in lines[node.lineno - 1] else ""
        if ast.get_docstring(node):
            docstring = node.body[0]
            for number in range(docstring.lineno, (docstring.end_lineno or docstring.lineno) + 1):
                yield number, lines[number - 1]


def scanned() -> Iterator[tuple[Path, Iterator[tuple[int, str]]]]:
    """Each file and the lines of it that count."""
    everything = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "docs/**/*.md", "benchmarks/*.md"]
    everything += [f"src/**/*.{kind}" for kind in ("py", "cpp", "h", "html", "j2", "css")]
    everything += ["examples/**/*.yaml", "examples/**/*.md", "scripts/*.md"]
    for pattern in everything:
        for path in sorted(ROOT.glob(pattern)):
            yield path, every_line(path.read_text(encoding="utf-8"))
    for pattern in ("tests/**/*.py", "benchmarks/**/*.py"):
        for path in sorted(ROOT.glob(pattern)):
            yield path, names_and_docstrings(path.read_text(encoding="utf-8"))
    path = ROOT / "CHANGELOG.md"
    yield path, unreleased(path.read_text(encoding="utf-8"))


def main() -> int:
    """Print what is found."""
    found = [
        f"{path.relative_to(ROOT)}:{number}: {words} → {instead}"
        for path, lines in scanned()
        for number, words, instead in findings(lines)
    ]
    print("\n".join(found) or "no word to avoid")
    if found:
        print(f"{len(found)} places; a line with '{ALLOWED}' passes", file=sys.stderr)
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
