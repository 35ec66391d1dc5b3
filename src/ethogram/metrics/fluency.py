"""Fluency: how likely the model found what it wrote, and the shape of its sentences.

There is no metric of grammar and none of readability here. Of the grammar checkers that need no
Java, harper-py 0.2.0 was tried: it marks human WebText more often than what gpt2-large writes on
the same openings, so its counts do not compare models. textstat counts syllables by a dictionary
that nltk fetches at run time, and school grades were not made for machines.
"""

from __future__ import annotations

import math
import re

import numpy as np

from ethogram.metrics.asking import LIST_ITEM
from ethogram.metrics.base import NOT_APPLICABLE, Array, Output, Score, Span, metric, ratio
from ethogram.metrics.units import PERPLEXITY, SHARE, WORDS

#: Words from which on a stretch of prose counts as a sentence that wants an end mark.
PROSE_WORDS = 4
_END = re.compile(r"[.!?…:;。！？][\"'”’)\]*_`]*$")


_SHAPE = "rule of Ethogram for 'weak sentences' in the notes that such logs keep by hand"
_PROSE = (
    f"Prose only: skips list items, headings, code and fragments under {PROSE_WORDS} words. "
    "Splits sentences by English rules. "
)


def exp_mean(parts: Array) -> Array:
    """exp(summed negative log-probability / tokens); [..., 2] to [...]."""
    result: Array = np.exp(ratio(parts))
    return result


@metric(
    "self_perplexity",
    title="Self-perplexity",
    unit=PERPLEXITY,
    direction="none",
    formula="exp(mean over all tokens of -log p(token)), p of the generating model at "
    "temperature 1, natural logarithm; empty outputs are left out",
    source="perplexity of the model on its own output; Holtzman et al. 2020, arXiv:1904.09751",
    reference="numpy in tests/metrics",
    pitfalls="Low is not good in itself: a loop drives it towards 1, and human text is well "
    "above. Never compare two models by it.",
    version=2,
    aggregate=exp_mean,
    weight=None,
)
def _self_perplexity(output: Output) -> Score:
    if not output.logprobs or output.is_empty:
        return NOT_APPLICABLE
    nll, tokens = -math.fsum(output.logprobs), len(output.logprobs)
    return Score(float(exp_mean(np.array([nll, tokens]))), (nll, float(tokens)))


def _prose(output: Output) -> list[tuple[int, int]]:
    """The sentences that are prose: no list item, heading, code or table, and not too short."""
    text = output.text
    return [
        (start, end)
        for start, end in output.sentence_spans
        if not LIST_ITEM.match(text, start, end) and len(text[start:end].split()) >= PROSE_WORDS
    ]


@metric(
    "sentence_words",
    title="Words per sentence",
    unit=WORDS,
    direction="none",
    formula="words of all sentences / all sentences, pooled over outputs",
    source=_SHAPE,
    reference="the table of cases in tests/metrics",
    pitfalls=_PROSE + "Text without end punctuation is one long sentence.",
    weight="unit",
)
def _sentence_words(output: Output) -> Score:
    sentences = output.once(_prose)
    if not sentences:
        return NOT_APPLICABLE
    words = sum(len(output.text[start:end].split()) for start, end in sentences)
    return Score(words / len(sentences), (words, len(sentences)))


def _share_of(sentences: list[tuple[int, int]], faults: tuple[Span, ...]) -> Score:
    if not sentences:
        return NOT_APPLICABLE
    return Score(len(faults) / len(sentences), (len(faults), len(sentences)), faults)


@metric(
    "unended_sentences",
    title="Unterminated sentences",
    unit=SHARE,
    direction="lower",
    formula="sentences that end at a line break without . ! ? … : or ; / all sentences, the "
    "last of each output left out",
    source=_SHAPE,
    reference="the table of cases in tests/metrics",
    pitfalls=_PROSE + "Verse and addresses legitimately end without punctuation.",
    weight="unit",
)
def _unended(output: Output) -> Score:
    sentences = output.once(_prose)
    # The last sentence may be cut by the length limit, which truncation tells.
    whole = [span for span in sentences if span[1] < len(output.text.rstrip())]
    faults = tuple(
        Span(start, end, "no end mark")
        for start, end in whole
        if not _END.search(output.text[start:end])
    )
    return _share_of(whole, faults)


@metric(
    "small_starts",
    title="Lowercase sentence starts",
    unit=SHARE,
    direction="lower",
    formula="sentences that begin with a lowercase letter / all sentences, the first of each "
    "output left out",
    source=_SHAPE,
    reference="the table of cases in tests/metrics",
    pitfalls=_PROSE + "Punctuation before a lowercase letter does not end a sentence, so mostly "
    "line breaks and scripts without punctuation are detected.",
    weight="unit",
)
def _small_starts(output: Output) -> Score:
    # The first sentence may go on with the prompt's.
    sentences = [span for span in output.once(_prose) if output.text[: span[0]].strip()]
    faults = tuple(
        Span(start, end, "begins with a small letter")
        for start, end in sentences
        if output.text[start:end].lstrip("\"'“‘([*_").lstrip()[:1].islower()
    )
    return _share_of(sentences, faults)
