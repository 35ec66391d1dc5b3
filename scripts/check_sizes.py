"""Lists prose of more than 100 columns and files of more than 400 lines; exit code 1 if any.

In Markdown, tables, code, headings and the targets of links may be longer. `--wrap` wraps the
paragraphs of Markdown files that have a line too long, and leaves the others as they are.
"""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COLUMNS = 100
LINES = 400

PROSE = ("*.md", "docs/*.md", "benchmarks/*.md", "scripts/*.md", ".github/**/*.md")
CODE = tuple(
    f"{folder}/**/*.{kind}"
    for folder in ("src", "tests", "benchmarks", "scripts")
    for kind in ("py", "cpp", "h")
)


#: What a line of Markdown must not begin with by accident.
MARKER = re.compile(r"([-+*>|=~]|#+|\d+[.)])(\s|$)")
ITEM = re.compile(r"(\s*)([-+*]|\d+[.)])\s+")
#: Stands for a space at which no line may end.
KEPT = "\x00"


def is_prose(lines: list[str]) -> list[bool]:
    """Of each line of Markdown, whether it is prose: no table, code, heading, quote or HTML."""
    found, in_code, in_item = [], False, False
    for line in lines:
        if line.strip() and not line.startswith(" "):
            in_item = bool(ITEM.match(line)) or line.startswith(("!!!", "???"))
        fence = line.lstrip().startswith(("```", "~~~"))
        in_code ^= fence
        other = line.lstrip().startswith(("|", "#", "<", ">")) or re.match(r"\[[^\]]*\]:", line)
        indented = line.startswith("    ") and not in_item
        found.append(not (fence or in_code or other or indented or not line.strip()))
    return found


def columns(line: str) -> int:
    """The columns of a line without the targets of its links."""
    return len(re.sub(r"\]\([^)]*\)|<?https?://\S+", "]", line))


def long_prose(text: str) -> Iterator[tuple[int, int]]:
    """Number and columns of each line of prose that is too long."""
    lines = text.splitlines()
    for number, (line, prose) in enumerate(zip(lines, is_prose(lines), strict=True), start=1):
        if prose and columns(line) > COLUMNS:
            yield number, columns(line)


def wrapped(text: str) -> str:
    """Markdown with each paragraph wrapped that has a line too long."""
    made: list[str] = []
    paragraph: list[str] = []

    def finish() -> None:
        long = any(columns(line) > COLUMNS for line in paragraph)
        made.extend(_wrap(paragraph) if long else paragraph)
        paragraph.clear()

    lines = text.splitlines()
    for line, prose in zip(lines, is_prose(lines), strict=True):
        if not prose or ITEM.match(line):
            finish()
        (paragraph if prose else made).append(line)
    finish()
    return "\n".join(made) + "\n"


def _wrap(lines: list[str]) -> list[str]:
    item = ITEM.match(lines[0])
    first = item[0] if item else re.match(r"\s*", lines[0])[0]  # type: ignore[index]
    after = " " * len(first)
    text = " ".join(line.strip() for line in lines)[len(first.lstrip()) :]
    text = re.sub(r"`[^`]+`", lambda code: code[0].replace(" ", KEPT), text)
    text = re.sub(rf" (?={MARKER.pattern})", KEPT, text)
    made = textwrap.wrap(
        text,
        COLUMNS,
        initial_indent=first,
        subsequent_indent=after,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.replace(KEPT, " ") for line in made]


def main() -> int:
    """Print what is found, or wrap the prose first."""
    found = []
    for path in sorted({path for pattern in PROSE for path in ROOT.glob(pattern)}):
        if "--wrap" in sys.argv[1:]:
            path.write_text(wrapped(path.read_text(encoding="utf-8")), encoding="utf-8")
        for number, width in long_prose(path.read_text(encoding="utf-8")):
            name = path.relative_to(ROOT)
            found.append(f"{name}:{number}: {width} columns, at most {COLUMNS}")
    for path in sorted({path for pattern in CODE for path in ROOT.glob(pattern)}):
        file, lines = str(path.relative_to(ROOT)), path.read_text(encoding="utf-8").count("\n")
        if lines > LINES:
            found.append(f"{file}: {lines} lines, at most {LINES}: split it")
    print("\n".join(found) or "all files and lines are short enough")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
