"""Events: what a training tells its caller while it runs; the terminal prints them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ethogram.store import TrainingOutput
from ethogram.train.job import Counts, Finding


@dataclass(frozen=True, slots=True)
class Plan:
    """What a training will do, before it starts.

    Attributes:
        name: of the model.
        kind: of the recipe.
        seed: of this training.
        counts: rows and tokens.
        examples: up to three rows as the model reads them: (token, whether it is learned).
        parameters: weights of the model.
        trained_parameters: those that are trained.
        steps: optimiser steps.
        tokens: tokens read in all steps.
        flop: floating-point operations in all steps.
        memory_bytes: estimated peak.
        seconds: estimated time; None if no speed could be measured.
        threads: threads of each process.
        precision: number format of weights and activations.
        processes: processes that train together.
        findings: refusals and warnings of the checks before the first step.
    """

    name: str
    kind: str
    seed: int
    counts: Counts
    examples: Sequence[Sequence[tuple[str, bool]]]
    parameters: int
    trained_parameters: int
    steps: int
    tokens: int
    flop: float
    memory_bytes: int
    seconds: float | None
    threads: int
    precision: str
    processes: int
    findings: Sequence[Finding]


def plan_from(stored: Mapping[str, Any]) -> Plan:
    """A plan that was stored as JSON."""
    counts = Counts(**stored["counts"])
    findings = [Finding(**each) for each in stored["findings"]]
    return Plan(**{**stored, "counts": counts, "findings": findings})


@dataclass(frozen=True, slots=True)
class Stepped:
    """An optimiser step was taken.

    Attributes:
        step: steps done.
        steps: of all.
        values: name to value: train/loss, train/tokens_per_second, train/mfu, ….
        seconds_left: estimated.
    """

    step: int
    steps: int
    values: Mapping[str, float]
    seconds_left: float | None


@dataclass(frozen=True, slots=True)
class Evaluated:
    """Held-out loss and behaviour were measured.

    Attributes:
        step: steps done.
        values: name to value: held_out/loss, held_out/bits_per_byte, greedy/loop_rate, ….
        outputs: what was generated.
    """

    step: int
    values: Mapping[str, float | None]
    outputs: Sequence[TrainingOutput]


@dataclass(frozen=True, slots=True)
class Resumed:
    """A killed training continues from a checkpoint.

    Attributes:
        step: of the checkpoint.
    """

    step: int


@dataclass(frozen=True, slots=True)
class Finished:
    """A training is complete.

    Attributes:
        folder: of the model.
        version: of the child version; None if the recipe writes none.
        seconds: it took, of all sittings.
        planned_seconds: as estimated.
        peak_memory_bytes: of the process.
        values: the last values by name.
        findings: warnings of the checks after training.
    """

    folder: Path
    version: str | None
    seconds: float
    planned_seconds: float | None
    peak_memory_bytes: int
    values: Mapping[str, float | None]
    findings: Sequence[Finding]


Event = Plan | Stepped | Evaluated | Resumed | Finished
