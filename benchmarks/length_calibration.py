"""Length calibration: how often the interval of the length-controlled win rate holds the truth.

    python -m benchmarks.length_calibration

draws judged studies whose truth is known: prompts on which the versions differ, a second version
that writes more, a judge that likes length. Prints a Markdown table; two minutes on one core.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import Any

import numpy as np

from ethogram.stats import length_controlled

Array = np.ndarray[Any, np.dtype[np.float64]]
#: Prompts and pairs of each.
SIZES = ((24, 1), (24, 4), (50, 2), (100, 1))
#: Mean log-odds of the second version at equal length; 0 is an even match.
SKILLS = (0.0, 1.2)
#: Standard deviation of the prompts around it, and what the judge's taste for length adds.
PROMPT_SPREAD, LENGTH_PULL = 0.7, 1.5


@dataclass(frozen=True)
class Row:
    """One kind of study; shares in percent."""

    prompts: int
    pairs: int
    truth: float
    raw: float
    estimate: float
    covered: float
    covered_unmarked: float
    marked: float


def calibrate(prompts: int, pairs: int, skill: float, *, trials: int, resamples: int = 499) -> Row:
    """Judge as many studies of one kind and count."""
    rng = np.random.default_rng([prompts, pairs, int(10 * skill)])
    truth = float(_sigmoid(rng.normal(skill, PROMPT_SPREAD, size=1_000_000)).mean())
    ids = list(np.repeat(np.arange(prompts), pairs))
    found = []
    for seed in range(trials):
        lengths = rng.normal(200, 400, size=(prompts, pairs))
        odds = rng.normal(skill, PROMPT_SPREAD, size=(prompts, 1))
        chance = _sigmoid(odds + LENGTH_PULL * np.tanh(lengths / 450))
        labels = (rng.random((prompts, pairs)) < chance).astype(float)
        found.append(
            length_controlled(
                labels.ravel(), lengths.ravel(), prompts=ids, resamples=resamples, seed=seed
            )
        )
    covered = np.array([each.low <= truth <= each.high for each in found])
    unmarked = np.array([not each.warning for each in found])
    return Row(
        prompts,
        pairs,
        100 * truth,
        100 * float(np.mean([each.raw for each in found])),
        100 * float(np.mean([each.win_rate for each in found])),
        100 * float(covered.mean()),
        100 * float(covered[unmarked].mean()),
        100 * float(1 - unmarked.mean()),
    )


def _sigmoid(odds: Array) -> Array:
    result: Array = 1 / (1 + np.exp(-odds))
    return result


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Calibrate the length-controlled win rate.")
    parser.add_argument("--trials", type=int, default=600, help="studies a row")
    options = parser.parse_args()
    print("| prompts × pairs | truth | raw | at equal length | covered | unmarked | marked |")
    print("|---|---|---|---|---|---|---|")
    for skill in SKILLS:
        for prompts, pairs in SIZES:
            row = calibrate(prompts, pairs, skill, trials=options.trials)
            print(
                f"| {row.prompts} × {row.pairs} | {row.truth:.1f} | {row.raw:.1f} "
                f"| {row.estimate:.1f} | {row.covered:.1f} | {row.covered_unmarked:.1f} "
                f"| {row.marked:.0f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
