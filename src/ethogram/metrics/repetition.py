"""Repetition: how much of an output was said before in it. Knows n-grams and compression.

Two families share a name and are different numbers. rep-n and diversity follow SimCTG's released
code, so that published tables can be compared with: words, pooled over outputs, in percent, the
last n-gram of each text left away, and rep-n rounded to two decimals before the product. seq-rep-n
follows Welleck et al.: each output has its own ratio, and the mean of those counts.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Hashable, Sequence

import numpy as np

from ethogram.metrics.base import (
    NOT_APPLICABLE,
    Array,
    CorpusMetric,
    Metric,
    Output,
    Score,
    mean_score,
    ratio,
)
from ethogram.metrics.loops import loop_units
from ethogram.metrics.text import merge, ngrams, word_spans

DIVERSITY_ORDERS = (2, 3, 4)
#: zlib's best and slowest; the fast levels miss long phrases and would make ratios incomparable.
ZLIB_LEVEL = 9


def count_simctg(words: Sequence[str], n: int) -> tuple[int, int]:
    """(distinct, all) n-grams of a text as SimCTG's released loop sees them: without the last."""
    grams = list(ngrams(words, n))[:-1]
    return len(set(grams)), len(grams)


def _percent(parts: Array) -> Array:
    """100 (1 - distinct / all); [..., 2] to [...]."""
    return 100.0 * (1.0 - ratio(parts))


def _diversity_of(parts: Array) -> Array:
    """100 · product of (1 - rep-n / 100); [..., 6] to [...]."""
    product: Array = np.full(parts.shape[:-1], 100.0)
    for position in range(0, 2 * len(DIVERSITY_ORDERS), 2):
        rounded = np.round(_percent(parts[..., position : position + 2]), 2)
        product = product * (1.0 - rounded / 100.0)
    return product


def _rep(n: int) -> Callable[[Output], Score]:
    def measure(output: Output) -> Score:
        spans = word_spans(output.text)
        words = output.text.split()
        seen: set[tuple[str, ...]] = set()
        again: list[tuple[int, int]] = []
        total = max(0, len(words) - n)
        for start, gram in zip(range(total), ngrams(words, n), strict=False):
            if gram in seen:
                again.append((spans[start][0], spans[start + n - 1][1]))
            seen.add(gram)
        if not total:
            return NOT_APPLICABLE
        value = 100.0 * (1.0 - len(seen) / total)
        return Score(value, (len(seen), total), merge(again, f"{n}-grams said before"))

    return measure


def _diversity(output: Output) -> Score:
    words = output.text.split()
    counts = [count_simctg(words, n) for n in DIVERSITY_ORDERS]
    parts = tuple(float(number) for pair in counts for number in pair)
    # A text of 3 or 4 words has no 4-gram, so no product of its own, but it belongs to the pool.
    alone = all(total for _, total in counts)
    value = float(_diversity_of(np.array(parts))) if alone else None
    return Score(value, parts)


def repeated_share(units: Sequence[Hashable], n: int) -> float | None:
    """1 - distinct n-grams / all n-grams; None for a sequence shorter than n."""
    grams = list(ngrams(units, n))
    return 1.0 - len(set(grams)) / len(grams) if grams else None


def _seq_rep(n: int) -> Callable[[Output], Score]:
    def measure(output: Output) -> Score:
        value = repeated_share(loop_units(output)[0], n)
        return NOT_APPLICABLE if value is None else mean_score(value)

    return measure


def _encode(text: str) -> bytes:
    # JSON may carry half a surrogate pair; it must not stop a score.
    return text.encode("utf-8", "surrogatepass")


def _compression(output: Output) -> Score:
    data = _encode(output.text)
    if not data:
        return NOT_APPLICABLE
    packed = len(zlib.compress(data, ZLIB_LEVEL))
    return Score(len(data) / packed, (len(data), packed))


class _JoinedCompression:
    """All texts, a line each, through one compressor; nothing but its window is kept."""

    def __init__(self) -> None:
        self._packer = zlib.compressobj(ZLIB_LEVEL)
        self._raw = self._packed = 0
        self._before = ""

    def add(self, output: Output) -> None:
        data = _encode(self._before + output.text)
        self._before = "\n"
        self._raw += len(data)
        self._packed += len(self._packer.compress(data))

    def value(self) -> float:
        rest = len(self._packer.copy().flush())
        return self._raw / (self._packed + rest) if self._raw else float("nan")


_SIMCTG = "Su et al. 2022, A Contrastive Framework for Neural Text Generation, arXiv:2202.06417"
_SIMCTG_CODE = "yxuansu/SimCTG, simctg/evaluation.py; equal to its gpt2-large WebText tables"
_POOLED = (
    "Pooled over outputs and on words: not the mean of outputs, and not seq-rep-n. "
    "The last n-gram of each text is left away as in the released code."
)
_WELLECK = (
    "Welleck et al. 2020, Neural Text Generation with Unlikelihood Training, arXiv:1908.04319"
)
_SHAIB = "Shaib et al. 2024, Standardizing the Measurement of Text Diversity, arXiv:2403.00553"

REPETITION = (
    *(
        Metric(
            name=f"rep_{n}",
            title=f"rep-{n}",
            unit="percent",
            direction="lower",
            formula=f"100 (1 - sum of distinct {n}-grams of each text / sum of all its {n}-grams)",
            source=_SIMCTG,
            reference=_SIMCTG_CODE,
            pitfalls=_POOLED,
            measure=_rep(n),
            aggregate=_percent,
        )
        for n in DIVERSITY_ORDERS
    ),
    Metric(
        name="diversity",
        title="Diversity",
        unit="percent",
        direction="higher",
        formula="100 · product over n = 2, 3, 4 of (1 - rep-n / 100), rep-n rounded to 2 decimals",
        source=_SIMCTG,
        reference=_SIMCTG_CODE,
        pitfalls="Human text has about 94; more is noise, not quality. " + _POOLED,
        measure=_diversity,
        aggregate=_diversity_of,
    ),
    *(
        Metric(
            name=f"seq_rep_{n}",
            title=f"seq-rep-{n}",
            unit="share",
            direction="lower",
            formula=f"mean over outputs of 1 - distinct {n}-grams / all {n}-grams",
            source=_WELLECK,
            reference="facebookresearch/unlikelihood_training, custom/metrics.py, ngram_metrics",
            pitfalls="Grows with length. On token ids where known, else on words: "
            "never compare the two kinds.",
            measure=_seq_rep(n),
            aggregate=ratio,
        )
        for n in (1, 2, 3, 4)
    ),
    Metric(
        name="compression_ratio",
        title="Compression ratio",
        unit="ratio",
        direction="none",
        formula="bytes of the texts / bytes of each under zlib at level 9, both summed",
        source=_SHAIB,
        reference="zlib of the standard library",
        pitfalls="Grows with length; short texts fall below 1. Each text is packed alone, "
        "so what outputs share among them does not count.",
        measure=_compression,
        aggregate=ratio,
    ),
)

REPETITION_CORPUS = (
    CorpusMetric(
        name="corpus_compression_ratio",
        title="Compression ratio of all outputs",
        unit="ratio",
        direction="none",
        formula="bytes of all texts, a line each / bytes of the same under zlib at level 9",
        source=_SHAIB,
        reference="zlib of the standard library",
        pitfalls="Grows with the number of outputs: compare sets of equal size. The package "
        "`diversity` packs twice with gzip, which differs by some ten bytes.",
        gather=_JoinedCompression,
    ),
)
