"""Distribution: how near a set of texts is to human ones."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ethogram.errors import SpecError
from ethogram.extras import require
from ethogram.metrics.base import metric
from ethogram.metrics.models import ReferenceModel
from ethogram.metrics.units import SHARE

Features = np.ndarray[Any, Any]
#: Below this many texts a side, the value moves by several points with the seed.
ENOUGH = 1000


@dataclass(frozen=True)
class MauveResult:
    """What MAUVE says of two sets of texts.

    Attributes:
        mauve: mean over the seeds, 0 to 1; 1 where the sets cannot be distinguished.
        by_seed: the value of each seed of the clustering.
        mauve_smoothed: the same with smoothed histograms (`mauve_star`), which saturates less.
        texts: of the smaller set.
    """

    mauve: float
    by_seed: tuple[float, ...]
    mauve_smoothed: float
    texts: int

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "mauve": self.mauve,
            "by_seed": list(self.by_seed),
            "mauve_smoothed": self.mauve_smoothed,
            "texts": self.texts,
        }


def mauve_of_features(
    ours: Features, human: Features, *, seeds: Sequence[int] = (25, 26, 27, 28, 29), **settings: Any
) -> MauveResult:
    """MAUVE of two arrays of features, by mauve-text.

    Args:
        ours: [texts, dimensions].
        human: [texts, dimensions]; as many texts, or the smaller set decides the clusters.
        seeds: of the clustering; 25 is the default of mauve-text.
        settings: further arguments of `mauve.compute_mauve`, such as `mauve_scaling_factor`.

    Raises:
        SpecError: the arrays do not fit each other.
        MissingExtraError: the extra [mauve] is not installed.
    """
    if ours.ndim != 2 or human.ndim != 2 or ours.shape[1] != human.shape[1]:
        raise SpecError(
            f"features of shapes {ours.shape} and {human.shape} do not match",
            where="MAUVE",
            hint="give two arrays [texts, dimensions] from the same model",
        )
    texts = min(len(ours), len(human))
    if texts < 20 or not seeds:
        raise SpecError(f"{texts} texts are too few for two clusters of ten texts", where="MAUVE")
    if texts < ENOUGH:
        warnings.warn(
            f"MAUVE of {texts} texts moves by several points with the seed; use {ENOUGH} or more",
            stacklevel=2,
        )
    package = require("mauve", extra="mauve", needed_for="MAUVE")
    found = [
        package.compute_mauve(
            p_features=ours, q_features=human, seed=seed, verbose=False, **settings
        )
        for seed in seeds
    ]
    values = tuple(float(one.mauve) for one in found)
    smoothed = math.fsum(float(one.mauve_star) for one in found) / len(found)
    return MauveResult(math.fsum(values) / len(values), values, smoothed, texts)


@metric(
    "mauve",
    title="MAUVE",
    unit=SHARE,
    direction="higher",
    formula="the area under the curve of the two Kullback-Leibler divergences to mixtures of "
    "both sets, scaled by 5, after clustering the features of both sets together into n/10 "
    "clusters; mean over seeds",
    source="Pillutla et al. 2021, arXiv:2102.01454; 2023, arXiv:2212.14578",
    reference="mauve-text 0.4.0, which computes it; features against transformers in tests/engine",
    pitfalls="Comparable only with the same number of texts, lengths, features, scaling and "
    "seeds. With fewer than 1000 texts per side it varies by several points with the seed; "
    "the authors advise 5000. A difference in length dominates all others: cut both sets to "
    "the same length. Published values use gpt2-large as the reference model. Needs the "
    "extra [mauve]; mauve-text names the GPLv3 in its files.",
    scope="model",
)
def mauve(
    ours: Sequence[str],
    human: Sequence[str],
    model: ReferenceModel,
    *,
    max_tokens: int = 256,
    seeds: Sequence[int] = (25, 26, 27, 28, 29),
    **settings: Any,
) -> MauveResult:
    """MAUVE of two sets of texts, by features of a reference model.

    Args:
        ours: texts to judge.
        human: texts to be like.
        model: its last hidden state at a text's last token is the text's feature.
        max_tokens: where every text is cut, so that length tells the sets apart less.
        seeds: of the clustering.
        settings: further arguments of `mauve.compute_mauve`.

    Raises:
        SpecError: there are too few texts.
        MissingExtraError: the extra [mauve] is not installed.
    """
    features = [model.features(texts, max_tokens=max_tokens) for texts in (ours, human)]
    return mauve_of_features(*features, seeds=seeds, **settings)
