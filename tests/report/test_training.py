"""What a person at a terminal sees of a training."""

from __future__ import annotations

import io
import time
from pathlib import Path

import pytest
from rich.console import Console

from ethogram.report import bar as bars
from ethogram.report.bar import ProgressBar
from ethogram.report.training import (
    LiveTraining,
    amount,
    curves_text,
    duration,
    print_plan,
    print_trainings,
    sparkline,
)
from ethogram.store import TrainingOutput
from ethogram.train.events import Evaluated, Event, Finished, Plan, Resumed, Stepped
from ethogram.train.job import Counts, Finding

WIDTH = 80
PLAN = Plan(
    name="my-gpt2",
    kind="pretrain",
    seed=1,
    counts=Counts(4017, 211, 5_200_000, 5_100_000, 20313, 256, 120_000),
    examples=[[("Hello", False), (" there", True), ("\n", True), ("\x1b[2J", True)]],
    parameters=5_850_000,
    trained_parameters=5_850_000,
    steps=1200,
    tokens=4_915_200,
    flop=1.8e14,
    memory_bytes=1 << 30,
    seconds=724.0,
    threads=2,
    precision="bfloat16",
    processes=1,
    findings=[Finding("pad", "it pads with its end token", "train a tokenizer", refuses=False)],
)
STEPPED = Stepped(
    3, 1200, {"train/loss": 5.2, "train/tokens_per_second": 6543.2, "train/mfu": 0.66}, 700.0
)
EVALUATED = Evaluated(
    0,
    {"held_out/loss": 8.4, "held_out/bits_per_byte": 3.3, "greedy/loop_rate": 0.5, "x/y": None},
    [TrainingOutput(0, "greedy", "p", 0, "a \x1b[31m text", "length")],
)
FINISHED = Finished(
    Path("models/my-gpt2"),
    "v2.0.0",
    731.0,
    724.0,
    1 << 30,
    {"held_out/loss": 4.74, "held_out/bits_per_byte": 1.864},
    [Finding("c", "outputs loop under greedy: 10% to 50%", refuses=False)],
)


def written(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def printed(*events: Event, terminal: bool = False) -> str:
    console = Console(file=io.StringIO(), width=WIDTH, force_terminal=terminal, color_system=None)
    with LiveTraining(console) as live:
        for event in events:
            live(event)
    return written(console)


def test_a_plan_in_eighty_columns() -> None:
    console = Console(file=io.StringIO(), width=WIDTH)
    print_plan(console, PLAN)
    shown = written(console)
    assert all(len(line) <= WIDTH for line in shown.splitlines())
    for words in (
        "4,017 rows and 211 held out", "5.85 M parameters, all trained", "1,200; 4.92 M tokens",
        "about 1.0 GiB", "about 12 min 4 s with 2 threads in bfloat16", "Hello there⏎",
        "Warning: it pads with its end token; train a tokenizer",
    ):  # fmt: skip
        assert words in " ".join(shown.split()), words
    assert "\x1b" not in shown


def test_what_is_printed_without_a_terminal() -> None:
    shown = printed(PLAN, Resumed(2), EVALUATED, STEPPED, FINISHED)
    assert "Continues from step 2." in shown
    assert "step 0: held_out/loss 8.4, held_out/bits_per_byte 3.3, greedy/loop_rate 0.5" in shown
    words = " ".join(shown.split())
    assert "Trained in 12 min 11 s (estimated 12 min 4 s), 1.0 GiB; held-out loss 4.740" in words
    assert "1.864 bits per byte." in words
    assert "Warning: outputs loop" in words
    assert "version v2.0.0 names it" in words
    assert "Next: ethogram run v2.0.0" in words
    assert all(len(line) <= WIDTH for line in shown.splitlines())


@pytest.mark.parametrize("terminal", [False, True])
def test_a_stage_before_the_first_step_ends_with_it(
    terminal: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bars, "_SILENCE", 0.2)
    monkeypatch.setattr(bars, "_PAUSE", 0.01)
    console = Console(file=io.StringIO(), width=WIDTH, force_terminal=terminal, color_system=None)
    with ProgressBar() as bar, LiveTraining(console, bar=bar) as live:
        bar.stage("Compiling kernels, once: 7 of 7")
        live(PLAN)
        live(STEPPED)
        time.sleep(0.5)
    said = capsys.readouterr().err
    assert "Compiling" not in said
    # Where no curves are drawn, a line says how far it is.
    assert (f"{PLAN.name}: step 3 of 1,200  6,543 tokens/s" in said) is not terminal


def test_the_end_is_the_last_thing_on_a_terminal() -> None:
    shown = printed(PLAN, EVALUATED, STEPPED, FINISHED, terminal=True)
    assert shown.rstrip().endswith("Next: ethogram run v2.0.0")
    assert "train/loss" in shown.partition("Trained in")[0]


def test_curves_are_drawn_on_a_terminal_and_text_of_models_is_inert() -> None:
    console = Console(file=io.StringIO(), width=WIDTH, force_terminal=True, color_system=None)
    live = LiveTraining(console)
    for event in (PLAN, EVALUATED, STEPPED):
        live(event)
    plain = Console(file=io.StringIO(), width=WIDTH)
    plain.print(live.picture())
    live.__exit__()
    shown = written(plain)
    assert "step 3 of 1,200" in shown
    assert "6,543 tokens/s" in shown
    assert "66% of the matrix-product peak" in shown
    assert "greedy/loop_rate" in shown
    assert "x/y" not in shown
    assert "\x1b" not in shown
    assert all(len(line) <= WIDTH for line in shown.splitlines())
    assert (live.step, live.steps) == (3, 1200)


@pytest.mark.parametrize(
    ("values", "columns", "line"),
    [
        ([1.0], 4, "▁"),
        ([2.0, 2.0], 4, "▁▁"),
        ([0.0, 1.0], 4, "▁█"),
        ([8.0, 4.0, 1.0], 4, "█▄▁"),
        ([0.0, 0.0, 1.0, 1.0], 2, "▁█"),
    ],
)
def test_sparklines(values: list[float], columns: int, line: str) -> None:
    assert sparkline(values, columns) == line


def test_curves_fit_narrow_windows() -> None:
    text = curves_text({"held_out/bits_per_byte": [float(i) for i in range(500)]}, 60).plain
    assert len(text) <= 60 + 8


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "0.4 s"), (9.96, "10 s"), (59.7, "1 min 0 s"), (725, "12 min 5 s"), (7500, "2 h 5 min")],
)
def test_durations(seconds: float, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize(("number", "words"), [(12, "12"), (1234, "1.23 k"), (6_900_000, "6.9 M")])
def test_amounts(number: float, words: str) -> None:
    assert amount(number) == words


def test_recorded_trainings() -> None:
    console = Console(file=io.StringIO(), width=WIDTH)
    print_trainings(console, [])
    row = {
        "name": "base", "kind": "pretrain", "seed": 1, "steps": 1200, "done": 300,
        "seconds": 100.0, "held_out": 2.1, "state": "interrupted",
    }  # fmt: skip
    print_trainings(console, [row, {**row, "seconds": None, "held_out": None}])
    shown = written(console)
    assert "No training is recorded here." in shown
    assert "300/1,200" in shown
    assert "interrupted" in shown
    assert all(len(line) <= WIDTH for line in shown.splitlines())
