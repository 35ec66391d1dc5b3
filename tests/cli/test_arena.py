"""`ethogram arena` and `ethogram rank` at a shell: lines of a script, keys of a terminal, JSON."""

from __future__ import annotations

import io
import json
import os
import re
import sys
import time
from pathlib import Path

import pytest
from tests.arena.studies import named, write_study
from tests.cli.calls import Run, one_line, parsed

from ethogram.store import Votes
from ethogram.study import Study

NAMES = ("v1.0.0", "v1.1.0")


@pytest.fixture
def folder(tmp_path: Path) -> str:
    two = {name: named(word) for name, word in zip(NAMES, "AB", strict=True)}
    return str(write_study(tmp_path / "study", two, prompts=12))


def given(monkeypatch: pytest.MonkeyPatch, lines: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(lines))


def choices(folder: str) -> list[str]:
    with Study(folder) as study:
        return [vote.choice for vote in Votes(study.store).all()]


def test_lines_are_votes(ethogram: Run, folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, "left\nright\n\nTIE\nboth_bad\nskip\nundo\nb\n")
    code, out, _ = ethogram("arena", *NAMES, "-C", folder, "--voter", "ann")
    assert code == 0
    assert choices(folder) == ["left", "right", "tie", "both_bad", "both_bad"]
    assert "5 votes by ann. Next: ethogram rank v1.0.0 v1.1.0" in out
    shown = re.sub(r"Question|Next:.*", "", out)
    assert not any(name in shown for name in NAMES)


def test_pairs_as_json_and_ratings(
    ethogram: Run, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for voter in ("ann", "bob"):
        given(monkeypatch, "left\n" * 20)
        code, out, _ = ethogram("arena", *NAMES, "-C", folder, "--voter", voter, "--json")
        assert code == 0
        lines = [json.loads(line) for line in out.splitlines()]
        assert len(lines) == 13
        assert set(lines[0]) == {"ticket", "prompt", "left", "right", "voted", "pairs", "refused"}
        assert lines[-1] == {"votes": 12, "recipe": None}
    found = parsed(ethogram("rank", "-C", folder, "--json"))
    assert found["votes"] == 24
    assert found["voters"] == {"ann": 12, "bob": 12}
    code, out, _ = ethogram("rank", "-C", folder)
    assert code == 0
    assert out.splitlines()[0].startswith(found["verdict"][:30])
    assert "Krippendorff" in out


def test_a_judge_votes_apart(ethogram: Run, folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, "left\nleft\n")
    assert ethogram("arena", *NAMES, "-C", folder, "--voter", "m", "--kind", "judge")[0] == 0
    assert parsed(ethogram("rank", *NAMES, "-C", folder, "--json"))["votes"] == 0
    judged = parsed(ethogram("rank", *NAMES, "-C", folder, "--kind", "judge", "--json"))
    assert judged["voters"] == {"m": 2}


def test_mistakes_are_one_line(ethogram: Run, folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, "perhaps\n")
    one_line(ethogram("arena", *NAMES, "-C", folder), "unknown vote 'perhaps'")
    one_line(ethogram("arena", "v1.0.0", "-C", folder), "two different versions")
    one_line(ethogram("arena", "v1.0.0", "v9.0.0", "-C", folder), "v9.0.0")
    one_line(ethogram("rank", "-C", folder), "no votes are stored")
    one_line(ethogram("rank", "-C", folder, "--voter", "ann"), "no votes by ann are stored")
    given(monkeypatch, "")
    recipe = ("--recipe", "votes.yaml")
    one_line(ethogram("arena", *NAMES, "-C", folder, *recipe), "no votes")
    one_line(
        ethogram("export", "-", *NAMES, "-C", folder, "--as", "dpo", "-m", "votes"), "vote first"
    )


@pytest.mark.skipif(os.name == "nt", reason="no pseudo-terminal")
@pytest.mark.long
def test_keys_of_a_terminal_are_votes(folder: str) -> None:
    import pty
    import select

    child, terminal = pty.fork()
    if child == 0:
        code = "import sys; from ethogram.cli import main; main()"
        arguments = ["-c", code, "arena", *NAMES, "-C", folder, "--voter", "ann"]
        os.environ.update(COLUMNS="100", TERM="xterm")
        os.execv(sys.executable, [sys.executable, *arguments])
    printed = b""

    def wait_for(words: bytes) -> None:
        nonlocal printed
        until = time.monotonic() + 60
        while words not in printed:
            assert time.monotonic() < until, printed[-2000:]
            if select.select([terminal], [], [], 1)[0]:
                printed += os.read(terminal, 65536)
        printed = b""
        time.sleep(0.5)  # Until the program reads keys: what is typed before is lost.

    for number, key in enumerate((b"\x1b[D", b"\x1b[C", b"t", b"b", b"s")):
        wait_for(b"%d of 12 pairs" % number)
        os.write(terminal, key)
    wait_for(b"5 of 12 pairs")
    os.write(terminal, b"u")
    wait_for(b"4 of 12 pairs")
    os.write(terminal, b"q")
    wait_for(b"4 votes by ann")
    os.waitpid(child, 0)
    os.close(terminal)
    assert choices(folder) == ["left", "right", "tie", "both_bad"]
