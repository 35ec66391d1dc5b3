"""`ethogram ui` and `ethogram report` as commands."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-c", "from ethogram.cli import main; main()"]


@pytest.mark.long
@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")
def test_it_prints_an_address_answers_and_ends_without_a_traceback(folder: Path) -> None:
    process = subprocess.Popen(
        [*COMMAND, "ui", str(folder), "--no-browser"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        found = re.search(r"(http://127\.0\.0\.1:\d+)/#token=([\w-]+)", process.stdout.readline())
        assert found
        request = urllib.request.Request(
            f"{found[1]}/api/log", headers={"Authorization": f"Bearer {found[2]}"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            assert b"What is shown" in answer.read()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    finally:
        process.kill()
    assert errors == ""
    assert process.returncode == 0


@pytest.mark.long
def test_a_wrong_study_and_a_taken_port_are_one_line(folder: Path, tmp_path: Path) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        for arguments, words in (
            (["ui", str(tmp_path / "nothing")], "no study.yaml here"),
            (["ui", str(folder), "--port", port, "--no-browser"], "cannot listen"),
            (["report", "-C", str(tmp_path / "nothing")], "no study.yaml here"),
        ):
            done = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True)
            assert done.returncode == 2
            assert words in done.stderr
            assert done.stderr.count("\n") == 1


@pytest.mark.long
def test_report_writes_the_file_and_says_where(folder: Path) -> None:
    path = folder / "out.html"
    done = subprocess.run(
        [*COMMAND, "report", "-C", str(folder), "-o", str(path)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert f"Wrote {path}" in done.stdout
    assert path.stat().st_size < 5_000_000
