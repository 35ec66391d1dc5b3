"""Diversity: how many different n-grams, within an output and over all of them."""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Hashable, Sequence
from functools import partial
from itertools import combinations

import numpy as np

from ethogram.metrics.base import NOT_APPLICABLE, Gatherer, Output, Score, mean_score, metric
from ethogram.metrics.loops import loop_units
from ethogram.metrics.repetition import repeated_share
from ethogram.metrics.self_bleu import MOST_OUTPUTS, DrawnGatherer, hashed_units, mean_self_bleu
from ethogram.metrics.text import ngrams
from ethogram.metrics.units import LOG_COUNT, RATIO, SHARE, SLOPE

ORDERS = (1, 2, 3)
#: Hashes of n-grams that are gathered before they are sorted in.
MOST_WAITING = 1 << 16
#: Vocabulary that expectation-adjusted distinct reckons with: that of GPT-2.
EAD_VOCABULARY = 50_257
#: Most frequent units that a Zipf coefficient is fitted to, as in the released code.
ZIPF_RANKS = 5000
#: Order of the n-grams of self-repetition.
SELF_REPETITION_ORDER = 4
#: Order of the n-grams by which two samples of a prompt are compared.
SAMPLE_ORDER = 2


_LI = "Li et al. 2016, A Diversity-Promoting Objective Function, arXiv:1510.03055"
_OF_SAMPLES = (
    "Garbled texts differ from each other too: a high value means something only for fluent "
    "outputs. Does not apply to greedy decoding, which has one sample per prompt. "
)
_UNITS = "Uses token ids if known, otherwise words: never compare the two kinds. "


def _distinct(n: int, output: Output) -> Score:
    repeated = repeated_share(output.words, n)
    return NOT_APPLICABLE if repeated is None else mean_score(1.0 - repeated)


for _n in ORDERS:
    metric(
        f"distinct_{_n}",
        title=f"distinct-{_n}",
        unit=SHARE,
        direction="higher",
        formula=f"mean over outputs of distinct {_n}-grams / all {_n}-grams of the output, in "
        "words",
        source=f"{_LI}, taken within each output (intra-distinct)",
        reference="nltk.ngrams in tests/metrics",
        pitfalls="Falls with length: compare outputs of equal length. Papers report the pooled "
        "form, corpus_distinct_n.",
    )(partial(_distinct, _n))


def _gram_hashes(output: Output) -> dict[int, list[int]]:
    """Hashes of the n-grams of an output, for each order."""
    return {n: list(map(hash, ngrams(output.words, n))) for n in ORDERS}


class _PooledDistinct:
    """Distinct n-grams over all outputs / all n-grams: 8 bytes for each different one.

    Keeps a 64-bit hash of each, sorted, and adds to them when as many have been gathered, so that
    an n-gram is sorted in about twice on average.
    """

    def __init__(self, n: int) -> None:
        self._n = n
        self._waiting = array("q")
        self._grams = np.empty(0, dtype=np.int64)
        self._total = 0

    def add(self, output: Output) -> None:
        """Take in the n-grams of one more output."""
        hashes = output.once(_gram_hashes)[self._n]
        self._waiting.extend(hashes)
        self._total += len(hashes)
        if len(self._waiting) >= max(MOST_WAITING, len(self._grams)):
            self._sort_in()

    def _sort_in(self) -> None:
        new = np.frombuffer(self._waiting, dtype=np.int64)
        self._grams = np.union1d(self._grams, new)
        self._waiting = array("q")

    def value(self) -> float:
        """The share; NaN where there are none."""
        if self._waiting:
            self._sort_in()
        return len(self._grams) / self._total if self._total else math.nan


for _n in ORDERS:
    metric(
        f"corpus_distinct_{_n}",
        title=f"distinct-{_n} over all outputs",
        unit=SHARE,
        direction="higher",
        formula=f"distinct {_n}-grams of all outputs together / all their {_n}-grams, in words",
        source=f"{_LI}, in its common form over n-grams instead of tokens",
        reference="nltk.ngrams in tests/metrics",
        pitfalls="Falls with the number of words: compare sets of equal size.",
        scope="corpus",
    )(partial(_PooledDistinct, _n))


@metric(
    "expectation_adjusted_distinct",
    title="Expectation-adjusted distinct",
    unit=RATIO,
    direction="higher",
    formula=f"distinct units / (V (1 - ((V - 1) / V)^C)), V = {EAD_VOCABULARY}, C = all units",
    source="Liu et al. 2022, Rethinking and Refining the Distinct Metric, arXiv:2202.13587",
    reference="the formula in exact fractions in tests/metrics",
    pitfalls=_UNITS + "Corrects for the number of units as if all were equally likely, so the "
    "value for real text still falls with size. V is GPT-2's vocabulary size; others give "
    "other values.",
    scope="corpus",
)
class _AdjustedDistinct:
    """Distinct units over what as many draws from an even vocabulary would be expected to give."""

    def __init__(self) -> None:
        self._seen: set[Hashable] = set()
        self._total = 0

    def add(self, output: Output) -> None:
        units = loop_units(output)[0]
        self._seen.update(units)
        self._total += len(units)

    def value(self) -> float:
        if not self._total:
            return math.nan
        return expectation_adjusted_distinct(len(self._seen), self._total)


def expectation_adjusted_distinct(
    distinct: int, total: int, vocabulary: int = EAD_VOCABULARY
) -> float:
    """EAD (Liu et al. 2022, equation 3): distinct / (V (1 - ((V - 1) / V)^C)), C = total units."""
    expected = -vocabulary * math.expm1(total * math.log1p(-1.0 / vocabulary))
    return distinct / expected


@metric(
    "zipf_coefficient",
    title="Zipf coefficient",
    unit=SLOPE,
    direction="none",
    formula=f"-slope of log count over log rank of the {ZIPF_RANKS} most frequent units; all "
    "ranks have the same weight",
    source="Holtzman et al. 2020, arXiv:1904.09751",
    reference="scipy.stats.linregress, as in ari-holtzman/degen, metrics/zipf.py",
    pitfalls=_UNITS + "Other released fits, such as MAUVE's, give other numbers. Depends on the "
    "number of units.",
    scope="corpus",
)
class _Zipf:
    """Counts of units, and a line through log count over log rank."""

    def __init__(self) -> None:
        self._counts: Counter[Hashable] = Counter()

    def add(self, output: Output) -> None:
        self._counts.update(loop_units(output)[0])

    def value(self) -> float:
        return zipf_coefficient(sorted(self._counts.values(), reverse=True)[:ZIPF_RANKS])


def zipf_coefficient(counts: Sequence[int]) -> float:
    """-slope of log count over log rank, every rank alike; counts fall. NaN below two ranks."""
    if len(counts) < 2:
        return math.nan
    x, y = np.log(np.arange(1, len(counts) + 1)), np.log(counts)
    centred = x - x.mean()
    return -float(centred @ (y - y.mean()) / (centred @ centred))


@metric(
    "self_bleu_4",
    title="Self-BLEU-4",
    unit=SHARE,
    direction="lower",
    formula="mean over outputs of BLEU-4 against all others, smoothed by method 1; over at most "
    f"{MOST_OUTPUTS} outputs, sampled evenly by a hash",
    source="Zhu et al. 2018, Texygen, arXiv:1802.01886; settings of Holtzman et al. 2020",
    reference="nltk sentence_bleu with method1, as in ari-holtzman/degen, metrics/self_bleu.py",
    pitfalls=_UNITS + "Grows with the number of outputs: compare sets of equal size. The target "
    "is the value of human text of the same kind, not the highest or lowest.",
    scope="corpus",
)
def _self_bleu() -> Gatherer:
    return DrawnGatherer(hashed_units, mean_self_bleu)


def _different_grams(output: Output) -> array[int]:
    """Hashes of the different 4-grams of an output."""
    return array("q", {hash(gram) for gram in ngrams(output.words, SELF_REPETITION_ORDER)})


def self_repetition(grams: Sequence[Sequence[int]]) -> float:
    """Mean of log(1 + how often the different 4-grams of an output are in the others)."""
    if not grams:
        return math.nan
    owner = np.repeat(np.arange(len(grams)), [len(found) for found in grams])
    pooled = np.concatenate([np.asarray(found, dtype=np.int64) for found in grams])
    _, inverse, counts = np.unique(pooled, return_inverse=True, return_counts=True)
    elsewhere = np.bincount(owner, weights=counts[inverse] - 1.0, minlength=len(grams))
    return float(np.mean(np.log1p(elsewhere)))


@metric(
    "self_repetition",
    title="Self-repetition",
    unit=LOG_COUNT,
    direction="lower",
    formula="mean over outputs of log(1 + number of occurrences of its distinct word 4-grams in "
    f"other outputs, each output counted once); over at most {MOST_OUTPUTS} outputs, sampled "
    "evenly by a hash",
    source="Salkar et al. 2022, Self-Repetition in Abstractive Neural Summarizers",
    reference="diversity 0.3.1 (Shaib et al. 2024), self_repetition_score",
    pitfalls="Grows with the number of outputs and their length: compare sets of equal size.",
    scope="corpus",
)
def _self_repetition() -> Gatherer:
    return DrawnGatherer(_different_grams, self_repetition)


@metric(
    "sample_distinct_2",
    title="distinct-2 over samples",
    unit=SHARE,
    direction="higher",
    formula="mean over prompts of distinct 2-grams of the prompt's outputs together / all "
    "their 2-grams, in words",
    source=f"{_LI}, taken over the outputs of each prompt (inter-distinct)",
    reference="nltk.ngrams in tests/metrics",
    pitfalls=_OF_SAMPLES + "Falls with the length and number of samples: compare equal ones.",
    scope="prompt",
)
def distinct_of_samples(outputs: Sequence[Output]) -> Score:
    """Distinct 2-grams of the samples of a prompt together / all their 2-grams.

    Nothing where there is one sample only, or no 2-gram.
    """
    grams = [gram for output in outputs for gram in ngrams(output.words, SAMPLE_ORDER)]
    if len(outputs) < 2 or not grams:
        return NOT_APPLICABLE
    return mean_score(len(set(grams)) / len(grams))


@metric(
    "sample_distance_2",
    title="2-gram distance between samples",
    unit=SHARE,
    direction="higher",
    formula="mean over prompts of the mean over all pairs of the prompt's outputs of "
    "1 - |A ∩ B| / |A ∪ B|, A and B their sets of word 2-grams",
    source="Jaccard 1901; averaged over pairs as Tevet and Berant 2021, arXiv:2004.02990",
    reference="nltk.jaccard_distance in tests/metrics",
    pitfalls=_OF_SAMPLES + "Measures wording, not meaning: two phrasings of one answer are far "
    "apart. semantic_diversity measures meaning.",
    scope="prompt",
)
def distance_of_samples(outputs: Sequence[Output]) -> Score:
    """Mean over the pairs of samples of 1 - |A ∩ B| / |A ∪ B|, A and B their sets of 2-grams.

    Two samples without any 2-gram are at distance 0. Nothing where there is one sample only.
    """
    sets = [set(ngrams(output.words, SAMPLE_ORDER)) for output in outputs]
    if len(sets) < 2:
        return NOT_APPLICABLE
    distances = [
        1.0 - len(first & second) / len(first | second) if first or second else 0.0
        for first, second in combinations(sets, 2)
    ]
    return mean_score(math.fsum(distances) / len(distances))
