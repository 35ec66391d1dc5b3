"""Commands whose output nobody reads to the end, as with `| head`: a real pipe that is closed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.arena.studies import named, write_study

NAMES = ("v1.0.0", "v1.1.0")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    two = {name: named(word) for name, word in zip(NAMES, "AB", strict=True)}
    return write_study(tmp_path_factory.mktemp("piped") / "study", two, prompts=60)


@pytest.mark.skipif(sys.platform == "win32", reason="has no SIGPIPE")
@pytest.mark.long
@pytest.mark.parametrize(
    "words",
    [
        "--help",
        "outputs v1.0.0",
        "outputs v1.0.0 --json",
        "compare v1.0.0 v1.1.0",
        "ls",
        "log",
        "metrics",
        "show v1.0.0",
        "schema study",
        "no-such-command",
    ],
)
def test_a_closed_pipe_ends_a_command_without_a_word(folder: Path, words: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    code = "from ethogram.cli import main; main()"
    command = [sys.executable, "-c", code, *words.split()]
    with os.fdopen(writing, "wb") as closed:
        # Errors go into the same pipe where no output does.
        errors = closed if words == "no-such-command" else subprocess.PIPE
        done = subprocess.run(command, cwd=folder, stdout=closed, stderr=errors, check=False)
    assert done.stderr in (b"", None)
    assert done.returncode == 141


@pytest.mark.skipif(sys.platform == "win32", reason="has no SIGPIPE")
@pytest.mark.long
def test_what_was_read_is_whole(folder: Path) -> None:
    """`ethogram outputs | head -1` under pipefail: the first line, no error, status 141."""
    line = f"set -o pipefail; {sys.executable} -c 'from ethogram.cli import main; main()'"
    done = subprocess.run(
        ["bash", "-c", f"{line} outputs v1.0.0 --limit 0 | head -n 1"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout == "p0\n"  # The first prompt.
    assert done.returncode in (0, 141)  # 0 if all of it fitted into the pipe.
