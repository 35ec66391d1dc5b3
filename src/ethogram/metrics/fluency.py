"""Fluency: how likely the model itself found what it wrote. Knows log-probabilities."""

from __future__ import annotations

import math

import numpy as np

from ethogram.metrics.base import NOT_APPLICABLE, Array, Metric, Output, Score, ratio


def exp_mean(parts: Array) -> Array:
    """exp(summed negative log-probability / tokens); [..., 2] to [...]."""
    result: Array = np.exp(ratio(parts))
    return result


def _self_perplexity(output: Output) -> Score:
    if not output.logprobs:
        return NOT_APPLICABLE
    nll, tokens = -math.fsum(output.logprobs), len(output.logprobs)
    return Score(float(exp_mean(np.array([nll, tokens]))), (nll, float(tokens)))


FLUENCY = (
    Metric(
        name="self_perplexity",
        title="Self-perplexity",
        unit="perplexity",
        direction="none",
        formula="exp(mean over all tokens of -log p(token)), p of the generating model at "
        "temperature 1, natural logarithm",
        source="perplexity of the model on its own output; Holtzman et al. 2020, arXiv:1904.09751",
        reference="numpy in tests/metrics",
        pitfalls="Low is no praise: a loop drives it towards 1, human text stands well above. "
        "Never compare two models by it.",
        measure=_self_perplexity,
        aggregate=exp_mean,
    ),
)
