"""Fill README.md and the tutorial with real output: `python scripts/samples.py FIRST_LIGHT`.

FIRST_LIGHT is a copy of examples/first-light whose versions have been run (`ethogram init
FIRST_LIGHT --example`, `ethogram run -C FIRST_LIGHT`). A comment before a fenced block says what it
holds:

    <!-- output -->                          what the command in its first line prints
    <!-- output: first 12 lines -->          the first of these lines; or `last`
    <!-- output of: sed -n 1,9p FILE -->     what another command prints
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGES = (ROOT / "README.md", ROOT / "docs" / "tutorial.md")
BLOCK = re.compile(
    r"(?P<head><!-- output(?: of: (?P<other>[^\n]*?))?"
    r"(?:: (?P<side>first|last) (?P<lines>\d+) lines)?"
    r" -->\n\n```\w+\n)(?P<shown>\$ (?P<command>[^\n]*)\n)?.*?(?P<foot>```\n)",
    re.DOTALL,
)


def filled(text: str, folder: Path) -> str:
    """A page with every block written anew from the study in `folder`."""

    def again(block: re.Match[str]) -> str:
        printed = _printed(block["other"] or block["command"], folder).rstrip().splitlines()
        printed = [line.rstrip() for line in printed]
        count = int(block["lines"] or len(printed))
        if block["side"] == "last":
            kept = printed[-count:]
        else:
            kept = printed[:count] + ["…"] * (count < len(printed))
        body = "".join(f"{line}\n" for line in kept)
        return block["head"] + (block["shown"] or "") + body + block["foot"]

    return BLOCK.sub(again, text)


def _printed(command: str, folder: Path) -> str:
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env={**os.environ, "COLUMNS": "80", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
    )
    # An error is what `verify` shows on purpose; its words go to either stream.
    return done.stdout or done.stderr


def main() -> None:
    """Write both pages."""
    folder = Path(sys.argv[1])
    for page in PAGES:
        page.write_text(filled(page.read_text(encoding="utf-8"), folder), encoding="utf-8")


if __name__ == "__main__":
    main()
