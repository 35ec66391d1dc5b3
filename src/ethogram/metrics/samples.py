"""Samples: how different the outputs of one prompt are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from ethogram.metrics.base import NOT_APPLICABLE, Array, Output, Score, mean_score, metric
from ethogram.metrics.models import Encoder, Models
from ethogram.metrics.units import COSINE_DISTANCE, OUTPUTS


def cut_alike(texts: Sequence[str], encoder: Encoder) -> list[str]:
    """Texts cut after as many of the encoder's tokens as the shortest has; none if one is empty."""
    tokens = [encoder.token_spans(text) for text in texts]
    shortest = min(map(len, tokens), default=0)
    if not shortest:
        return []
    return [text[: spans[shortest - 1][1]] for text, spans in zip(texts, tokens, strict=True)]


def _from_vectors(
    value: Callable[[Array], float],
    matched: bool,
    groups: Sequence[Sequence[Output]],
    models: Models,
) -> list[Score]:
    """A score of the vectors of each prompt's outputs; a prompt with one output has none."""
    compared = [[output.text for output in group] for group in groups]
    if matched:
        compared = [cut_alike(texts, models.encoder) for texts in compared]
    usable = [texts if len(texts) > 1 else [] for texts in compared]
    vectors = models.encoder.encode([text for texts in usable for text in texts])
    scores, start = [], 0
    for texts in usable:
        own = vectors[start : start + len(texts)].astype(np.float64)
        scores.append(mean_score(value(own)) if texts else NOT_APPLICABLE)
        start += len(texts)
    return scores


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


_CUT = "; each output is cut to the length of the prompt's shortest output, in the encoder's tokens"
_SHORTEST = (
    " One short output cuts all outputs of its prompt; a prompt with an empty output has no value."
)

for _matched in (False, True):
    _suffix, _of_title = ("_matched", ", matched") if _matched else ("", "")
    metric(
        f"semantic_diversity{_suffix}",
        title=f"Distance between samples{_of_title}",
        unit=COSINE_DISTANCE,
        direction="higher",
        formula="mean over prompts of the mean of 1 - cosine over all pairs of the prompt's "
        "outputs, under a sentence encoder" + (_CUT if _matched else ""),
        source="Tevet and Berant 2021, arXiv:2004.02990",
        reference="scipy.spatial.distance.pdist in tests/metrics",
        pitfalls="Nonsense texts differ from each other too: a high value means something only "
        "for fluent outputs. Does not apply to greedy decoding, which has one sample per "
        "prompt." + (_SHORTEST if _matched else ""),
        scope="prompt",
        needs=("encoder",),
    )(partial(_from_vectors, mean_pairwise_distance, _matched))
    metric(
        f"vendi_score{_suffix}",
        title=f"Vendi score{_of_title}",
        unit=OUTPUTS,
        direction="higher",
        formula="mean over prompts of exp(-Σ λ log λ), λ the eigenvalues of K/n, K the cosines "
        "between the prompt's n outputs under a sentence encoder: the effective number of "
        "different outputs" + (_CUT if _matched else ""),
        source="Friedman and Dieng 2023, The Vendi Score, arXiv:2210.02410",
        reference="scipy.linalg and scipy.stats in tests/metrics",
        pitfalls="Grows with the number of samples: compare equal numbers. Cosines of a sentence "
        "encoder rarely reach 0, so even unrelated outputs stay below n."
        + (_SHORTEST if _matched else ""),
        scope="prompt",
        needs=("encoder",),
    )(partial(_from_vectors, vendi_score, _matched))
