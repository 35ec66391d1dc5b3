"""Coherence: how near an output stays to its prompt and to itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ethogram.metrics.base import NOT_APPLICABLE, Output, Score, Span, mean_score, metric
from ethogram.metrics.models import Encoder, Models
from ethogram.metrics.text import sentence_spans
from ethogram.metrics.units import COSINE, COSINE_PER_100_TOKENS, SHARE

#: Tokens of a window of the drift curve: about two sentences, so that 100 tokens give a curve.
WINDOW = 32
#: A sentence is on topic from this cosine to the prompt on: 5 % of the sentences that answer other
#: prompts reach it, and 74 % of those that answer this one (786 sentences of 126 answers of
#: text-davinci-003 to the instructions of Wang et al. 2023). Another encoder needs another value.
ON_TOPIC = 0.21


_CHECKED = "sentence-transformers 6.2.0 on the same weights (tests/models); numpy in tests/metrics"
_NO_PRAISE = (
    "Repetition raises it: read it together with a repetition metric. Values of two encoders "
    "cannot be compared."
)
_DERIVED = "derived here from the coherence of Su et al. 2022; no paper fixes one formula"


@dataclass(frozen=True, slots=True)
class Near:
    """A stretch of an output and its cosine to the prompt."""

    start: int
    end: int
    cosine: float


def windows(text: str, encoder: Encoder, size: int = WINDOW) -> list[tuple[int, int]]:
    """Character offsets of consecutive windows of `size` tokens; a shorter rest is left out.

    Equal windows, because the cosine to a prompt grows with the length of the text.
    """
    tokens = encoder.token_spans(text)
    return [
        (tokens[first][0], tokens[first + size - 1][1])
        for first in range(0, len(tokens) - size + 1, size)
    ]


def curves(
    outputs: Sequence[Output], encoder: Encoder, cut: Callable[[str], list[tuple[int, int]]]
) -> list[list[Near]]:
    """The cosine of each stretch to the output's prompt, in order; none without a prompt."""
    stretches = [cut(output.text) if output.prompt.strip() else [] for output in outputs]
    texts = [output.prompt for output in outputs] + [
        output.text[start:end]
        for output, spans in zip(outputs, stretches, strict=True)
        for start, end in spans
    ]
    vectors = encoder.encode(texts)
    found, place = [], len(outputs)
    for prompt, spans in zip(vectors, stretches, strict=False):
        cosines = (vectors[place : place + len(spans)] @ prompt).tolist()
        found.append([Near(*span, cosine) for span, cosine in zip(spans, cosines, strict=True)])
        place += len(spans)
    return found


def drift_curve(outputs: Sequence[Output], models: Models, size: int = WINDOW) -> list[list[Near]]:
    """Window by window, how near each output is to its prompt.

    Args:
        outputs: to look at.
        models: the encoder is read.
        size: tokens of a window, by the encoder's tokenizer.

    Returns:
        A curve for each output; empty if it has no prompt or is shorter than a window.
    """
    encoder = models.encoder
    return curves(outputs, encoder, lambda text: windows(text, encoder, size))


def slope(values: Sequence[float]) -> float:
    """Least-squares slope over 0, 1, 2, …; two values or more."""
    places = np.arange(len(values)) - (len(values) - 1) / 2
    return float(places @ np.asarray(values) / (places @ places))


@metric(
    "prompt_similarity",
    title="Similarity to the prompt",
    unit=COSINE,
    direction="higher",
    formula="mean over outputs of the cosine between the vectors of prompt and output under a "
    "sentence encoder; each text cut at the encoder's limit (256 tokens by default)",
    source="coherence of Su et al. 2022, arXiv:2202.06417 (there with SimCSE)",
    reference=_CHECKED,
    pitfalls=f"{_NO_PRAISE} Longer outputs score higher. The papers use SimCSE.",
    needs=("encoder",),
)
def _prompt_similarity(outputs: Sequence[Output], models: Models) -> list[Score]:
    whole = curves(outputs, models.encoder, lambda text: [(0, len(text))] if text.strip() else [])
    return [mean_score(curve[0].cosine) if curve else NOT_APPLICABLE for curve in whole]


def _drift(value: Callable[[Sequence[float]], float]) -> Callable[..., list[Score]]:
    def measure(outputs: Sequence[Output], models: Models) -> list[Score]:
        return [_of_curve(curve, value) for curve in drift_curve(outputs, models)]

    return measure


def _of_curve(curve: Sequence[Near], value: Callable[[Sequence[float]], float]) -> Score:
    if len(curve) < 2:
        return NOT_APPLICABLE
    farthest = min(curve[1:], key=lambda near: near.cosine)
    label = f"cosine {farthest.cosine:.2f} to the prompt, {curve[0].cosine:.2f} at the start"
    spans = (Span(farthest.start, farthest.end, label),)
    drifted = farthest.cosine < curve[0].cosine
    return mean_score(value([near.cosine for near in curve]), spans if drifted else ())


@metric(
    "on_topic_share",
    title="Sentences on topic",
    unit=SHARE,
    direction="higher",
    formula=f"share of an output's sentences whose cosine to the prompt is {ON_TOPIC} or more; "
    "mean over outputs",
    source="derived here; the bound is what 5 % of sentences that answer other prompts reach, "
    "in answers of text-davinci-003 to the user instructions of Wang et al. 2023, "
    "arXiv:2212.10560",
    reference="the bound is found again on those answers in tests/metrics",
    pitfalls="A right answer without the question's words can fall below the threshold; 26 % of "
    "good answers do. The threshold was set for all-minilm-l6-v2.",
    needs=("encoder",),
)
def _on_topic_share(outputs: Sequence[Output], models: Models) -> list[Score]:
    scores = []
    for curve in curves(outputs, models.encoder, sentence_spans):
        off = [near for near in curve if near.cosine < ON_TOPIC]
        spans = tuple(
            Span(near.start, near.end, f"cosine {near.cosine:.2f} to the prompt") for near in off
        )
        share = 1 - len(off) / len(curve) if curve else 0.0
        scores.append(mean_score(share, spans) if curve else NOT_APPLICABLE)
    return scores


@metric(
    "adjacent_coherence",
    title="Adjacent-sentence similarity",
    unit=COSINE,
    direction="higher",
    formula="mean over an output's pairs of adjacent sentences of the cosine of their vectors; "
    "mean over outputs with two sentences or more",
    source="local coherence of Lapata and Barzilay 2005, IJCAI, with a sentence encoder",
    reference=_CHECKED,
    pitfalls=f"{_NO_PRAISE} A list of short items scores low without being wrong.",
    needs=("encoder",),
)
def _adjacent_coherence(outputs: Sequence[Output], models: Models) -> list[Score]:
    sentences = [sentence_spans(output.text) for output in outputs]
    texts = [
        output.text[start:end]
        for output, spans in zip(outputs, sentences, strict=True)
        for start, end in spans
    ]
    vectors = models.encoder.encode(texts)
    scores, place = [], 0
    for spans in sentences:
        own = vectors[place : place + len(spans)]
        place += len(spans)
        if len(spans) < 2:
            scores.append(NOT_APPLICABLE)
            continue
        cosines = (own[:-1] * own[1:]).sum(axis=1)
        least = int(cosines.argmin())
        label = f"cosine {cosines[least]:.2f} from one sentence to the next"
        span = Span(spans[least][0], spans[least + 1][1], label)
        scores.append(mean_score(float(cosines.mean()), (span,)))
    return scores


metric(
    "topic_drift",
    title="Drift from the prompt",
    unit=COSINE,
    direction="lower",
    formula=f"cosine of the first {WINDOW} tokens to the prompt minus that of the last window "
    f"of {WINDOW}, windows cut one after the other by the encoder's tokens; mean over outputs "
    "with two windows or more",
    source=_DERIVED,
    reference=_CHECKED,
    pitfalls="The first window often repeats the question's words, so human text drifts too: use "
    "it only to compare. Loops do not drift.",
    needs=("encoder",),
)(_drift(lambda cosines: cosines[0] - cosines[-1]))

metric(
    "drift_slope",
    title="Drift slope",
    unit=COSINE_PER_100_TOKENS,
    direction="higher",
    formula=f"least-squares slope of the cosine to the prompt over windows of {WINDOW} tokens, "
    "per 100 tokens; mean over outputs with two windows or more; negative if the text moves "
    "away",
    source=_DERIVED,
    reference="scipy.stats.linregress in tests/metrics",
    pitfalls="With two windows it is their difference. Long outputs have flatter slopes than "
    "short ones that drift as far.",
    needs=("encoder",),
)(_drift(lambda cosines: slope(cosines) * 100 / WINDOW))
