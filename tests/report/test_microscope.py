"""The microscope in a terminal: what it shows, and that no output can drive the terminal."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from ethogram.report.microscope import piece, print_trace
from ethogram.spec import Generation, Trace
from ethogram.study import Traced


def traced(*texts: str) -> Traced:
    count = len(texts)
    how = Trace(
        entropy=np.full(count, 1.25, np.float32),
        rank=np.arange(1, count + 1, dtype=np.int32),
        probability=np.full(count, 0.75, np.float32),
        alternatives=np.tile(np.array([0, 90], np.int32), (count, 1)),
        alternative_logprobs=np.log(np.tile(np.array([0.5, 0.2], np.float32), (count, 1))),
        steps=("temperature", "top_k"),
        kept=np.tile(np.array([300, 40], np.int32), (count, 1)),
    )
    made = Generation(
        "i",
        "p\x1b[2J",
        0,
        "say\x1b]0;owned\x07 it",
        (1,),
        tuple(range(count)),
        "".join(texts),
        "length",
        tuple(np.log([0.5] * count).tolist()),
        0.0,
        trace=how,
    )
    return Traced("v1.0.0", "A [red]title[/red]", True, made, how, texts, [["a", "b"]] * count)


def shown(made: Traced, width: int = 120, *, details: bool = False) -> str:
    stream = io.StringIO()
    print_trace(Console(file=stream, width=width, color_system=None), made, details=details)
    return stream.getvalue()


def test_what_is_shown() -> None:
    text = shown(traced(" the", "\n"))
    assert "A [red]title[/red]" in text
    row = next(line for line in text.splitlines() if line.lstrip().startswith("1"))
    assert row.split()[:3] == ["1", "·the", "████"]
    for part in ("50.0 %", "b 20.0 %"):
        assert part in row
    assert "a 50.0 %" not in row, "the chosen token is no alternative to itself"
    assert "cut off by the length limit after 2 tokens" in text


def test_details() -> None:
    text = shown(traced(" the", "\n"), details=True)
    row = next(line for line in text.splitlines() if line.lstrip().startswith("1"))
    for part in ("50.0 %", "1.25", "75.0 %", " 40"):
        assert part in row
    assert "still possible after top_k" in text


def test_eighty_columns_hold_two_whole_alternatives() -> None:
    made = traced("unbelievably", "x")
    made = replace(made, alternatives=[["chosen", "extraordin"]] * 2)
    made.trace.alternatives[:, 0] = 91
    text = shown(made, 80)
    row = next(line for line in text.splitlines() if line.lstrip().startswith("1"))
    for part in ("unbelievably", "50.0 %", "chosen 50.0 %", "extraordin 20.0 %"):
        assert part in row


def test_no_output_drives_the_terminal() -> None:
    text = shown(traced("\x1b[31mred", "\x07", "\u202eback", "[bold]x[/bold]", "\r"))
    assert all(one.isprintable() or one == "\n" for one in text)
    assert "[bold]x[/bold]" in text


@pytest.mark.parametrize("width", [64, 80, 200])
def test_a_row_is_a_line(width: int) -> None:
    lines = shown(traced(*"abc"), width).splitlines()
    assert all(len(line) <= width for line in lines)
    assert sum(line.strip()[:1] in ("1", "2", "3") for line in lines) == 3


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (" a b", "·a·b"),
        ("\n\t", "⏎⇥"),
        ("\x00\x9b", "��"),
        ("x" * 30, "x" * 17 + "…"),
        ("日本", "日本"),
    ],
)
def test_pieces(text: str, line: str) -> None:
    assert piece(text) == line
