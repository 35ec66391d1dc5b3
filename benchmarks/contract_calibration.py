"""Contract calibration: how often a bound is decided wrongly by somebody who looks every round.

    python -m benchmarks.contract_calibration

draws versions whose value is exactly at the bound of a contract, so that "above" and "below" are
both wrong, makes samples round by round, tests after every round, and counts how many studies ever
saw such a verdict, and how many see "below" of a bound that is twice the value. Writes a table into
docs/checks.md; some minutes on one core.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.page import CHECKS, replace
from ethogram.metrics import Output, Score, get
from ethogram.spec import Decoding, Version
from ethogram.study.decide import decide
from ethogram.study.measure import Measured

Array = np.ndarray[Any, np.dtype[np.float64]]
#: Limit of tokens of the simulated versions.
LONGEST = 120
#: Prompts and rounds of samples.
SIZES = ((12, 16), (24, 16), (100, 8))
#: Outputs of each prompt whose mean is taken as its truth.
TRUTH_SAMPLES = 20_000


@dataclass(frozen=True)
class Kind:
    """Outputs of one kind, as far as a metric sees them.

    Attributes:
        name: for the table.
        metric: whose contract it is.
        draw: (generator, effects of prompts [prompts, 1], samples) to parts [prompts, samples, k].
        imported: whether nobody knows how long the outputs may get.
    """

    name: str
    metric: str
    draw: Callable[[np.random.Generator, Array, int], Array]
    imported: bool = False


def _rate(base: float) -> Callable[[np.random.Generator, Array, int], Array]:
    def draw(generator: np.random.Generator, prompt: Array, samples: int) -> Array:
        odds = np.log(base / (1 - base)) + prompt
        hits = generator.random((len(prompt), samples)) < 1 / (1 + np.exp(-odds))
        return np.stack([hits.astype(float), np.ones(hits.shape)], axis=-1)

    return draw


def _words(generator: np.random.Generator, prompt: Array, samples: int) -> Array:
    """Log-normal lengths, cut at the limit."""
    noise = generator.normal(size=(len(prompt), samples))
    words = np.minimum(LONGEST, np.ceil(np.exp(3.5 + 0.3 * prompt + 0.4 * noise)))
    return np.stack([words, np.ones(words.shape)], axis=-1)


def _rambles(generator: np.random.Generator, prompt: Array, samples: int) -> Array:
    """Words after the answer: mostly none, in one output of twenty as many as there is room."""
    words = 80 * (generator.random((len(prompt), samples)) < 0.05 * np.exp(prompt - 0.5))
    return np.stack([words.astype(float), np.ones(words.shape)], axis=-1)


def _repeats(generator: np.random.Generator, prompt: Array, samples: int) -> Array:
    """Repeated n-grams and all of them: hardly a repeat, but in rare outputs a loop."""
    loops = generator.random((len(prompt), samples)) < 0.04 * np.exp(prompt - 0.5)
    share = np.where(loops, 0.8, generator.beta(0.5, 40, size=loops.shape))
    grams = generator.integers(40, 100, size=loops.shape).astype(float)
    return np.stack([np.floor(share * grams), grams], axis=-1)


def _repeats_of_each_order(generator: np.random.Generator, prompt: Array, samples: int) -> Array:
    """The same for n-grams of three orders: no repeat at all, but in rare outputs a loop."""
    loops = generator.random((len(prompt), samples)) < 0.01 * np.exp(prompt - 0.5)
    share = np.where(loops, 0.8, 0.0)
    grams = generator.integers(40, 100, size=loops.shape).astype(float)
    parts = [grams - np.floor(share * grams), grams]
    return np.stack(parts * 3, axis=-1)


def _faults(generator: np.random.Generator, prompt: Array, samples: int) -> Array:
    """Faulty sentences and all of them: mostly one, in rare outputs forty without a fault."""
    many = generator.random((len(prompt), samples)) < 0.03 * np.exp(prompt - 0.5)
    faulty = generator.random(many.shape) < 0.9
    return np.stack([np.where(many, 0.0, faulty), np.where(many, 40.0, 1.0)], axis=-1)


def _similarity(generator: np.random.Generator, prompt: Array, samples: int) -> Array:
    """A score without a range, nearly normal."""
    values = 0.5 + 0.1 * prompt + 0.15 * generator.normal(size=(len(prompt), samples))
    return np.stack([values, np.ones(values.shape)], axis=-1)


def _heavy(generator: np.random.Generator, prompt: Array, samples: int) -> Array:
    """A score without a range and with a long tail."""
    values = np.exp(1 + 0.3 * prompt + 0.8 * generator.normal(size=(len(prompt), samples)))
    return np.stack([values, np.ones(values.shape)], axis=-1)


KINDS = (
    Kind("rate of 30 %", "loop_rate", _rate(0.3)),
    Kind("rate of 5 %", "loop_rate", _rate(0.05)),
    Kind("rate of 1 %", "loop_rate", _rate(0.01)),
    Kind("words", "words", _words),
    Kind("rare long rambles", "post_answer_words", _rambles),
    Kind("rep-4 with rare loops", "rep_4", _repeats),
    Kind("rep-4 with rare loops, imported", "rep_4", _repeats, imported=True),
    Kind("diversity with rare loops", "diversity", _repeats_of_each_order),
    Kind("sentences, rarely many", "unended_sentences", _faults),
    Kind("score, nearly normal", "prompt_similarity", _similarity),
    Kind("score, long tail", "prompt_similarity", _heavy),
)


@dataclass(frozen=True)
class Row:
    """What a kind of one size came to; shares in percent.

    Attributes:
        kind: its name.
        prompts: of a study.
        rounds: of samples, each with a look.
        above: studies that ever saw "above".
        below: studies that ever saw "below".
        found: studies that see "below" at the last look, of a bound twice the value; NaN
            where no value can be as large.
    """

    kind: str
    prompts: int
    rounds: int
    above: float
    below: float
    found: float


def calibrate(kind: Kind, prompts: int, rounds: int, *, trials: int, seed: int = 0) -> Row:
    """Draw studies, look after each round, and count wrong decisions at any look."""
    metric = get(kind.metric)
    generator = np.random.default_rng([seed, prompts, rounds])
    version = Version(
        model="m",
        decoding=Decoding(strategy="sample", max_new_tokens=LONGEST),
        outputs="outputs.jsonl" if kind.imported else None,
    )
    # The prompts of a contract are given, so all studies have the same and the truth is theirs.
    effects = generator.normal(size=(prompts, 1))
    many = kind.draw(generator, effects, TRUTH_SAMPLES).mean(axis=1)
    truth = float(metric.aggregate(many.mean(axis=0)))
    exceeds = metric.unit.name == "percent" and 2 * truth > 100
    seen = []
    for _ in range(trials):
        parts = kind.draw(generator, effects, rounds)
        sides = {_side(version, metric, parts[:, :upto], truth) for upto in range(1, rounds + 1)}
        right = math.nan if exceeds else _side(version, metric, parts, 2 * truth) == "below"
        seen.append(("above" in sides, "below" in sides, right))
    return Row(
        kind.name,
        prompts,
        rounds,
        *(round(100 * float(share), 1) for share in np.mean(seen, axis=0)),
    )


def _side(version: Version, metric: Any, parts: Array, bound: float) -> str:
    outputs, scores = [], []
    for prompt, row in enumerate(parts):
        for sample, part in enumerate(row):
            outputs.append(Output("", prompt_id=f"p{prompt}", sample_index=sample))
            scores.append(Score(0.0, tuple(map(float, part))))
    return decide(version, Measured(metric, outputs, scores), "<", bound)[0].side


def table(rows: list[Row]) -> str:
    """The rows as Markdown."""
    lines = [
        "| outputs | prompts × looks | wrongly above | wrongly below | twice the value: below |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {row.kind} | {row.prompts} × {row.rounds} | {row.above:.1f} | {row.below:.1f} "
        f"| {'–' if math.isnan(row.found) else f'{row.found:.1f}'} |"
        for row in rows
    ]
    return "\n".join(lines)


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(description="Calibrate the decisions of contracts.")
    parser.add_argument("--trials", type=int, default=1000, help="studies a row")
    options = parser.parse_args()
    rows = []
    for kind in KINDS:
        for prompts, rounds in SIZES:
            rows.append(calibrate(kind, prompts, rounds, trials=options.trials))
            print(rows[-1], flush=True)
    replace(CHECKS, "contract-calibration", table(rows))


if __name__ == "__main__":
    main()
