"""Commands that meet a fault, and what must hold of a study after it."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from contextlib import chdir, closing, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

from tests.interrupts import hears_interrupts

from ethogram.cli import main
from ethogram.store import Store

ROOT = Path(__file__).parents[2]
ADD = "ethogram.store:Store.add"
KILLED, TERMINATED = -9, 143


def start(folder: Path, *words: str, fault: str = "") -> subprocess.Popen[str]:
    """A command of the study in a folder, in a process that meets the fault."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "ETHOGRAM_THREADS": "1"}
    environment["PYTHONPATH"] = f"{ROOT / 'src'}{os.pathsep}{ROOT}"
    return subprocess.Popen(
        [sys.executable, str(Path(__file__).parent / "armed.py"), fault, *words],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="surrogateescape",
        preexec_fn=hears_interrupts,
    )


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Exit code, output and errors of a command, which never shows a traceback."""
    try:
        out, err = process.communicate(timeout=240)
    finally:
        process.kill()
    assert "Traceback" not in err, err
    return process.returncode, out, err


def call(folder: Path, *words: str, fault: str = "") -> tuple[int, str, str]:
    """Run a command to its end."""
    return ended(start(folder, *words, fault=fault))


def here(folder: Path, *words: str) -> tuple[int, str, str]:
    """Run a command in this process, which saves importing torch: exit code, output, errors."""
    out, err = io.StringIO(), io.StringIO()
    before, sys.argv = sys.argv, ["ethogram", *words]
    code = 0
    try:
        with chdir(folder), redirect_stdout(out), redirect_stderr(err):
            main()
    except SystemExit as stopped:
        code = int(stopped.code or 0)
    finally:
        sys.argv = before
    assert "Traceback" not in err.getvalue()
    return code, out.getvalue(), err.getvalue()


def works(folder: Path, *words: str) -> str:
    """Run a command in this process that must succeed; its output."""
    code, out, err = here(folder, *words)
    assert code == 0, err
    return out


def is_one_line(result: tuple[int, str, str], *words: str, code: int = 2) -> None:
    """An exit code, and one line of errors that holds the words; lines of progress do not count."""
    got, out, err = result
    assert got == code, (out, err)
    lines = [line for line in err.splitlines() if line.startswith("ethogram: ")]
    assert len(lines) == 1, err
    for word in words:
        assert re.search(word, lines[0]), err


def outputs(folder: Path) -> list[tuple[Any, ...]]:
    """All stored generations without their times, in order; an output stored twice shows."""
    path = folder / ".ethogram/store.sqlite"
    if not path.exists():
        return []
    wanted = "identity, prompt_id, sample_index, text, finish_reason"
    with closing(Store.open(path)) as store, store.database.begin() as connection:
        question = f"SELECT {wanted} FROM generations ORDER BY identity, prompt_id, sample_index"
        rows = [tuple(row) for row in connection.exec_driver_sql(question)]
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"
    assert len({row[0] for row in rows}) == len(rows)
    return rows


def part_of(some: Sequence[tuple[Any, ...]], whole: Sequence[tuple[Any, ...]]) -> bool:
    """Whether all stored outputs are whole and equal those of an undisturbed study."""
    return set(some) <= set(whole)


def shorten(folder: Path, prompts: int = 12, tokens: int = 12) -> None:
    """Make the work of a study small."""
    rows = [{"id": f"p{n}", "text": f"the keeper number {n} said"} for n in range(prompts)]
    suite = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "suites/prompts.jsonl").write_text(suite)
    version = folder / "versions/v0.0.1.yaml"
    text = version.read_text()
    version.write_text(re.sub("max_new_tokens: [0-9]+", f"max_new_tokens: {tokens}", text))
