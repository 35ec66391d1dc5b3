"""`ethogram judge`: words, JSON, and one line for what goes wrong."""

from __future__ import annotations

import itertools
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.interrupts import hears_interrupts
from tests.judges import prefers_longer, refusal, serving

import ethogram as eg
from ethogram.cli import main

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Call:
    """Runs `ethogram judge v0.0.1 v0.1.0` on a small study: exit code, output, errors."""
    for name in ("OPENAI_BASE_URL", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "100")
    eg.init(tmp_path / "study")
    for version, text in (("v1.0.0", "An answer"), ("v1.1.0", "A longer answer")):
        file = tmp_path / f"{version}.jsonl"
        rows = [{"prompt_id": f"p{i}", "prompt": f"Q{i}", "output": f"{text} {i}."} for i in "abc"]
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
        with eg.Study(tmp_path / "study") as study:
            eg.import_outputs(study, file, version)
    with eg.Study(tmp_path / "study") as study:
        eg.run(study, ["v1.0.0", "v1.1.0"])

    def run(*options: str) -> tuple[int, str, str]:
        words = ["judge", "v1.0.0", "v1.1.0", "--study", str(tmp_path / "study"), *options]
        monkeypatch.setattr(sys, "argv", ["ethogram", *words])
        capsys.readouterr()
        with pytest.raises(SystemExit) as stopped:
            main()
        return int(stopped.value.code or 0), *capsys.readouterr()

    return run


def test_words_and_json(call: Call) -> None:
    with serving(prefers_longer) as judge:
        code, out, _ = call("--model", "small", "--base-url", judge.url)
        assert code == 0
        words = " ".join(out.split())
        assert "3 pairs on 3 prompts: equal sample index, independent noise" in words
        assert "v1.1.0 wins 3, loses 0, ties 0" in words
        assert "win rate of v1.1.0 100.0%" in words
        assert "only 3 prompts" in words
        assert "6 requests made, 0 verdicts already stored" in words
        code, out, err = call("--model", "small", "--json", "--base-url", judge.url)
    data: dict[str, Any] = json.loads(out)
    assert (code, err) == (0, "")
    assert data["wins"] == 3
    assert data["cost"] == {
        "verdicts": 6,
        "asked": 0,
        "prompt_tokens": 600,
        "completion_tokens": 120,
    }
    assert len(judge.asked) == 6
    assert json.loads(call("--model", "small", "--json", "--offline")[1]) == data


def test_a_rubric_of_ones_own(call: Call, tmp_path: Path) -> None:
    rubric = tmp_path / "mine.yaml"
    rubric.write_text("criteria:\n  - {name: kind, question: Is it kind?}\n")
    with serving(lambda _: 'Yes.\n{"kind": 7}') as judge:
        code, out, _ = call("--model", "m", "--base-url", judge.url, "--rubric", str(rubric))
    assert code == 0
    assert "kind" in out
    assert "7.000" in out
    rubric.write_text("criteria:\n  - {name: kind, questoin: Is it kind?}\n")
    code, _, err = call("--model", "m", "--rubric", str(rubric))
    assert code == 2
    assert "mine.yaml:2: criteria.0.questoin: unknown field; did you mean 'question'?" in err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "Missing option '--model'"),
        (["--model", "m"], "no key; set OPENAI_API_KEY, or the variable of --key-variable"),
        (["--model", "m", "--base-url", "nowhere"], "not an API address"),
        (["--model", "m", "--base-url", "http://127.0.0.1:9/v1", "--retries", "0"], "refused"),
        (["--model", "m", "--key-variable", "NO_SUCH"], "NO_SUCH is not set"),
        (["--model", "m", "--offline"], "6 of 6 verdicts of 'm' are not stored"),
        (["--model", "m", "--samples", "0"], "--samples"),
    ],
)
def test_a_mistake_is_one_line(call: Call, options: list[str], words: str) -> None:
    code, out, err = call(*options)
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert words in err
    assert "Traceback" not in err


def test_a_key_from_a_variable_of_ones_own(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "sk-mine")
    with serving(lambda _: refusal(401, "sk-mine is wrong")) as judge:
        code, _, err = call("--model", "m", "--base-url", judge.url, "--key-variable", "MY_KEY")
    assert code == 2
    assert "refuses the key (401)" in err
    assert "sk-mine" not in err
    assert set(judge.keys) == {"Bearer sk-mine"}


@pytest.mark.fault("Ctrl-C while a judge answers")
@pytest.mark.long
def test_an_interrupt_ends_at_once_and_keeps_what_came(call: Call, tmp_path: Path) -> None:
    """Without waiting for replies under way: here they take longer than the test may."""
    release = threading.Event()
    tries = itertools.count()

    def answer(question: str) -> str:
        if next(tries) > 1:
            release.wait(120)
        return prefers_longer(question)

    def stored() -> int:
        path = tmp_path / "study" / ".ethogram" / "store.sqlite"
        with closing(sqlite3.connect(path)) as connection:
            return int(connection.execute("select count(*) from verdicts").fetchone()[0])

    with serving(answer) as judge:
        words = f"judge v1.0.0 v1.1.0 --model small --concurrency 2 --base-url {judge.url}".split()
        main_program = [sys.executable, "-c", "from ethogram.cli import main; main()"]
        program = subprocess.Popen(
            [*main_program, *words, "--study", str(tmp_path / "study")],
            env={**os.environ, "PYTHONPATH": "src"},
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=hears_interrupts,
        )
        patience = time.monotonic() + 60
        while (len(judge.asked) < 4 or stored() < 2) and time.monotonic() < patience:
            time.sleep(0.05)
        program.send_signal(signal.SIGINT)
        _, err = program.communicate(timeout=60)
        release.set()
    assert program.returncode == 130
    assert "Traceback" not in err
    assert "everything generated so far is stored" in err
    assert stored() == 2
