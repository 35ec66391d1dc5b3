"""Diversity: how many different n-grams, within an output and over all of them. Knows words."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from ethogram.metrics.base import (
    NOT_APPLICABLE,
    CorpusMetric,
    Metric,
    Output,
    Score,
    mean_score,
    ratio,
)
from ethogram.metrics.repetition import repeated_share
from ethogram.metrics.text import ngrams

ORDERS = (1, 2, 3)


def _distinct(n: int) -> Callable[[Output], Score]:
    def measure(output: Output) -> Score:
        repeated = repeated_share(output.text.split(), n)
        return NOT_APPLICABLE if repeated is None else mean_score(1.0 - repeated)

    return measure


class _PooledDistinct:
    """Distinct n-grams over all outputs; keeps one 64-bit hash for each, not its words."""

    def __init__(self, n: int) -> None:
        self._n = n
        self._seen: set[int] = set()
        self._total = 0

    def add(self, output: Output) -> None:
        hashes = [hash(gram) for gram in ngrams(output.text.split(), self._n)]
        self._seen.update(hashes)
        self._total += len(hashes)

    def value(self) -> float:
        return len(self._seen) / self._total if self._total else float("nan")


_LI = "Li et al. 2016, A Diversity-Promoting Objective Function, arXiv:1510.03055"

DIVERSITY = tuple(
    Metric(
        name=f"distinct_{n}",
        title=f"distinct-{n}",
        unit="share",
        direction="higher",
        formula=f"mean over outputs of distinct {n}-grams / all {n}-grams of the output, in words",
        source=f"{_LI}, taken within each output (intra-distinct)",
        reference="nltk.ngrams in tests/metrics",
        pitfalls="Falls with length: compare outputs of equal length. corpus_distinct_n is the "
        "pooled form that papers report.",
        measure=_distinct(n),
        aggregate=ratio,
    )
    for n in ORDERS
)

DIVERSITY_CORPUS = tuple(
    CorpusMetric(
        name=f"corpus_distinct_{n}",
        title=f"distinct-{n} over all outputs",
        unit="share",
        direction="higher",
        formula=f"distinct {n}-grams of all outputs together / all their {n}-grams, in words",
        source=f"{_LI}, in its common form over n-grams instead of tokens",
        reference="nltk.ngrams in tests/metrics",
        pitfalls="Falls with the number of words: compare sets of equal size.",
        gather=partial(_PooledDistinct, n),
    )
    for n in ORDERS
)
