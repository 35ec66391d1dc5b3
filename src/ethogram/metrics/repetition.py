"""Repetition: how much of an output was said before in it.

Two families share a name and are different numbers. rep-n and diversity follow SimCTG's released
code, so that published tables can be compared with: words, pooled over outputs, in percent, the
last n-gram of each text left out, and rep-n rounded to two decimals before the product. seq-rep-n
follows Welleck et al.: each output has its own ratio, and the mean of those counts.
"""

from __future__ import annotations

import zlib
from collections.abc import Hashable, Sequence
from functools import partial

import numpy as np

from ethogram.metrics.base import (
    NOT_APPLICABLE,
    Array,
    Output,
    Score,
    Span,
    mean_score,
    merge,
    metric,
    ratio,
)
from ethogram.metrics.loops import loop_units
from ethogram.metrics.text import bare, ngrams
from ethogram.metrics.units import PERCENT, RATIO, SHARE

DIVERSITY_ORDERS = (2, 3, 4)
#: Two sentences are alike from this share of common words on; shorter ones are not compared.
ALIKE, SENTENCE_WORDS = 0.8, 4
#: Whisper's limit: a text that packs better than this is decoded again.
WHISPER_LIMIT = 2.4
#: zlib's best and slowest; the fast levels miss long phrases and would make ratios incomparable.
ZLIB_LEVEL = 9


_SIMCTG = "Su et al. 2022, A Contrastive Framework for Neural Text Generation, arXiv:2202.06417"
_SIMCTG_CODE = "yxuansu/SimCTG, simctg/evaluation.py; equal to its gpt2-large WebText tables"
_POOLED = (
    "Pooled over the words of all outputs: not the mean over outputs, and not seq-rep-n. The "
    "last n-gram of each text is left out as in the released code."
)
_WELLECK = (
    "Welleck et al. 2020, Neural Text Generation with Unlikelihood Training, arXiv:1908.04319"
)
_SHAIB = "Shaib et al. 2024, Standardizing the Measurement of Text Diversity, arXiv:2403.00553"


def count_simctg(words: Sequence[str], n: int) -> tuple[int, int]:
    """(distinct, all) n-grams of a text as SimCTG's released loop sees them: without the last."""
    grams = list(ngrams(words, n))[:-1]
    return len(set(grams)), len(grams)


def simctg_counts(output: Output) -> dict[int, tuple[int, int]]:
    """`count_simctg` of an output for n = 2, 3, 4."""
    return {n: count_simctg(output.words, n) for n in DIVERSITY_ORDERS}


def _said_before(output: Output, n: int, total: int) -> tuple[Span, ...]:
    """The stretches of the first `total` n-grams that were said before."""
    spans = output.word_spans
    seen: set[tuple[str, ...]] = set()
    again: list[tuple[int, int]] = []
    for start, gram in zip(range(total), ngrams(output.words, n), strict=False):
        if gram in seen:
            again.append((spans[start][0], spans[start + n - 1][1]))
        seen.add(gram)
    return merge(again, f"{n}-grams said before")


def _percent(parts: Array) -> Array:
    """100 · repeated / all; [..., 2] to [...]."""
    return 100.0 * ratio(parts)


def _diversity_of(parts: Array) -> Array:
    """100 · product of (1 - rep-n / 100); [..., 6] to [...]."""
    product: Array = np.full(parts.shape[:-1], 100.0)
    for position in range(0, 2 * len(DIVERSITY_ORDERS), 2):
        percent = 100.0 * (1.0 - ratio(parts[..., position : position + 2]))
        rounded = np.round(percent, 2)
        product = product * (1.0 - rounded / 100.0)
    return product


def _rep(n: int, output: Output) -> Score:
    distinct, total = output.once(simctg_counts)[n]
    if not total:
        return NOT_APPLICABLE
    repeated = total - distinct
    spans = _said_before(output, n, total) if repeated else ()
    return Score(100.0 * (repeated / total), (repeated, total), spans)


for _n in DIVERSITY_ORDERS:
    metric(
        f"rep_{_n}",
        title=f"rep-{_n}",
        unit=PERCENT,
        direction="lower",
        formula=f"100 (1 - sum of distinct {_n}-grams of each text / sum of all its {_n}-grams)",
        source=_SIMCTG,
        reference=_SIMCTG_CODE,
        pitfalls=_POOLED,
        aggregate=_percent,
        weight="unit",
    )(partial(_rep, _n))


@metric(
    "diversity",
    title="Diversity",
    unit=PERCENT,
    direction="higher",
    formula="100 · product over n = 2, 3, 4 of (1 - rep-n / 100), rep-n rounded to 2 decimals",
    source=_SIMCTG,
    reference=_SIMCTG_CODE,
    pitfalls="Human text has about 94; higher values are noise, not quality. " + _POOLED,
    aggregate=_diversity_of,
    weight=None,
)
def _diversity(output: Output) -> Score:
    counts = output.once(simctg_counts).values()
    parts = tuple(float(number) for pair in counts for number in pair)
    # A text of 3 or 4 words has no 4-gram, so no product of its own, but it belongs to the pool.
    alone = all(total for _, total in counts)
    value = float(_diversity_of(np.array(parts))) if alone else None
    return Score(value, parts)


def repeated_share(units: Sequence[Hashable], n: int) -> float | None:
    """1 - distinct n-grams / all n-grams; None for a sequence shorter than n."""
    grams = list(ngrams(units, n))
    return 1.0 - len(set(grams)) / len(grams) if grams else None


def _seq_rep(n: int, output: Output) -> Score:
    value = repeated_share(loop_units(output)[0], n)
    return NOT_APPLICABLE if value is None else mean_score(value)


for _n in (1, 2, 3, 4):
    metric(
        f"seq_rep_{_n}",
        title=f"seq-rep-{_n}",
        unit=SHARE,
        direction="lower",
        formula=f"mean over outputs of 1 - distinct {_n}-grams / all {_n}-grams",
        source=_WELLECK,
        reference="facebookresearch/unlikelihood_training, custom/metrics.py, ngram_metrics",
        pitfalls="Grows with length. Uses token ids if known, otherwise words: never compare the "
        "two kinds.",
    )(partial(_seq_rep, _n))


def near_duplicates(sentences: Sequence[frozenset[str]]) -> list[int]:
    """Of each sentence, as its set of words, the index of an earlier one like it, or -1.

    Alike: |A ∩ B| / |A ∪ B| ≥ 0.8. The smaller of two alike sets has at least 0.8 of the words of
    the larger, so others are not compared; an equal set is found at once.
    """
    found: list[int] = []
    first: dict[frozenset[str], int] = {}
    for index, words in enumerate(sentences):
        like = first.get(words, -1)
        if like < 0:
            like = next(
                (at for known, at in first.items() if _resemblance(words, known) >= ALIKE), -1
            )
            first[words] = index
        found.append(like)
    return found


def _resemblance(a: frozenset[str], b: frozenset[str]) -> float:
    """|A ∩ B| / |A ∪ B| (Broder 1997), or 0 where the sizes alone keep it below `ALIKE`."""
    if min(len(a), len(b)) < ALIKE * max(len(a), len(b)):
        return 0.0
    both = len(a & b)
    return both / (len(a) + len(b) - both)


def sentences_said_again(output: Output) -> tuple[tuple[Span, ...], int]:
    """The sentences that are much like an earlier one, and how many could have been."""
    text = output.text
    spans, sets = [], []
    for start, end in output.sentence_spans:
        words = frozenset(filter(None, map(bare, text[start:end].split())))
        if len(words) >= SENTENCE_WORDS:
            spans.append((start, end))
            sets.append(words)
    return tuple(
        Span(*spans[at], f"much like the sentence at {spans[like][0]}")
        for at, like in enumerate(near_duplicates(sets))
        if like >= 0
    ), len(sets)


@metric(
    "near_duplicate_sentences",
    title="Near-duplicate sentences",
    unit=SHARE,
    direction="lower",
    formula=f"sentences of >= {SENTENCE_WORDS} different words whose word set has a Jaccard "
    f"similarity (|A and B| / |A or B|) of >= {ALIKE} with an earlier one / all such sentences",
    source="derived for Ethogram; resemblance of Broder 1997, On the Resemblance and "
    "Containment of Documents",
    reference="nltk jaccard_distance, pair by pair, in tests/metrics",
    pitfalls="Ignores word order and case. Lists of similar items are near duplicates too. "
    "Splits sentences by English rules.",
    weight="unit",
)
def _near_duplicate_sentences(output: Output) -> Score:
    again, total = output.once(sentences_said_again)
    if not total:
        return NOT_APPLICABLE
    return Score(len(again) / total, (len(again), total), again)


def encode(text: str) -> bytes:
    """UTF-8; half a surrogate pair stays as it is."""
    # JSON may carry half a surrogate pair; it must not stop a score.
    return text.encode("utf-8", "surrogatepass")


@metric(
    "compression_ratio",
    title="Compression ratio",
    unit=RATIO,
    direction="none",
    formula="bytes of the texts / bytes of each under zlib at level 9, both summed",
    source=_SHAIB,
    reference="zlib of the standard library",
    pitfalls="Grows with length; short texts fall below 1. Each text is compressed alone, so "
    "repetition across outputs does not count.",
    weight="unit",
)
def _compression(output: Output) -> Score:
    data = encode(output.text)
    if not data:
        return NOT_APPLICABLE
    packed = len(zlib.compress(data, ZLIB_LEVEL))
    return Score(len(data) / packed, (len(data), packed))


def whisper_ratio(text: str) -> float:
    """Bytes of a text over its bytes under zlib at zlib's own level, as in Whisper."""
    data = encode(text)
    return len(data) / len(zlib.compress(data))


@metric(
    "whisper_repetitive",
    title="High compression (Whisper)",
    unit=SHARE,
    direction="lower",
    formula=f"share of outputs whose bytes / bytes under zlib exceed {WHISPER_LIMIT}",
    source="Radford et al. 2022, Whisper, arXiv:2212.04356, and its released code",
    reference="openai/whisper, whisper/utils.py, compression_ratio, and its threshold",
    pitfalls="The threshold was set for 30 seconds of speech: longer outputs reach it sooner, "
    "outputs of about 30 words never do. The repetition need not be an exact loop.",
)
def _whisper_repetitive(output: Output) -> Score:
    if not output.text:
        return NOT_APPLICABLE
    ratio_ = whisper_ratio(output.text)
    spans = (Span(0, len(output.text), f"packs {ratio_:.1f} to 1"),)
    return mean_score(1.0, spans) if ratio_ > WHISPER_LIMIT else mean_score(0.0)


@metric(
    "corpus_compression_ratio",
    title="Compression ratio of all outputs",
    unit=RATIO,
    direction="none",
    formula="bytes of all texts, one per line / bytes of the same under zlib at level 9",
    source=_SHAIB,
    reference="zlib of the standard library",
    pitfalls="Grows with the number of outputs: compare sets of equal size. The package "
    "`diversity` compresses twice with gzip, which differs by about ten bytes.",
    scope="corpus",
)
class _JoinedCompression:
    """All texts, a line each, through one compressor; nothing but its window is kept."""

    def __init__(self) -> None:
        self._packer = zlib.compressobj(ZLIB_LEVEL)
        self._raw = self._packed = 0
        self._before = ""

    def add(self, output: Output) -> None:
        data = encode(self._before + output.text)
        self._before = "\n"
        self._raw += len(data)
        self._packed += len(self._packer.compress(data))

    def value(self) -> float:
        rest = len(self._packer.copy().flush())
        return self._raw / (self._packed + rest) if self._raw else float("nan")
