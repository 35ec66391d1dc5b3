"""Rows: comparisons of the table. Each kind of training has a module with its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

#: Makes a trainer that is ready to train; its steps are timed by a callback.
Make = Callable[[str], "Contender"]


@dataclass(frozen=True)
class Contender:
    """What is timed.

    Attributes:
        trainer: a transformers Trainer; `max_steps` is set by the benchmark.
        tokens: tokens of a step that are no padding.
        flop: floating-point operations of such a token.
    """

    trainer: Any
    tokens: float
    flop: float


@dataclass(frozen=True)
class Row:
    """A comparison.

    Attributes:
        name: printed.
        ours: name of our contender.
        theirs: name of the one that it is compared with.
        bar: least ratio of tokens per CPU-second; None without one.
    """

    name: str
    ours: str
    theirs: str
    bar: float | None


def rows() -> tuple[list[Row], dict[str, Callable[[str], Contender]]]:
    """Every row, and how to make each contender in a folder for its files."""
    from benchmarks.train import preferring, pretraining, tuning

    found: list[Row] = []
    made: dict[str, Callable[[str], Contender]] = {}
    for module in (pretraining, tuning, preferring):
        found += module.ROWS
        made |= module.CONTENDERS
    return found, made
