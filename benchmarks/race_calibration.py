"""Race calibration: how often a sweep's race drops a setting although all are equally good.

    python -m benchmarks.race_calibration

draws settings of one truth, lets them race at the last of two looks, and counts the races that drop
any: each drop is an error. Writes a table into docs/sweeps.md; some minutes on one core.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from benchmarks.page import SWEEPS, replace
from benchmarks.simulated_studies import Array, with_ones
from ethogram.metrics import get
from ethogram.stats.racing import RaceObjective, race
from ethogram.study.sweeping.sweep import RACE_ERROR

Draw = Callable[[np.random.Generator, int, int], Array]
#: Settings in a race, and prompts that choose.
SETTINGS, PROMPTS = (5, 20, 48), (8, 12, 24)
#: Outputs of each prompt at the look, of two looks.
SAMPLES, LOOKS = 2, 2


def _score(generator: np.random.Generator, settings: int, prompts: int) -> Array:
    """Prompts that differ by more than the outputs of one."""
    own = generator.normal(scale=0.5, size=(settings, prompts, SAMPLES))
    return with_ones(generator.normal(size=(prompts, 1)) + own)


def _rate(rate: float) -> Draw:
    def draw(generator: np.random.Generator, settings: int, prompts: int) -> Array:
        return with_ones(generator.random((settings, prompts, SAMPLES)) < rate)

    return draw


def _some(generator: np.random.Generator, settings: int, prompts: int) -> Array:
    """A rate of one half, over the two outputs of five to which the metric applies."""
    applies = generator.random((settings, prompts, SAMPLES)) < 0.4
    return with_ones(generator.random(applies.shape) < 0.5) * applies[..., None]


def _repeats(generator: np.random.Generator, settings: int, prompts: int) -> Array:
    """Repeated n-grams and all of them: few repeats, and a loop in one output of ten."""
    shape = (settings, prompts, SAMPLES)
    loops = generator.random(shape) < 0.1
    share = np.where(loops, generator.beta(4, 2, shape), generator.beta(0.5, 40, shape))
    grams = generator.integers(40, 90, shape).astype(float)
    return np.stack([grams - np.round(grams * (1 - share)), grams], axis=-1)


@dataclass(frozen=True)
class Kind:
    """What a goal measures: a name, a metric that adds up like it, and how its parts are drawn."""

    name: str
    metric: str
    draw: Draw


KINDS = (
    Kind("score", "prompt_similarity", _score),
    Kind("rate of 30 %", "loop_rate", _rate(0.3)),
    Kind("rate of 5 %", "loop_rate", _rate(0.05)),
    Kind("rate on 40 % of outputs", "answer_first", _some),
    Kind("rep-4 with loops", "rep_4", _repeats),
)


def dropped(kind: Kind, settings: int, prompts: int, *, trials: int) -> float:
    """Percent of races in which any of equally good settings is dropped."""
    metric: Any = get(kind.metric)
    generator = np.random.default_rng([settings, prompts])
    races = 0
    for _ in range(trials):
        parts = kind.draw(generator, settings, prompts).mean(axis=2)
        samples = np.full(settings, SAMPLES)
        one = RaceObjective(parts, metric.aggregate, metric.direction == "higher", samples)
        races += any(by is not None for by in race([one], error=RACE_ERROR, looks=LOOKS))
    return 100 * races / trials


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(description="Calibrate the race of a sweep.")
    parser.add_argument("--trials", type=int, default=400, help="races of each kind and size")
    options = parser.parse_args()
    lines = [
        f"| settings × prompts | {' | '.join(kind.name for kind in KINDS)} |",
        f"|---|{'---|' * len(KINDS)}",
    ]
    for settings, prompts in product(SETTINGS, PROMPTS):
        found = [dropped(kind, settings, prompts, trials=options.trials) for kind in KINDS]
        shares = " | ".join(f"{share:.1f}" for share in found)
        lines.append(f"| {settings} × {prompts} | {shares} |")
        print(lines[-1], flush=True)
    replace(SWEEPS, "race-calibration", "\n".join(lines))


if __name__ == "__main__":
    main()
