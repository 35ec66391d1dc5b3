"""Arena calibration: how often the intervals of rating differences hold the truth.

    python -m benchmarks.arena_calibration

draws votes of simulated voters between versions of known strengths, and prints a Markdown table;
some minutes on one core. Where prompts differ in what they favour, the truth is what endless votes
would give.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from ethogram.stats import Strengths, bradley_terry

Array = np.ndarray[Any, np.dtype[np.float64]]
Rng = np.random.Generator
#: Votes from which the truth of a case with differing prompts is taken.
_MANY = 1_000_000


@dataclass(frozen=True)
class Case:
    """One kind of arena.

    Attributes:
        versions: how many; their strengths are spread evenly.
        votes: in all.
        prompts: that the votes are about.
        span: from the weakest to the strongest, in log-odds.
        tie: log weight of a tie between equal versions; None without ties.
        prompt_spread: standard deviation, over prompts, of what a version gains on one.
        length: log-odds that a unit of length adds; the intervals are then those at equal length.
        chosen: each pair is chosen where votes tell most, as the arena does.
    """

    versions: int
    votes: int
    prompts: int
    span: float
    tie: float | None = -0.5
    prompt_spread: float = 0.0
    length: float | None = None
    chosen: bool = False


CASES = {
    "two versions": Case(2, 100, 50, 1.0),
    "two versions, no ties": Case(2, 100, 50, 1.0, tie=None),
    "two versions, few votes": Case(2, 30, 30, 1.0),
    "five versions": Case(5, 200, 50, 2.0),
    "five versions, prompts differ": Case(5, 500, 50, 2.0, prompt_spread=1.0),
    "five versions, equal length": Case(5, 500, 50, 2.0, length=1.5),
    "eight versions, prompts differ": Case(8, 1000, 40, 2.0, prompt_spread=0.7),
}


def coverage(case: Case, *, simulations: int, seed: int) -> float:
    """Share of the 95 % intervals of all differences that hold the truth."""
    truth = true_strengths(case)
    draw = np.random.default_rng(seed)
    held = [
        found.low <= truth[a] - truth[b] <= found.high
        for _ in range(simulations)
        for strengths in [simulate(case, draw, case.votes)]
        for a in range(case.versions)
        for b in range(a)
        for found in [strengths.difference(a, b)]
    ]
    return float(np.mean(held))


def simulate(case: Case, draw: Rng, votes: int) -> Strengths:
    """The fit of one arena."""
    gains = draw.normal(0, case.prompt_spread, (case.prompts, case.versions))
    first = draw.integers(0, case.versions, votes)
    second = (first + draw.integers(1, case.versions, votes)) % case.versions
    prompts = draw.integers(0, case.prompts, votes)
    lengths = draw.normal(first - second, 3.0)
    strengths = _spread(case) + gains[prompts]  # [votes, versions]
    rows = np.arange(votes)
    distance = strengths[rows, first] - strengths[rows, second]
    if case.length is not None:
        distance = distance + case.length * np.tanh(lengths / lengths.std(ddof=1))
    return bradley_terry(
        first,
        second,
        outcomes(distance, case.tie, draw),
        versions=case.versions,
        clusters=prompts,
        length_differences=None if case.length is None else lengths,
    )


def outcomes(distance: Array, tie: float | None, draw: Rng) -> Array:
    """[votes], 1, 0.5 or 0, drawn from Davidson's model."""
    weight = np.zeros_like(distance) if tie is None else np.full_like(distance, np.exp(tie))
    weights = np.stack([np.exp(distance / 2), weight, np.exp(-distance / 2)])
    limits = weights.cumsum(axis=0) / weights.sum(axis=0)
    drawn = draw.random(len(distance))
    result: Array = np.where(drawn < limits[0], 1.0, np.where(drawn < limits[1], 0.5, 0.0))
    return result


@lru_cache(maxsize=64)
def true_strengths(case: Case) -> Array:
    """[versions]; with differing prompts, of a fit to very many votes on as many prompts."""
    if not case.prompt_spread:
        return _spread(case)
    draw = np.random.default_rng(99)
    first = draw.integers(0, case.versions, _MANY)
    second = (first + draw.integers(1, case.versions, _MANY)) % case.versions
    spread = _spread(case)
    distance = spread[first] - spread[second]
    distance = distance + draw.normal(0, case.prompt_spread * np.sqrt(2), _MANY)
    won = outcomes(distance, case.tie, draw)
    return bradley_terry(first, second, won, versions=case.versions).values


def _spread(case: Case) -> Array:
    return np.linspace(-case.span / 2, case.span / 2, case.versions)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--simulations", type=int, default=1000, help="arenas a row")
    wanted = parser.parse_args().simulations
    print("| arena | versions | votes | prompts | truth inside the 95 % interval |")
    print("|---|---|---|---|---|")
    for name, case in CASES.items():
        share = coverage(case, simulations=wanted, seed=1)
        sizes = f"{case.versions} | {case.votes} | {case.prompts}"
        print(f"| {name} | {sizes} | {100 * share:.1f} % |", flush=True)


if __name__ == "__main__":
    main()
