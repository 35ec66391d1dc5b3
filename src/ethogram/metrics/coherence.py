"""Coherence: how near an output stays to its prompt and to itself. Knows texts as vectors."""

from __future__ import annotations

from collections.abc import Sequence

from ethogram.metrics.base import NOT_APPLICABLE, BatchMetric, Output, Score, mean_score, ratio
from ethogram.metrics.models import Models


def _prompt_similarity(outputs: Sequence[Output], models: Models) -> list[Score]:
    asked = [output for output in outputs if output.prompt.strip() and output.text.strip()]
    texts = [output.prompt for output in asked] + [output.text for output in asked]
    vectors = models.encoder.encode(texts)
    cosines = iter((vectors[: len(asked)] * vectors[len(asked) :]).sum(axis=1).tolist())
    return [
        mean_score(next(cosines))
        if output.prompt.strip() and output.text.strip()
        else NOT_APPLICABLE
        for output in outputs
    ]


_COSINE = "cosine"

COHERENCE = (
    BatchMetric(
        name="prompt_similarity",
        title="Similarity of prompt and output",
        unit=_COSINE,
        direction="higher",
        formula="mean over outputs of the cosine between the vectors of prompt and output under a "
        "sentence encoder; each text cut at the encoder's limit (256 tokens by default)",
        source="coherence of Su et al. 2022, arXiv:2202.06417 (there with SimCSE)",
        reference="sentence-transformers on the same weights; recorded in tests/models",
        pitfalls="A repeated prompt is the most similar of all, so read it with prompt_echo and a "
        "metric of repetition. Values of two encoders cannot be compared, and those of the papers "
        "come from SimCSE.",
        measure_batch=_prompt_similarity,
        aggregate=ratio,
        needs=("encoder",),
    ),
)
