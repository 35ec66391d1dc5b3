"""Samples: how different the outputs of one prompt are. Knows vectors of a sentence encoder."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ethogram.metrics.base import (
    NOT_APPLICABLE,
    Array,
    GroupMetric,
    Output,
    Score,
    mean_score,
    ratio,
)
from ethogram.metrics.models import Models


def _from_vectors(
    value: Callable[[Array], float],
) -> Callable[[Sequence[Sequence[Output]], Models], list[Score]]:
    """A score of the vectors of each prompt's outputs; a prompt with one output has none."""

    def measure(groups: Sequence[Sequence[Output]], models: Models) -> list[Score]:
        texts = [output.text for group in groups if len(group) > 1 for output in group]
        vectors = models.encoder.encode(texts).astype(np.float64)
        scores, start = [], 0
        for group in groups:
            if len(group) < 2:
                scores.append(NOT_APPLICABLE)
                continue
            scores.append(mean_score(value(vectors[start : start + len(group)])))
            start += len(group)
        return scores

    return measure


def mean_pairwise_distance(vectors: Array) -> float:
    """Mean of 1 - cosine over the pairs of rows; rows [n, dimensions] of length 1, n ≥ 2."""
    upper = np.triu_indices(len(vectors), k=1)
    return float(np.mean(1.0 - (vectors @ vectors.T)[upper]))


def vendi_score(vectors: Array) -> float:
    """Exp of the entropy of the eigenvalues of K/n, K the cosines between rows of length 1.

    From 1, all rows equal, to n, all at right angles (Friedman and Dieng 2022, definition 3.1).
    """
    eigenvalues = np.linalg.eigvalsh(vectors @ vectors.T / len(vectors))
    weights = eigenvalues[eigenvalues > 0]
    return float(np.exp(-np.sum(weights * np.log(weights))))


SAMPLES = (
    GroupMetric(
        name="semantic_diversity",
        title="Distance between samples",
        unit="cosine distance",
        direction="higher",
        formula="mean over prompts of the mean of 1 - cosine over all pairs of the prompt's "
        "outputs, under a sentence encoder",
        source="Tevet and Berant 2021, Evaluating the Evaluation of Diversity, arXiv:2004.02990",
        reference="scipy.spatial.distance.pdist in tests/metrics",
        pitfalls="Nonsense is far from nonsense: high values want fluent outputs. Greedy outputs "
        "have one sample a prompt, so it says nothing of them.",
        measure_groups=_from_vectors(mean_pairwise_distance),
        aggregate=ratio,
        needs=("encoder",),
    ),
    GroupMetric(
        name="vendi_score",
        title="Vendi score of the samples",
        unit="outputs",
        direction="higher",
        formula="mean over prompts of exp(-Σ λ log λ), λ the eigenvalues of K/n, K the cosines "
        "between the prompt's n outputs under a sentence encoder: how many different outputs the "
        "n amount to",
        source="Friedman and Dieng 2022, The Vendi Score, arXiv:2210.02410",
        reference="vendi-score's formula with scipy in tests/metrics",
        pitfalls="Grows with the number of samples: compare equal numbers. Cosines of a "
        "sentence encoder seldom reach 0, so even unrelated outputs stay below n.",
        measure_groups=_from_vectors(vendi_score),
        aggregate=ratio,
        needs=("encoder",),
    ),
)
