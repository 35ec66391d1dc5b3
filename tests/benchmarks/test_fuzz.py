"""The fuzzers run on every target, and see what breaks one."""

from __future__ import annotations

import contextlib
import random
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("resource", reason="limits of POSIX")

from benchmarks.fuzz import __main__ as fuzzer
from benchmarks.fuzz.mutate import mutated
from benchmarks.fuzz.targets import TARGETS, Target, target
from ethogram.errors import SpecError

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="limits of POSIX")


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_reads_its_seeds_and_survives_some_inputs(name: str, tmp_path: Path) -> None:
    made, chance = target(name, tmp_path), random.Random(name)
    for each in made.seeds:
        with contextlib.suppress(*made.refusals):
            made.read(each)
    inputs = [*made.seeds[:12], *(mutated(made.seeds, chance) for _ in range(12))]
    assert [found for each in inputs if (found := fuzzer._problem(made, each))] == []
    assert len({mutated(made.seeds, chance) for _ in range(20)}) > 10


def broken(data: bytes) -> None:
    """A parser with three mistakes."""
    if data == b"hang":
        until = time.monotonic() + 30
        while time.monotonic() < until:
            pass
    if data == b"refuse":
        raise SpecError("no", where="here")
    raise KeyError(data)


def test_a_finding_is_another_exception_or_a_hang(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import signal

    monkeypatch.setattr(fuzzer, "_SECONDS", 0.2)
    monkeypatch.setattr(fuzzer, "_limit_memory", lambda: None)
    made = Target([b"seed"], broken, (SpecError,))
    before = signal.signal(signal.SIGPROF, fuzzer._stop)
    try:
        assert fuzzer._problem(made, b"refuse") is None
        assert "KeyError" in str(fuzzer._problem(made, b"x"))
        assert "HangError" in str(fuzzer._problem(made, b"hang"))
        monkeypatch.setattr(fuzzer, "mutated", lambda seeds, chance: b"always the same")
        assert fuzzer.fuzz("broken", made, 0.05, 1, tmp_path) == 1
    finally:
        signal.signal(signal.SIGPROF, before)
    assert (tmp_path / "broken-1").read_bytes() == b"always the same"
    assert capsys.readouterr().out.count("KeyError") == 1
